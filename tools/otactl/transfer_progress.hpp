// The line that shows how far a file has been sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tools/otactl/progress_bar.hpp"

namespace ota::ctl {

// Redraws a line on a terminal, at most ten times a second; silent elsewhere.
class TransferProgress {
 public:
  // `what` is done with the file: "upload".
  explicit TransferProgress(std::string what);
  void operator()(std::int64_t done, std::int64_t total);

 private:
  std::string what_;
  bool on_terminal_;
  bool finished_ = false;
  std::chrono::steady_clock::time_point shown_{};
  RateMeter rate_{std::chrono::seconds{5}};
};

}  // namespace ota::ctl
