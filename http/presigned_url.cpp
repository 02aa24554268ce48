#include "http/presigned_url.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "domain/ids.hpp"
#include "http/secrets.hpp"

namespace ota::http {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string digest_of(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return domain::to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

// "20260102T030405Z"
std::string compact(Time time) {
  constexpr std::size_t kUntilSeconds = 19;
  auto text = format_time(time).substr(0, kUntilSeconds);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + 'Z';
}

// As the client will name it in its Host field: without the scheme's own port.
std::string_view host_of(std::string_view scheme, std::string_view authority) {
  const std::string_view port = scheme == "https" ? ":443" : ":80";
  if (authority.ends_with(port)) authority.remove_suffix(port.size());
  return authority;
}

}  // namespace

std::string presigned(std::string_view method, const std::string& url, const StoreKey& key, Time now) {
  const auto scheme_end = url.find("://");
  const auto path_begin = url.find('/', scheme_end + 3);
  const std::string_view whole(url);
  const auto host = host_of(whole.substr(0, scheme_end), whole.substr(scheme_end + 3, path_begin - scheme_end - 3));
  const auto path = whole.substr(path_begin);
  const auto time = compact(now);
  const auto day = time.substr(0, 8);
  const auto scope = fmt::format("{}/{}/s3/aws4_request", day, key.region);
  // In the order of their names; of what is in there only the slashes have to be encoded.
  const auto query = fmt::format("X-Amz-Algorithm={}&X-Amz-Credential={}%2F{}%2F{}%2Fs3%2Faws4_request&X-Amz-Date={}&X-Amz-Expires={}"
                                 "&X-Amz-SignedHeaders=host",
                                 kAlgorithm, key.id, day, key.region, time, key.life.count());
  const auto request = fmt::format("{}\n{}\n{}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD", method, path, query, host);
  const auto to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope, digest_of(request));
  const auto signing_key = keyed_hash(keyed_hash(keyed_hash(keyed_hash("AWS4" + key.secret, day), key.region), "s3"), "aws4_request");
  return fmt::format("{}?{}&X-Amz-Signature={}", url, query, domain::to_hex(keyed_hash(signing_key, to_sign)));
}

}  // namespace ota::http
