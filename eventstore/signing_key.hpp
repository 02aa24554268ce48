// Ed25519 (RFC 8032): the key that signs what the log's proof tree has come to, and the check of its signatures.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace ota::eventstore {

using PublicKey = std::array<std::uint8_t, 32>;
inline constexpr std::size_t kSignatureBytes = 64;

// A private key. Immutable; any thread.
class SigningKey {
 public:
  static SigningKey make();
  // Reads a PEM file, or makes one for its owner's eyes alone, on disk before this returns. Throws std::runtime_error with a
  // sentence that names the file: it cannot be read or written, others may read it, or it holds no Ed25519 key.
  static SigningKey read_or_make(const std::filesystem::path& file);
  // Replaces the file in one step.
  void write(const std::filesystem::path& file) const;

  const PublicKey& public_key() const { return public_; }
  std::string sign(std::string_view message) const;

 private:
  explicit SigningKey(std::shared_ptr<EVP_PKEY> key);
  static SigningKey read(const std::filesystem::path& file);

  std::shared_ptr<EVP_PKEY> key_;
  PublicKey public_{};
};

// For bytes of any origin.
bool is_signature(const PublicKey& key, std::string_view message, std::string_view signature);

}  // namespace ota::eventstore
