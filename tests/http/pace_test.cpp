#include "http/pace.hpp"

#include <doctest/doctest.h>

using namespace ota::http;
using namespace std::chrono_literals;

namespace {

const Pace kPace{.grace = 30s, .bytes_per_s_min = 1'000, .silence_max = 60s};
const SteadyClock::time_point kPaceBegin{};

}  // namespace

TEST_CASE("a peer has some time to begin with, and every byte earns more") {
  PaceWatch watch(kPace, kPaceBegin);
  CHECK(watch.deadline() == kPaceBegin + 30s);
  watch.moved(5'000, kPaceBegin + 1s);
  CHECK(watch.deadline() == kPaceBegin + 35s);
  for (int i = 0; i < 500; ++i) watch.moved(1, kPaceBegin + 2s);
  CHECK(watch.deadline() == kPaceBegin + 35s + 500ms);
}

TEST_CASE("nobody saves up more than the longest silence") {
  PaceWatch watch(kPace, kPaceBegin);
  watch.moved(100'000'000, kPaceBegin + 1s);
  CHECK(watch.deadline() == kPaceBegin + 61s);
  watch.moved(1, kPaceBegin + 50s);
  CHECK(watch.deadline() == kPaceBegin + 61s + 1ms);
}

TEST_CASE("who keeps the pace is never cut off, for days") {
  PaceWatch watch(kPace, kPaceBegin);
  SteadyClock::time_point now = kPaceBegin;
  for (int i = 0; i < 10'000; ++i) {
    now += 20s;
    REQUIRE(watch.deadline() > now);
    watch.moved(20'000, now);
  }
}

TEST_CASE("who falls behind the pace is cut off") {
  PaceWatch watch(kPace, kPaceBegin);
  SteadyClock::time_point now = kPaceBegin;
  while (watch.deadline() > now) {
    now += 10s;
    watch.moved(1'000, now);
  }
  CHECK(now == kPaceBegin + 40s);
}
