// The line that shows how far something is that takes its time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tools/otactl/progress_bar.hpp"

namespace ota::ctl {

// Redraws a line on a terminal, at most ten times a second; silent elsewhere.
class TransferProgress {
 public:
  // `what` is done: "upload".
  explicit TransferProgress(std::string what, Unit unit = Unit::kBytes);
  void operator()(std::int64_t done, std::int64_t total);

 private:
  std::string what_;
  Unit unit_;
  bool on_terminal_;
  bool finished_ = false;
  std::chrono::steady_clock::time_point shown_{};
  RateMeter rate_{std::chrono::seconds{5}};
};

}  // namespace ota::ctl
