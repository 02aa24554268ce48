// The fleet stays within its polls a second.
#include "http/poll_pace.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

using namespace ota;
using namespace ota::http;
using namespace std::chrono_literals;

namespace {

constexpr domain::Time kPollsBegin{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)};

std::int64_t seconds(domain::Duration d) { return std::chrono::floor<std::chrono::seconds>(d).count(); }

}  // namespace

TEST_CASE("without a limit everybody sleeps as is set, and those that are awaited shorter") {
  PollPace pace({.polls_per_s = 0, .soon = 30s, .jitter_percent = 0});
  CHECK(pace.next("d", 5min, false, kPollsBegin) == 5min);
  CHECK(pace.next("d", 5min, true, kPollsBegin) == 30s);
  CHECK(pace.next("d", 10s, true, kPollsBegin) == 10s);
  CHECK(pace.next("d", 0s, false, kPollsBegin) == 1s);
  CHECK(seconds(pace.next("d", 100h, false, kPollsBegin)) == PollPace::kSeconds);
}

TEST_CASE("a fleet that woke at once comes back within its polls a second") {
  constexpr std::uint32_t kPerSecond = 100;
  PollPace pace({.polls_per_s = kPerSecond, .soon = 30s, .jitter_percent = 0});
  std::map<std::int64_t, std::uint32_t> due;
  for (int i = 0; i < 50'000; ++i) ++due[seconds(pace.next("d" + std::to_string(i), 60s, false, kPollsBegin))];
  std::uint32_t most = 0;
  for (const auto& [second, count] : due) most = std::max(most, count);
  CHECK(due.begin()->first == 60);
  CHECK(most == kPerSecond * (100 - PollPace::kKeptPercent) / 100);
  // As soon as that allows: without a gap.
  CHECK(due.size() == (50'000 + most - 1) / most);
  CHECK(due.rbegin()->first == 60 + static_cast<std::int64_t>(due.size()) - 1);
}

TEST_CASE("those that a campaign waits for find room beside a fleet that takes all it may") {
  PollPace pace({.polls_per_s = 100, .soon = 30s, .jitter_percent = 0});
  for (int i = 0; i < 20'000; ++i) pace.next("d" + std::to_string(i), 30s, false, kPollsBegin);
  std::map<std::int64_t, int> due;
  for (int i = 0; i < 50; ++i) ++due[seconds(pace.next("c" + std::to_string(i), 5min, true, kPollsBegin))];
  CHECK(due == std::map<std::int64_t, int>{{30, 25}, {31, 25}});
}

TEST_CASE("the fleet keeps to it as it goes on, whenever it comes") {
  constexpr int kDevices = 3'000;
  constexpr std::uint32_t kPerSecond = 20;
  PollPace pace({.polls_per_s = kPerSecond, .soon = 30s, .jitter_percent = 10});
  std::multimap<std::int64_t, int> calendar;
  for (int i = 0; i < kDevices; ++i) calendar.emplace(0, i);
  std::map<std::int64_t, std::uint32_t> polls;
  while (calendar.begin()->first < 2'000) {
    const auto [second, device] = *calendar.begin();
    calendar.erase(calendar.begin());
    if (second > 0) ++polls[second];
    const auto sleep = pace.next("d" + std::to_string(device), 60s, false, kPollsBegin + std::chrono::seconds(second),
                                 domain::Ordinal{static_cast<std::uint32_t>(device)});
    calendar.emplace(second + seconds(sleep), device);
  }
  for (const auto& [second, count] : polls) {
    CAPTURE(second);
    CHECK(count <= kPerSecond);
  }
}

TEST_CASE("sleeps differ by device, and are the same when a device asks again") {
  PollPace pace({.polls_per_s = 0, .soon = 30s, .jitter_percent = 10});
  std::map<std::int64_t, int> sleeps;
  for (int i = 0; i < 1'000; ++i) {
    const auto name = "d" + std::to_string(i);
    const auto sleep = pace.next(name, 300s, false, kPollsBegin);
    CHECK(sleep == pace.next(name, 300s, false, kPollsBegin + 1s));
    CHECK(sleep >= 270s);
    CHECK(sleep <= 330s);
    ++sleeps[seconds(sleep)];
  }
  CHECK(sleeps.size() > 50);
}

TEST_CASE("one that asks again and again has one place, and the others sleep no longer for it") {
  PollPace pace({.polls_per_s = 4, .soon = 30s, .jitter_percent = 0});
  auto now = kPollsBegin;
  for (int i = 0; i < 10'000; ++i) {
    now += 50ms;
    CHECK(pace.next("impatient", 60s, false, now, domain::Ordinal{7}) <= 61s);
  }
  CHECK(pace.next("other", 60s, false, now, domain::Ordinal{900'000}) == 60s);
  // It has given back what is still to come, not what others have by now where its old places were.
  CHECK(pace.next("impatient", 60s, false, now + 25h, domain::Ordinal{7}) == 60s);
  for (std::uint32_t i = 0; i < 3; ++i) pace.next("late", 60s, false, now + 25h, domain::Ordinal{i});
  CHECK(pace.next("one more", 60s, false, now + 25h, domain::Ordinal{8}) == 61s);
}

TEST_CASE("what was planned a day ago takes no room") {
  PollPace pace({.polls_per_s = 2, .soon = 30s, .jitter_percent = 0});
  for (int i = 0; i < 1'000; ++i) pace.next("d", 60s, false, kPollsBegin);
  CHECK(pace.next("d", 60s, false, kPollsBegin) > 60s);
  CHECK(pace.next("d", 60s, false, kPollsBegin + 24h) == 60s);
  CHECK(pace.next("d", 60s, false, kPollsBegin + 48h + 17s) == 60s);
}
