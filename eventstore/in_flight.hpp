// Appends between append() and their completion, and for how long none of them has ended. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>

namespace ota::eventstore {

class InFlight {
 public:
  using Clock = std::chrono::steady_clock;

  void begin() {
    if (count() == 0) note_move();  // before it counts: whoever looks then must not see the last move of long ago
    count_.fetch_add(1, std::memory_order_release);
  }
  void end() {
    note_move();
    count_.fetch_sub(1, std::memory_order_relaxed);
  }
  std::size_t count() const { return count_.load(std::memory_order_acquire); }
  // Zero while there is nothing that could end.
  Clock::duration stalled_for() const {
    if (count() == 0) return Clock::duration::zero();
    return Clock::now().time_since_epoch() - Clock::duration(moved_at_.load(std::memory_order_relaxed));
  }

 private:
  void note_move() { moved_at_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed); }

  std::atomic<std::size_t> count_{0};
  std::atomic<Clock::rep> moved_at_{0};
};

}  // namespace ota::eventstore
