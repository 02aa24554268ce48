// Counts values by size, for whoever watches the service: fixed buckets, two additions a value, no lock. Any thread.
//
// Nothing of how it is shown is here: http renders it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ota::eventstore {

class Histogram {
 public:
  static constexpr std::size_t kBoundsMax = 16;
  // A value is in the first bucket whose bound it does not exceed, or in one behind the last. `bounds` ascend, are
  // 1..kBoundsMax, and stay where they are.
  explicit Histogram(std::span<const std::uint64_t> bounds) : bounds_(bounds) {}

  void record(std::uint64_t value) {
    std::size_t bucket = 0;
    while (bucket < bounds_.size() && value > bounds_[bucket]) ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }
  // In microseconds.
  void record(std::chrono::steady_clock::duration took) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    record(us < 0 ? 0 : static_cast<std::uint64_t>(us));
  }

  struct Reading {
    std::span<const std::uint64_t> bounds;
    std::vector<std::uint64_t> counts;  // of each bucket alone; one more than bounds
    std::uint64_t count = 0;            // of all of them
    std::uint64_t sum = 0;
  };
  Reading read() const {
    Reading reading{bounds_, {}, 0, sum_.load(std::memory_order_relaxed)};
    for (std::size_t i = 0; i <= bounds_.size(); ++i) {
      reading.counts.push_back(counts_[i].load(std::memory_order_relaxed));
      reading.count += reading.counts.back();
    }
    return reading;
  }

 private:
  const std::span<const std::uint64_t> bounds_;
  std::array<std::atomic<std::uint64_t>, kBoundsMax + 1> counts_{};
  std::atomic<std::uint64_t> sum_{0};
};

// Microseconds, from a fast disk's fsync to a stall.
inline constexpr std::array<std::uint64_t, 15> kTimeBoundsUs = {50,     100,     250,     500,     1'000,     2'500,     5'000, 10'000,
                                                                25'000, 50'000, 100'000, 250'000, 1'000'000, 2'500'000, 10'000'000};

}  // namespace ota::eventstore
