// How many bytes a second may go. Any thread.
//
// One moment is kept: until when what was sent already would take at that rate (the generic cell rate algorithm, in bytes).
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "http/pace.hpp"

namespace ota::http {

// 0: as fast as they go.
struct TransferRates {
  std::uint64_t each_bytes_per_s = 0;      // of one download
  std::uint64_t together_bytes_per_s = 0;  // of all of them
};

class Throttle {
 public:
  // What may go at once after a rest: a tenth of a second's worth, and a piece of a file at least.
  static constexpr std::uint64_t kBurstBytesMin = 64 * 1024;

  explicit Throttle(std::uint64_t bytes_per_s)
      : bytes_per_s_(bytes_per_s), burst_(bytes_per_s == 0 ? 0 : time_of(std::max(bytes_per_s / 10, kBurstBytesMin))) {}

  // How long to wait before anything more goes; zero: it may go now.
  SteadyClock::duration wait(SteadyClock::time_point now) const {
    if (bytes_per_s_ == 0) return {};
    return std::max(until_.load(std::memory_order_relaxed) - burst_ - now.time_since_epoch().count(), Ticks{0}) * Tick(1);
  }
  // So many have gone.
  void sent(std::uint64_t bytes, SteadyClock::time_point now) {
    if (bytes_per_s_ == 0) return;
    const Ticks cost = time_of(bytes);
    const Ticks present = now.time_since_epoch().count();
    Ticks before = until_.load(std::memory_order_relaxed);
    while (!until_.compare_exchange_weak(before, std::max(before, present) + cost, std::memory_order_relaxed)) {
    }
  }

 private:
  using Tick = SteadyClock::duration;
  using Ticks = Tick::rep;
  Ticks time_of(std::uint64_t bytes) const {
    const double s = static_cast<double>(bytes) / static_cast<double>(bytes_per_s_);
    return std::chrono::duration_cast<Tick>(std::chrono::duration<double>(s)).count();
  }

  const std::uint64_t bytes_per_s_;
  const Ticks burst_;
  std::atomic<Ticks> until_{0};
};

}  // namespace ota::http
