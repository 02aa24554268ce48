#include "actors/rate_limiter.hpp"

#include <doctest/doctest.h>

using ota::actors::Rate;
using ota::actors::RateLimiter;
using namespace std::chrono_literals;

namespace {

const RateLimiter::Clock::time_point kBegin{1'000s};

int taken(RateLimiter& limiter, std::uint64_t key, RateLimiter::Clock::time_point now, int tries = 1'000) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += limiter.take(key, now) == 0s ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("so many at once after a rest, so many a second from then on") {
  RateLimiter limiter(Rate{10, 30});
  CHECK(taken(limiter, 1, kBegin) == 30);
  CHECK(taken(limiter, 1, kBegin + 1s) == 10);
  CHECK(taken(limiter, 1, kBegin + 1'500ms) == 5);
  CHECK(taken(limiter, 1, kBegin + 100s) == 30);
}

TEST_CASE("whoever is refused is told when there is one") {
  RateLimiter limiter(Rate{2, 1});
  CHECK(limiter.take(1, kBegin) == 0s);
  const auto wait = limiter.take(1, kBegin);
  CHECK(wait == 500ms);
  CHECK(limiter.take(1, kBegin + wait) == 0s);
}

TEST_CASE("one does not pay for another") {
  RateLimiter limiter(Rate{1, 1});
  CHECK(limiter.take(1, kBegin) == 0s);
  CHECK(limiter.take(2, kBegin) == 0s);
  CHECK(limiter.take(1, kBegin) > 0s);
}

TEST_CASE("what must not be refused waits, each for longer than the one before, up to a bound") {
  RateLimiter limiter(Rate{1, 1});
  CHECK(limiter.take_later(1, kBegin, 3s) == 0s);
  CHECK(limiter.take_later(1, kBegin, 3s) == 1s);
  CHECK(limiter.take_later(1, kBegin, 3s) == 2s);
  CHECK(limiter.take_later(1, kBegin, 3s) == 3s);
  CHECK(limiter.take_later(1, kBegin, 3s) == 3s);
  // The debt has a bound as well.
  CHECK(limiter.take_later(1, kBegin + 10s, 3s) == 0s);
}

TEST_CASE("no rate is no limit") {
  RateLimiter limiter(Rate{0, 1});
  CHECK(taken(limiter, 1, kBegin) == 1'000);
  CHECK(limiter.size() == 0);
}

TEST_CASE("a million strangers take no more memory than is set") {
  RateLimiter limiter(Rate{1, 5}, 1'600);
  for (std::uint64_t key = 0; key < 1'000'000; ++key) limiter.take(key, kBegin);
  CHECK(limiter.size() <= 1'600);
}
