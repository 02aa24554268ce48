#include <doctest/doctest.h>

#include "tests/projections/support.hpp"

namespace ota::projections {
namespace {

using namespace testing;
using domain::UpdateStatus;

std::vector<std::uint32_t> ordinals_of(const std::vector<domain::DeviceUpdate>& updates) {
  std::vector<std::uint32_t> ordinals;
  for (const auto& u : updates) ordinals.push_back(u.id.ordinal.value);
  return ordinals;
}

TEST_CASE("a target shows its update before it has any event") {
  ReadStory t;
  t.story.devices(0, 3);
  domain::CampaignPolicy policy;
  policy.priority = domain::Priority::kCritical;
  policy.max_retries = 7;
  t.story.campaign(campaign_id(1), set_of({0, 1}), policy);
  auto& views = t.read();
  const auto created_at = views.campaign(campaign_id(1))->created_at;
  auto u = views.update_or_pending(update(1));
  REQUIRE(u);
  CHECK_FALSE(u->exists);
  CHECK(u->status == UpdateStatus::kCreated);
  CHECK(u->device == device_id(1));
  CHECK(u->created_at == created_at);
  CHECK(u->plan.to_version == "2.0.0");
  CHECK(u->plan.firmware == firmware_id(1));
  CHECK(u->plan.priority == domain::Priority::kCritical);
  CHECK(u->plan.max_retries == 7);
  CHECK(u->plan.download_size == kFileBytes);
  CHECK_FALSE(views.update(update(1)));
  CHECK_FALSE(views.update_or_pending(update(2)));  // no target
  CHECK_FALSE(views.update_or_pending(update(1, 9)));
  CHECK_FALSE(views.update_or_pending(direct_id(1)));
  CHECK_FALSE(views.update_or_pending(domain::UpdateId::in_campaign(campaign_id(1), {1}, 1)));

  t.story.start(campaign_id(1));
  CHECK(t.read().update_or_pending(update(1))->status == UpdateStatus::kScheduled);
  t.story.tell({campaign_id(1), domain::CampaignPaused{""}, {}});
  CHECK(t.read().update_or_pending(update(1))->status == UpdateStatus::kScheduled);
  t.story.cancel(campaign_id(1));
  u = t.read().update_or_pending(update(1));
  CHECK(u->status == UpdateStatus::kCancelled);
  CHECK(u->completed_at == t.story.events().back().time);
}

TEST_CASE("an update's row is its fold, created with its campaign") {
  ReadStory t;
  t.story.devices(0, 2);
  t.story.campaign(campaign_id(1), set_of({1}));
  const auto created_at = t.story.events().back().time;
  t.story.start(campaign_id(1));
  t.story.wait(hours(5));
  t.story.grant(update(1), 1, 100);
  t.story.begin(update(1), 1);
  t.story.progress(update(1), 1, UpdateStatus::kInstalling);
  auto& views = t.read();
  const auto u = views.update(update(1));
  REQUIRE(u);
  CHECK(u->exists);
  CHECK(u->status == UpdateStatus::kInstalling);
  CHECK(u->created_at == created_at);
  CHECK(u->attempt == 1);
  CHECK(u->device == device_id(1));
  CHECK(u->plan.from_version == "1.0.0");
  CHECK(u->position.value == t.story.events().size());
  CHECK(views.update_or_pending(update(1))->status == UpdateStatus::kInstalling);
}

TEST_CASE("what was skipped or cancelled before any grant shows its campaign's plan") {
  ReadStory t;
  t.story.devices(0, 3);
  t.story.campaign(campaign_id(1), set_of({0, 1}));
  t.story.start(campaign_id(1));
  t.story.tell(
      {update(0), domain::UpdateSkipped{domain::SkipReason::kAlreadyThere, "it is"}, device_id(0)});
  t.story.tell(
      {update(1), domain::UpdateCancelled{domain::CancelCause::kOperator, 0, 0, false}, {}});
  auto& views = t.read();
  CHECK(views.update(update(0))->plan.to_version == "2.0.0");
  CHECK(views.update(update(0))->error_code == "already_there");
  CHECK(views.update(update(1))->device == device_id(1));  // no tag names it, its ordinal does
  CHECK(views.device_updates(device_id(1), {}).rows.size() == 1);
}

TEST_CASE("the action of each attempt leads to its update") {
  ReadStory t;
  t.story.devices(0, 2);
  t.story.campaign(campaign_id(1), set_of({0, 1}));
  t.story.grant(update(1), 1, 100);
  t.story.fail(update(1), 1, "flash", t.story.now());
  t.story.grant(update(1), 1, 101, 2);
  auto& views = t.read();
  CHECK(views.action(device_id(1), {100})->update == update(1));
  CHECK(views.action(device_id(1), {100})->attempt == 1);
  CHECK(views.action(device_id(1), {101})->attempt == 2);
  CHECK_FALSE(views.action(device_id(1), {102}));
  CHECK_FALSE(views.action(device_id(0), {100}));
}

// ---- a campaign's list --------------------------------------------------------------------------

// Twelve targets far apart, in every state that a list tells apart.
struct Mixed : ReadStory {
  std::vector<std::uint32_t> all{0,     3,     63,     64,     4'095,     4'096,
                                 4'097, 8'191, 70'000, 70'001, 1'000'000, 4'000'000'000U};
  std::map<std::uint32_t, UpdateStatus> expected;

  Mixed() {
    domain::Bitmap targets;
    for (const auto n : all) {
      targets.add(n);
      story.device(n);
      expected[n] = UpdateStatus::kScheduled;
    }
    story.campaign(campaign_id(1), targets);
    story.start(campaign_id(1));
    const auto grant = [&](std::uint32_t n) {
      story.grant(update(n), n, 100);
      expected[n] = UpdateStatus::kInProgress;
    };
    grant(64);
    grant(4'095);
    story.succeed(update(4'095), 4'095);
    expected[4'095] = UpdateStatus::kCompleted;
    grant(4'096);
    story.fail(update(4'096), 4'096, "flash");
    expected[4'096] = UpdateStatus::kFailed;
    grant(8'191);
    story.fail(update(8'191), 8'191, "flash", story.now() + minutes(1));
    expected[8'191] = UpdateStatus::kScheduled;
    for (const auto n : {63U, 70'000U}) {
      story.tell({device_id(n), domain::DeviceDeleted{"", {n}}, device_id(n)});
      expected[n] = UpdateStatus::kCancelled;
    }
    grant(1'000'000);
    story.tell({update(1'000'000),
                domain::UpdateCancelled{domain::CancelCause::kOperator, 1, 0, false},
                device_id(1'000'000)});
    expected[1'000'000] = UpdateStatus::kCancelled;
  }

  void check() {
    auto& v = read();
    const auto list = [&](std::optional<UpdateStatus> status) {
      return [&v, status](const PageRequest& page) {
        return v.campaign_updates(campaign_id(1), status, page);
      };
    };
    for (const std::size_t limit : {1U, 2U, 5U, 100U}) {
      CHECK(ordinals_of(by_cursor(list({}), limit)) == all);
      CHECK(ordinals_of(by_offset(list({}), limit)) == all);
    }
    for (int s = 1; s <= 11; ++s) {
      const auto status = static_cast<UpdateStatus>(s);
      std::vector<std::uint32_t> matching;
      for (const auto n : all) {
        if (expected[n] == status) matching.push_back(n);
      }
      for (const std::size_t limit : {1U, 3U, 100U}) {
        CHECK(ordinals_of(by_cursor(list(status), limit)) == matching);
        CHECK(ordinals_of(by_offset(list(status), limit)) == matching);
      }
    }
    for (const auto& u : by_cursor(list({}), 4)) {
      CHECK(u.status == expected[u.id.ordinal.value]);
      CHECK(u.device == device_id(u.id.ordinal.value));
      CHECK(v.update_or_pending(u.id)->status == u.status);
      CHECK(u.created_at == v.campaign(campaign_id(1))->created_at);
    }
  }
};

TEST_CASE("a campaign's list has every target once, by ordinal, whatever its state") {
  Mixed t;
  t.check();
  t.story.tell({campaign_id(1), domain::CampaignPaused{""}, {}});
  t.check();
  t.story.cancel(campaign_id(1));
  for (const auto n : {0U, 3U, 4'097U, 70'001U, 4'000'000'000U})
    t.expected[n] = UpdateStatus::kCancelled;
  t.check();  // 8191 waits for a retry: its own event will say that it is over
}

TEST_CASE("a campaign's list that has not started shows its targets as created") {
  ReadStory t;
  t.story.devices(0, 3);
  t.story.campaign(campaign_id(1), set_of({0, 1, 2}));
  auto& views = t.read();
  CHECK(views.campaign_updates(campaign_id(1), UpdateStatus::kCreated, {}).rows.size() == 3);
  CHECK(views.campaign_updates(campaign_id(1), UpdateStatus::kScheduled, {}).rows.empty());
  CHECK(views.campaign_updates(campaign_id(2), {}, {}).rows.empty());
  CHECK(views.campaign_updates(campaign_id(1), {}, {1, 0, "u0"}).bad_cursor);
  CHECK(views.campaign_updates(campaign_id(1), {}, {1, 0, "d00000000"}).bad_cursor);
  CHECK(views.campaign_updates(campaign_id(1), {}, {1, 0, "uffffffff"}).rows.empty());
}

// ---- a device's history -------------------------------------------------------------------------

TEST_CASE(
    "a device's history shows what waits in running campaigns, then what began, newest first") {
  ReadStory t;
  t.story.devices(0, 2);
  for (std::uint8_t c = 1; c <= 5; ++c) {
    t.story.campaign(campaign_id(c), c == 5 ? set_of({0}) : set_of({0, 1}));
    if (c != 4) t.story.start(campaign_id(c));
  }
  t.story.grant(update(1, 2), 1, 100);
  t.story.succeed(update(1, 2), 1);
  t.story.tell({direct_id(1), domain::UpdateRequested{{}}, device_id(1)});
  t.story.tell({campaign_id(3), domain::CampaignPaused{""}, {}});
  auto& views = t.read();
  const auto ask = [&](const PageRequest& page) {
    return views.device_updates(device_id(1), page);
  };
  // 4 has not started, 5 does not want this device.
  const std::vector expected{update(1, 3), update(1, 1), direct_id(1), update(1, 2)};
  const auto ids_of = [](const std::vector<domain::DeviceUpdate>& updates) {
    std::vector<domain::UpdateId> ids;
    for (const auto& u : updates) ids.push_back(u.id);
    return ids;
  };
  for (const std::size_t limit : {1U, 2U, 3U, 4U, 10U}) {
    CHECK((ids_of(by_cursor(ask, limit)) == expected));
    CHECK((ids_of(by_offset(ask, limit)) == expected));
  }
  CHECK(ask({1, 0, "h00"}).bad_cursor);
  CHECK(views.device_updates(device_id(9), {}).rows.empty());
  t.story.tell({device_id(1), domain::DeviceDeleted{"", {1}}, device_id(1)});
  CHECK((ids_of(t.read().device_updates(device_id(1), {}).rows) ==
         std::vector{direct_id(1), update(1, 2)}));
}

TEST_CASE("direct updates are listed by status and counted by themselves") {
  ReadStory t;
  t.story.devices(0, 3);
  domain::UpdatePlan plan;
  plan.firmware = firmware_id(1);
  plan.to_version = "3.0.0";
  plan.download_size = 500;
  for (std::uint8_t n = 0; n < 3; ++n)
    t.story.tell({direct_id(n), domain::UpdateRequested{plan}, device_id(n)});
  const auto requested_at = t.read().update(direct_id(0))->created_at;
  CHECK(t.views().direct_updates(UpdateStatus::kScheduled, {}).rows.size() == 3);
  t.story.grant(direct_id(1), 1, 100);
  t.story.succeed(direct_id(1), 1);
  auto& views = t.read();
  const auto ask = [&](const PageRequest& page) {
    return views.direct_updates(UpdateStatus::kScheduled, page);
  };
  CHECK(by_cursor(ask, 1).size() == 2);
  CHECK(views.direct_updates(UpdateStatus::kCompleted, {}).rows.front().id == direct_id(1));
  CHECK(ask({1, 0, "t00"}).bad_cursor);
  const auto s = views.statistics();
  CHECK(s.total_updates == 3);
  CHECK(s.pending_updates() == 2);
  CHECK(s.completed_updates == 1);
  CHECK(s.data_transferred == 500);
  CHECK(s.by_firmware_version == std::map<std::string, std::uint64_t>{{"3.0.0", 1}});
  CHECK(views.statistics_between(requested_at, domain::Time::max()).total_updates == 3);
  CHECK(views.statistics_between(requested_at, domain::Time::max()).data_transferred == 500);
}

}  // namespace
}  // namespace ota::projections
