// How slow a peer may be: some time to begin with, then a least number of bytes a second on
// average.
//
// One rule for bodies, answers and downloads: an upload of 500 MB may take days over a thin line, a
// sender of one byte a minute is cut off all the same.
#pragma once

#include <chrono>
#include <cstdint>

namespace ota::http {

using SteadyClock = std::chrono::steady_clock;

struct Pace {
  std::chrono::milliseconds grace{30'000};
  std::uint64_t bytes_per_s_min = 1024;
};

// Measures one message against a pace.
class PaceWatch {
 public:
  explicit PaceWatch(Pace pace) : pace_(pace), began_(SteadyClock::now()) {}
  void moved(std::uint64_t bytes) { bytes_ += bytes; }
  // We let the peer wait: that is no slowness of its own.
  void forgive(SteadyClock::duration time) { began_ += time; }
  // When the peer is too slow unless more bytes have moved by then.
  SteadyClock::time_point deadline() const {
    return began_ + pace_.grace + std::chrono::milliseconds(bytes_ * 1000 / pace_.bytes_per_s_min);
  }

 private:
  Pace pace_;
  SteadyClock::time_point began_;
  std::uint64_t bytes_ = 0;
};

}  // namespace ota::http
