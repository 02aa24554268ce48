// How fast a throttled download may read. Time is given. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ota::sim {

class Pace {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Pace(std::int64_t bytes_per_s, TimePoint begun) : bytes_per_s_(bytes_per_s), begun_(begun) {}

  // Most that may be read at once: a tenth of a second's worth, so that the rate is even.
  std::int64_t bytes_at_once() const { return std::max<std::int64_t>(1, bytes_per_s_ / 10); }

  void took(std::int64_t bytes) { taken_ += bytes; }

  // Answers from when on the next bytes may be read.
  TimePoint next() const {
    const double seconds = static_cast<double>(taken_) / static_cast<double>(bytes_per_s_);
    return begun_ +
           std::chrono::duration_cast<TimePoint::duration>(std::chrono::duration<double>(seconds));
  }

 private:
  std::int64_t bytes_per_s_;
  TimePoint begun_;
  std::int64_t taken_ = 0;
};

}  // namespace ota::sim
