#include "http/device_auth.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "http/field_errors.hpp"
#include "http/query_reader.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr int kAuthoritiesMax = 16;  // numbered headers that are looked at

struct Credential {
  std::string_view scheme;
  std::string_view token;
};
// Of two that contradict each other none counts: a proxy may have put one of them there, and the client the other.
bool is_said_once(const RequestContext& request, std::string_view name) {
  const auto& fields = request.head().fields;
  return std::count_if(fields.begin(), fields.end(),
                       [&](const auto& field) { return equals_ignoring_case(field.name, name); }) <= 1;
}

// "TargetToken 0123...": the scheme in any case, one blank or more.
std::optional<Credential> credential_of(const RequestContext& request) {
  const auto header = request.header("Authorization");
  if (!header) return std::nullopt;
  const auto blank = header->find(' ');
  if (blank == std::string_view::npos) return Credential{*header, {}};
  return Credential{header->substr(0, blank), trim(header->substr(blank + 1))};
}

// The links of one hour end at the same moment, so that an answer that is asked for again is the same.
std::int64_t expiry(domain::Time now, std::chrono::seconds life) {
  constexpr std::int64_t kHour = 3'600;
  const auto s = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return (s / kHour + 1) * kHour + life.count();
}

}  // namespace

DeviceAuth::DeviceAuth(DeviceAuthOptions options, std::string_view secret)
    : options_(std::move(options)), secrets_(secret) {}

std::string DeviceAuth::token(std::string_view device, std::uint32_t generation) const {
  return secrets_.device_token(device, generation);
}

bool DeviceAuth::is_target_token(std::string_view token, std::string_view device, const projections::PollRecord& known,
                                 domain::Time now) const {
  bool is = equal_secrets(token, secrets_.device_token(device, known.token_generation));
  if (known.token_generation > 0 && now < known.previous_token_until) {
    is = equal_secrets(token, secrets_.device_token(device, known.token_generation - 1)) || is;
  }
  return is;
}

bool DeviceAuth::is_gateway_token(std::string_view token) const {
  bool is = false;  // all of them are looked at, whichever it is
  for (const auto& wanted : options_.gateway_tokens) is = equal_secrets(token, wanted) || is;
  return is;
}

// A list split by ';' and ',', and numbered ones from 0 or 1 up to the first gap.
bool DeviceAuth::has_authority(const RequestContext& request) const {
  if (options_.authorities.empty()) return true;
  const auto names_one = [&](std::string_view text) {
    std::string list(text);
    std::replace(list.begin(), list.end(), ';', ',');
    bool found = false;
    for_each_item(list, [&](std::string_view item) {
      for (const auto& wanted : options_.authorities) found = found || equals_ignoring_case(item, wanted);
    });
    return found;
  };
  const auto said = [&](const std::string& name) { return is_said_once(request, name) ? request.header(name) : std::nullopt; };
  if (const auto list = said(options_.authority_header); list && names_one(*list)) return true;
  for (int i = 0; i < kAuthoritiesMax; ++i) {
    const auto one = said(fmt::format("{}-{}", options_.authority_header, i));
    if (one && names_one(*one)) return true;
    if (!one && i > 0) break;
  }
  return false;
}

std::optional<DeviceIdentity> DeviceAuth::identify(const RequestContext& request, std::string_view device,
                                                   const std::optional<projections::PollRecord>& known,
                                                   domain::Time now) const {
  if (const auto named = request.peer().certificate; !named.empty()) {
    return named == device ? std::optional(DeviceIdentity::kCertificate) : std::nullopt;
  }
  if (!options_.identity_header.empty() && request.is_from_trusted_proxy()) {
    if (const auto named = request.header(options_.identity_header)) {
      const bool is = *named == device && is_said_once(request, options_.identity_header) && has_authority(request);
      return is ? std::optional(DeviceIdentity::kProxyHeader) : std::nullopt;
    }
  }
  if (!is_said_once(request, "Authorization")) return std::nullopt;
  const auto credential = credential_of(request);
  if (!credential) return options_.anonymous ? std::optional(DeviceIdentity::kAnonymous) : std::nullopt;
  if (equals_ignoring_case(credential->scheme, "TargetToken")) {
    // Of an id that is not known nobody has a token, though it could be made.
    const bool is = options_.target_token && known && is_target_token(credential->token, device, *known, now);
    return is ? std::optional(DeviceIdentity::kTargetToken) : std::nullopt;
  }
  const bool is = equals_ignoring_case(credential->scheme, "GatewayToken") && is_gateway_token(credential->token);
  return is ? std::optional(DeviceIdentity::kGatewayToken) : std::nullopt;
}

std::optional<DeviceIdentity> DeviceAuth::identify_download(const RequestContext& request, std::string_view device,
                                                            const std::optional<projections::PollRecord>& known,
                                                            domain::Time now) const {
  if (is_signed(request, now)) return DeviceIdentity::kSignedLink;
  return identify(request, device, known, now);
}

std::string DeviceAuth::signed_query(std::string_view path, domain::Time now) const {
  const auto expires = expiry(now, options_.link_life);
  return fmt::format("?expires={}&signature={}", expires, secrets_.link_signature(path, expires));
}

bool DeviceAuth::is_signed(const RequestContext& request, domain::Time now) const {
  if (request.query().empty()) return false;
  FieldErrors errors;
  QueryReader query(request.query(), errors);
  const auto expires = query.integer("expires", {0, INT64_MAX});
  const auto signature = query.string("signature");
  if (!expires || !signature || !errors.empty()) return false;
  const bool is = equal_secrets(*signature, secrets_.link_signature(request.path(), *expires));
  return is && std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count() < *expires;
}

}  // namespace ota::http
