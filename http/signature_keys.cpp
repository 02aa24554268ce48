#include "http/signature_keys.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <cstdio>
#include <stdexcept>

#include <fmt/format.h>

#include "domain/ids.hpp"
#include "http/commands.hpp"

namespace ota::http {
namespace {

constexpr std::size_t kKeyIdBytes = 8;
constexpr std::size_t kRawKeyBytes = 32;

std::shared_ptr<EVP_PKEY> read_key(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  std::shared_ptr<EVP_PKEY> key(file ? PEM_read_PUBKEY(file.get(), nullptr, nullptr, nullptr) : nullptr, &EVP_PKEY_free);
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
    throw std::runtime_error(fmt::format("{} holds no Ed25519 public key in PEM form", path.string()));
  }
  return key;
}

std::string id_of(EVP_PKEY* key) {
  std::array<unsigned char, kRawKeyBytes> raw{};
  std::size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(key, raw.data(), &size) != 1) throw std::runtime_error("a public key cannot be read");
  const auto hash = hash_of({std::string_view(reinterpret_cast<const char*>(raw.data()), size)});
  return std::string(domain::view_of(hash).substr(0, kKeyIdBytes));
}

bool verifies(EVP_PKEY* key, std::string_view signature, std::string_view message) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(), bytes,
                          message.size()) == 1;
}

Problem wrong_signature(std::string message) {
  return Problem::invalid_field(nlohmann::json::array({"body", "signature"}), std::move(message), "value_error");
}

}  // namespace

SignatureKeys::SignatureKeys(const std::vector<std::filesystem::path>& files, bool required) : required_(required) {
  for (const auto& file : files) {
    auto key = read_key(file);
    auto id = id_of(key.get());
    keys_.push_back({std::move(id), std::move(key)});
  }
  if (required_ && keys_.empty()) throw std::runtime_error("signatures are required, and no key is configured to verify them");
}

std::optional<Problem> SignatureKeys::check(domain::FirmwareRegistered& record) const {
  if (record.signature.empty()) {
    if (!required_) return std::nullopt;
    return wrong_signature("a signature is required: Ed25519 over the SHA-256, as base64");
  }
  if (keys_.empty()) return std::nullopt;
  for (const auto& [id, key] : keys_) {
    if (!verifies(key.get(), record.signature, domain::view_of(record.sha256))) continue;
    record.signature_key = id;
    return std::nullopt;
  }
  return wrong_signature(fmt::format("the signature over the SHA-256 {} is of none of the {} configured keys",
                                     domain::to_hex(domain::view_of(record.sha256)), keys_.size()));
}

}  // namespace ota::http
