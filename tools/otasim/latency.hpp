// Percentiles of durations in constant memory: a histogram whose buckets are at most 1/16 wide. One
// thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace ota::sim {

class LatencyHistogram {
 public:
  void add(std::chrono::microseconds value);
  std::uint64_t count() const { return count_; }

  // Answers the upper bound of the bucket that holds this percentile (0-100); zero when empty.
  std::chrono::microseconds percentile(double percent) const;
  std::chrono::microseconds max() const { return std::chrono::microseconds{max_us_}; }

 private:
  static constexpr unsigned kSubBits = 4;     // 16 buckets for every power of two
  static constexpr unsigned kPowersMax = 36;  // 2^36 us are 19 hours: longer ones count as that
  static std::size_t bucket_of(std::uint64_t us);
  static std::uint64_t upper_bound(std::size_t bucket);

  std::array<std::uint64_t, (kPowersMax + 1) << kSubBits> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t max_us_ = 0;
};

}  // namespace ota::sim
