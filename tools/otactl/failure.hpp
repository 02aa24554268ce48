// How a command ends badly: with a message for stderr and an exit code. Thrown by commands, caught
// in main only.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace ota::ctl {

inline constexpr int kExitFailed = 1;  // the service refused, or what was watched ended badly
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnreachable = 3;  // no answer from the service

class Failure : public std::runtime_error {
 public:
  Failure(int exit_code, const std::string& message)
      : std::runtime_error(message), exit_code_(exit_code) {}
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// Puts an error answer of the service into words: kind and message, each bad field on its own line,
// then the request id. A body that is not the service's error shape is quoted, shortened. Pure.
std::string describe_error(long status, std::string_view body);

}  // namespace ota::ctl
