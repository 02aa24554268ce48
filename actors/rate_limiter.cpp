#include "actors/rate_limiter.hpp"

#include <algorithm>

namespace ota::actors {
namespace {

RateLimiter::Clock::duration seconds(double s) {
  return std::chrono::duration_cast<RateLimiter::Clock::duration>(std::chrono::duration<double>(s));
}

}  // namespace

RateLimiter::RateLimiter(Rate rate, std::size_t keys_max)
    : limited_(rate.per_s > 0),
      each_(limited_ ? seconds(1 / rate.per_s) : Clock::duration(0)),
      burst_(limited_ ? seconds(std::max(rate.at_once, 1.0) / rate.per_s) : Clock::duration(0)),
      keys_in_shard_max_(std::max<std::size_t>(1, keys_max / kShards)) {}

RateLimiter::Clock::duration RateLimiter::take(std::uint64_t key, Clock::time_point now) {
  return ask(key, now, false, Clock::duration(0));
}

RateLimiter::Clock::duration RateLimiter::take_later(std::uint64_t key, Clock::time_point now, Clock::duration wait_max) {
  return ask(key, now, true, wait_max);
}

RateLimiter::Clock::duration RateLimiter::ask(std::uint64_t key, Clock::time_point now, bool in_any_case,
                                              Clock::duration wait_max) {
  if (!limited_) return Clock::duration(0);
  Shard& shard = shards_[key % kShards];
  const std::lock_guard lock(shard.mutex);
  auto found = shard.rested.find(key);
  const auto before = found == shard.rested.end() ? now : std::max(found->second, now);
  const auto after = before + each_;
  const auto wait = std::max(after - now - burst_, Clock::duration(0));
  if (wait > Clock::duration(0) && !in_any_case) return wait;
  if (found == shard.rested.end()) {
    if (shard.rested.size() >= keys_in_shard_max_) make_room(shard, now);
    found = shard.rested.emplace(key, now).first;
  }
  // A debt that nobody waits for any more would only grow.
  found->second = std::min(after, now + burst_ + wait_max);
  return std::min(wait, in_any_case ? wait_max : wait);
}

// In one go: a shard that is full is looked through once for many new keys.
void RateLimiter::make_room(Shard& shard, Clock::time_point now) const {
  std::erase_if(shard.rested, [&](const auto& entry) { return entry.second <= now; });
  if (shard.rested.size() < keys_in_shard_max_) return;
  // Everybody is busy: the half that owes least is let go.
  const auto middle = now + burst_ / 2;
  std::erase_if(shard.rested, [&](const auto& entry) { return entry.second <= middle; });
  if (shard.rested.size() >= keys_in_shard_max_) shard.rested.clear();
}

std::size_t RateLimiter::size() const {
  std::size_t size = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    size += shard.rested.size();
  }
  return size;
}

}  // namespace ota::actors
