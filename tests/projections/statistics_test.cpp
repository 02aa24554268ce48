#include <doctest/doctest.h>

#include "tests/projections/support.hpp"

namespace ota::projections {
namespace {

using namespace testing;

TEST_CASE("granted updates are counted by model and version, once, whatever their attempts") {
  ReadStory t;
  t.story.devices(0, 2);
  t.story.device(2);  // says nothing of itself
  t.story.campaign(campaign_id(1), set_of({0, 1, 2}));
  t.story.start(campaign_id(1));
  const auto update = [](std::uint32_t n) {
    return domain::UpdateId::in_campaign(campaign_id(1), {n});
  };
  t.story.grant(update(0), 0, 100);
  t.story.grant(update(2), 2, 101);
  t.story.fail(update(0), 0, "x", t.story.now());
  t.story.grant(update(0), 0, 102, 2);
  const auto s = t.read().statistics();
  using Counts = std::map<std::string, std::uint64_t>;
  CHECK(s.by_device_type == Counts{{"SF-100", 1}, {"unknown", 1}});
  CHECK(s.by_firmware_version == Counts{{"2.0.0", 2}});
  CHECK(s.devices == 3);
}

// What was created when, one by one.
struct Created {
  domain::Time at;
  bool failed;
  bool completed;
};

TEST_CASE("a period counts exactly what was created in it, wherever in a minute it begins") {
  ReadStory t;
  t.story.devices(0, 40);
  std::vector<Created> created;
  const std::vector<domain::Duration> pauses{seconds(7), seconds(50), minutes(59),
                                             hours(5),   hours(23),   hours(49)};
  for (std::uint8_t n = 0; n < 30; ++n) {
    t.story.wait(pauses[n % pauses.size()] + domain::Duration(n * 137'001));
    if (n % 5 == 0) {
      const auto c = static_cast<std::uint8_t>(n / 5);
      t.story.campaign(campaign_id(c), set_of({n, n + 1U, n + 2U}));
      t.story.start(campaign_id(c));
      const auto at = t.story.events()[t.story.events().size() - 2].time;
      const auto failing = domain::UpdateId::in_campaign(campaign_id(c), {n + 1U});
      t.story.wait(hours(30));  // what becomes of it later counts all the same
      t.story.grant(failing, n + 1U, 100);
      t.story.fail(failing, n + 1U, "flash");
      created.insert(created.end(), {{at, false, false}, {at, true, false}, {at, false, false}});
    } else {
      const auto id = direct_id(n);
      domain::UpdatePlan plan;
      plan.download_size = kFileBytes;
      t.story.tell({id, domain::UpdateRequested{plan}, device_id(n)});
      const auto at = t.story.events().back().time;
      if (n % 3 == 0) {
        t.story.grant(id, n, 200);
        t.story.succeed(id, n);
      }
      created.push_back({at, false, n % 3 == 0});
    }
  }
  auto& views = t.read();
  const auto check_between = [&](domain::Time from, domain::Time until) {
    Statistics expected;
    for (const auto& c : created) {
      if (c.at < from || c.at >= until) continue;
      ++expected.total_updates;
      expected.failed_updates += c.failed ? 1 : 0;
      expected.completed_updates += c.completed ? 1 : 0;
      expected.data_transferred += c.completed ? kFileBytes : 0;
    }
    const auto found = views.statistics_between(from, until);
    CHECK(found.total_updates == expected.total_updates);
    CHECK(found.failed_updates == expected.failed_updates);
    CHECK(found.completed_updates == expected.completed_updates);
    CHECK(found.data_transferred == expected.data_transferred);
  };
  const auto check = [&](domain::Time from) {
    check_between(from, domain::Time::max());
    for (const domain::Duration length :
         {domain::Duration(1), domain::Duration(seconds(30)), domain::Duration(minutes(1)),
          domain::Duration(minutes(90)), domain::Duration(hours(24)), domain::Duration(hours(200))}) {
      if (from > domain::Time{} && from < domain::Time::max() - hours(300)) check_between(from, from + length);
    }
  };
  for (const auto& c : created) {
    for (const domain::Duration off :
         std::initializer_list<domain::Duration>{-hours(24), -hours(1), -minutes(1), -seconds(1),
                                                 seconds(0), seconds(1), minutes(1), hours(1)}) {
      check(c.at + off);
      check(c.at + off + domain::Duration(1));
      check(c.at + off - domain::Duration(1));
      check(std::chrono::floor<minutes>(c.at + off));
      check(std::chrono::floor<std::chrono::days>(c.at + off));
    }
  }
  check(domain::Time::min());
  check(domain::Time{});
  check(domain::Time::max());
}

TEST_CASE("a failure that is retried is no failure of its period any more") {
  ReadStory t;
  t.story.devices(0, 1);
  t.story.tell({direct_id(0), domain::UpdateRequested{{}}, device_id(0)});
  const auto at = t.story.events().back().time;
  t.story.grant(direct_id(0), 0, 1);
  t.story.fail(direct_id(0), 0, "x");
  CHECK(t.read().statistics_between(at, domain::Time::max()).failed_updates == 1);
  t.story.tell({direct_id(0), domain::RetryAsked{1, 1, {}}, device_id(0)});
  CHECK(t.read().statistics_between(at, domain::Time::max()).failed_updates == 0);
  CHECK(t.views().statistics_between(std::chrono::floor<minutes>(at), domain::Time::max()).failed_updates == 0);
}

}  // namespace
}  // namespace ota::projections
