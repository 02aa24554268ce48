#include "http/secrets.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "domain/ids.hpp"

namespace ota::http {
namespace {

constexpr std::size_t kSignatureBytes = 16;  // nobody guesses one of 2^128, and links stay short

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

std::string short_hex(std::string_view hash) { return domain::to_hex(hash.substr(0, kSignatureBytes)); }

}  // namespace

bool equal_secrets(std::string_view given, std::string_view wanted) {
  // Digests have one length: not even that of the wanted one is told.
  Digest a{};
  Digest b{};
  SHA256(reinterpret_cast<const unsigned char*>(given.data()), given.size(), a.data());
  SHA256(reinterpret_cast<const unsigned char*>(wanted.data()), wanted.size(), b.data());
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string keyed_hash(std::string_view key, std::string_view message) {
  Digest digest{};
  unsigned size = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
            reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(), &size)) {
    throw std::runtime_error("HMAC-SHA-256 failed");
  }
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Secrets::Secrets(std::string_view secret)
    : device_key_(keyed_hash(secret, "device token")), link_key_(keyed_hash(secret, "signed link")) {}

std::string Secrets::device_token(std::string_view device_id, std::uint32_t generation) const {
  // The generation first, with its end marked: no id can be made to look like another one's.
  return short_hex(keyed_hash(device_key_, fmt::format("{}\n{}", generation, device_id)));
}

std::string Secrets::link_signature(std::string_view subject, std::int64_t expires_s) const {
  return short_hex(keyed_hash(link_key_, fmt::format("{}\n{}", expires_s, subject)));
}

}  // namespace ota::http
