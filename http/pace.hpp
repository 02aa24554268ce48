// How slow a peer may be: some time to begin with, then a least number of bytes a second on
// average, and never silent for long, however much it has moved before.
//
// One rule for bodies, answers and downloads: an upload of 500 MB may take days over a thin line, a
// sender of one byte a minute is cut off all the same, and so is a reader that stands still.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ota::http {

using SteadyClock = std::chrono::steady_clock;

struct Pace {
  std::chrono::milliseconds grace{30'000};
  std::uint64_t bytes_per_s_min = 1024;
  std::chrono::milliseconds silence_max{60'000};
};

// Measures one message against a pace.
class PaceWatch {
 public:
  explicit PaceWatch(Pace pace, SteadyClock::time_point now = SteadyClock::now())
      : pace_(pace), deadline_(now + pace.grace) {}
  // Every byte earns its time, but nobody saves up more than the longest silence.
  void moved(std::uint64_t bytes, SteadyClock::time_point now = SteadyClock::now()) {
    constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;
    const std::chrono::nanoseconds earned(bytes * kNanosecondsPerSecond / pace_.bytes_per_s_min);
    deadline_ = std::min<SteadyClock::time_point>(deadline_ + earned, now + pace_.silence_max);
  }
  // We let the peer wait: that is no slowness of its own.
  void forgive(SteadyClock::duration time) { deadline_ += time; }
  // When the peer is too slow unless more bytes have moved by then.
  SteadyClock::time_point deadline() const { return deadline_; }

 private:
  Pace pace_;
  SteadyClock::time_point deadline_;
};

}  // namespace ota::http
