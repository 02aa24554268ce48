// How much a device may say, and when it is told that this was too much.
#include "gateways/mqtt/up_limits.hpp"

#include <doctest/doctest.h>

using namespace ota;
using gateways::mqtt::UpLimits;
using Verdict = UpLimits::Verdict;
using namespace std::chrono_literals;

namespace {

constexpr UpLimits::Clock::time_point kNow{1'000s};
constexpr domain::Time kSaid{1'780'000'000s};

struct Counts {
  int welcome = 0;
  int refused = 0;
  int dropped = 0;
};

Counts say(UpLimits& limits, std::string_view device, int messages, domain::Time said_at, UpLimits::Clock::time_point now) {
  Counts counts;
  for (int i = 0; i < messages; ++i) {
    switch (limits.judge(device, said_at, now)) {
      case Verdict::kWelcome: ++counts.welcome; break;
      case Verdict::kRefuse: ++counts.refused; break;
      case Verdict::kDrop: ++counts.dropped; break;
    }
  }
  return counts;
}

}  // namespace

TEST_CASE("what a device says beyond its rate is refused, and it is told so once a second, however much it says") {
  UpLimits limits({20, 200});
  const auto loud = say(limits, "loud", 20'000, kSaid, kNow);
  CHECK(loud.welcome == 200);
  CHECK(loud.refused == 1);
  CHECK(loud.dropped == 19'799);
  CHECK(say(limits, "quiet", 1, kSaid, kNow).welcome == 1);
  const auto later = say(limits, "loud", 1'000, kSaid + 1s, kNow + 1s);
  CHECK(later.welcome == 20);
  CHECK(later.refused == 1);
}

TEST_CASE("what was said over hours is no surplus, though all of it is read at once") {
  UpLimits limits({20, 200});
  for (int second = 0; second < 3'600; ++second) CHECK(say(limits, "honest", 10, kSaid + std::chrono::seconds(second), kNow).welcome == 10);
}

TEST_CASE("a broker's clock that is set back keeps nobody refused for that long") {
  UpLimits limits({20, 200});
  CHECK(say(limits, "pump", 201, kSaid, kNow).welcome == 200);
  CHECK(say(limits, "pump", 1, kSaid - 1h, kNow).welcome == 0);
  CHECK(say(limits, "pump", 30, kSaid - 1h + 1s, kNow).welcome == 20);
}

TEST_CASE("without a rate a device may say what it likes") {
  UpLimits limits({0, 0});
  CHECK(say(limits, "loud", 20'000, kSaid, kNow).welcome == 20'000);
}
