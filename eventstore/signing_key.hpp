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
  // Reads a PEM file. Throws std::runtime_error with a sentence that names the file: it cannot be read, others may read it, or
  // it holds no Ed25519 key.
  static SigningKey read(const std::filesystem::path& file);
  // Writes one for its owner's eyes alone, or replaces it in one step; on disk before this returns. Throws
  // std::runtime_error if it cannot.
  void write(const std::filesystem::path& file) const;

  const PublicKey& public_key() const { return public_; }
  std::string sign(std::string_view message) const;

 private:
  explicit SigningKey(std::shared_ptr<EVP_PKEY> key);

  std::shared_ptr<EVP_PKEY> key_;
  PublicKey public_{};
};

// Puts a key's file in the place of another, on disk before this returns. Throws std::runtime_error if it cannot.
void move_durably(const std::filesystem::path& from, const std::filesystem::path& to);

// For bytes of any origin.
bool is_signature(const PublicKey& key, std::string_view message, std::string_view signature);

}  // namespace ota::eventstore
