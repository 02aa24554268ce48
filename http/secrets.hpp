// What is made of the service's secret: the tokens of devices, and signed links. Pure; any thread.
//
// None of it is stored: whatever was given out can be made again and compared. Of each purpose the key is another one,
// derived from the secret and the purpose's name, so that none can be had from another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ota::http {

// Whether two texts are equal, in a time that does not tell where they differ.
bool equal_secrets(std::string_view given, std::string_view wanted);

// HMAC-SHA-256, 32 bytes.
std::string keyed_hash(std::string_view key, std::string_view message);

class Secrets {
 public:
  static constexpr std::size_t kBytes = 32;
  // `secret` of kBytes random bytes.
  explicit Secrets(std::string_view secret);

  // A device's token of this generation: 32 hex digits, as other servers of the protocol have them.
  std::string device_token(std::string_view device_id, std::uint32_t generation) const;
  // The signature of a link that is good until then, in seconds since 1970: 32 hex digits. `subject` is what may be had
  // through it.
  std::string link_signature(std::string_view subject, std::int64_t expires_s) const;

 private:
  std::string device_key_;
  std::string link_key_;
};

}  // namespace ota::http
