#include "tools/otasim/latency.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ota::sim {

// Values below 16 have a bucket each; above, the 4 bits behind the leading one choose among 16 of
// its power.
std::size_t LatencyHistogram::bucket_of(std::uint64_t us) {
  constexpr std::uint64_t kLimit = (std::uint64_t{1} << kPowersMax) - 1;
  us = std::min(us, kLimit);
  if (us < (1U << kSubBits)) return us;
  const auto shift = static_cast<unsigned>(std::bit_width(us)) - 1 - kSubBits;
  return ((shift + 1) << kSubBits) + ((us >> shift) - (1U << kSubBits));
}

std::uint64_t LatencyHistogram::upper_bound(std::size_t bucket) {
  if (bucket < (1U << kSubBits)) return bucket;
  const std::size_t shift = (bucket >> kSubBits) - 1;
  const std::uint64_t first = (bucket & ((1U << kSubBits) - 1)) + (1U << kSubBits);
  return ((first + 1) << shift) - 1;
}

void LatencyHistogram::add(std::chrono::microseconds value) {
  const std::int64_t us = std::max<std::int64_t>(0, value.count());
  ++buckets_[bucket_of(static_cast<std::uint64_t>(us))];
  ++count_;
  max_us_ = std::max(max_us_, us);
}

std::chrono::microseconds LatencyHistogram::percentile(double percent) const {
  if (count_ == 0) return std::chrono::microseconds{0};
  const auto rank = static_cast<std::uint64_t>(
      std::max(1.0, std::ceil(static_cast<double>(count_) * percent / 100.0)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank) {
      const auto bound = static_cast<std::int64_t>(upper_bound(bucket));
      return std::chrono::microseconds{std::min(bound, max_us_)};
    }
  }
  return max();
}

}  // namespace ota::sim
