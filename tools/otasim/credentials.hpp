// How each device says who it is: its own token, else the gateway's, else nothing.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace ota::sim {

class Credentials {
 public:
  Credentials() = default;

  // Reads `target_tokens_file` (empty: none has its own). Throws with the line that is wrong.
  Credentials(std::string gateway_token, const std::string& target_tokens_file);

  // Answers the device's own token; empty: it has none.
  std::string token_of(const std::string& device) const;

  // Answers the whole header line, with its end, or nothing.
  std::string header_of(const std::string& device) const;

 private:
  std::string gateway_token_;
  std::unordered_map<std::string, std::string> tokens_;  // by device
};

// Reads lines of "device_id token"; blank lines are passed over. Throws with the number of the line
// that is no such pair, or that names a device again. Pure.
std::unordered_map<std::string, std::string> parse_target_tokens(std::string_view text);

}  // namespace ota::sim
