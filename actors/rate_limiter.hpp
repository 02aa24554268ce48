// How often somebody may ask: so many a second on average, and so many at once. Any thread.
//
// Of each key one moment is kept (the generic cell rate algorithm), of at most so many keys: what has rested for
// long enough needs none, and of more those that rested longest are forgotten.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace ota::actors {

struct Rate {
  double per_s = 0;    // 0: no limit
  double at_once = 1;  // after a rest
};

class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kKeysMax = 200'000;

  explicit RateLimiter(Rate rate, std::size_t keys_max = kKeysMax);

  // Takes one for `key`. Returns zero if there was one; else none is taken, and there is one after that time.
  Clock::duration take(std::uint64_t key, Clock::time_point now);
  // Takes one in any case; returns how long to wait before it is used, at most `wait_max`.
  Clock::duration take_later(std::uint64_t key, Clock::time_point now, Clock::duration wait_max);
  std::size_t size() const;

 private:
  struct Shard {
    mutable std::mutex mutex;
    // When the key has rested: from then on everything may be had at once.
    std::unordered_map<std::uint64_t, Clock::time_point> rested;
  };
  Clock::duration ask(std::uint64_t key, Clock::time_point now, bool in_any_case, Clock::duration wait_max);
  void make_room(Shard& shard, Clock::time_point now) const;

  static constexpr std::size_t kShards = 16;
  const bool limited_;
  const Clock::duration each_;   // what one costs
  const Clock::duration burst_;  // what may be owed
  const std::size_t keys_in_shard_max_;
  std::array<Shard, kShards> shards_;
};

}  // namespace ota::actors
