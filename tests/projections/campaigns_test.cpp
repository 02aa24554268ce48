#include <doctest/doctest.h>

#include "domain/rollout.hpp"
#include "tests/projections/support.hpp"

namespace ota::projections {
namespace {

using namespace testing;
using domain::CampaignStatus;

struct Numbers {
  std::uint32_t pending = 0, in_progress = 0, completed = 0, failed = 0, cancelled = 0;
  bool operator==(const Numbers&) const = default;
};
Numbers numbers(const Views& views) {
  const auto row = views.campaign(campaign_id(1));
  REQUIRE(row);
  const auto s = views.statistics();
  CHECK(s.total_updates == row->total);
  CHECK(s.pending_updates() == row->pending());
  CHECK(s.in_progress_updates == row->in_progress);
  CHECK(s.completed_updates == row->completed);
  CHECK(s.failed_updates == row->failed);
  CHECK(s.cancelled_updates == row->cancelled);
  return {row->pending(), row->in_progress, row->completed, row->failed, row->cancelled};
}

// Ten devices, a started campaign for all of them.
struct Running : ReadStory {
  explicit Running(domain::CampaignPolicy policy = {}) {
    story.devices(0, 10);
    domain::Bitmap all;
    all.addRange(0, 10);
    story.campaign(campaign_id(1), all, policy);
    story.start(campaign_id(1));
  }
};

TEST_CASE("a campaign's record is what was created, without the set") {
  ReadStory t;
  t.story.tell({campaign_id(1), campaign_record(set_of({1, 2, 3}), {}), {}}, domain::Caller{77});
  const auto created_at = t.story.events().back().time;
  auto& views = t.read();
  const auto row = views.campaign(campaign_id(1));
  REQUIRE(row);
  CHECK(row->id == campaign_id(1));
  CHECK(row->record.name == "spring");
  CHECK(row->record.picked == 3);
  CHECK(row->record.targets.empty());
  CHECK(row->status == CampaignStatus::kCreated);
  CHECK(row->created_by.token == 77);
  CHECK(row->created_at == created_at);
  CHECK(row->revision == 1);
  CHECK(row->total == 3);
  CHECK((views.targets(campaign_id(1)) == set_of({1, 2, 3})));
  CHECK(views.targets(campaign_id(2)).isEmpty());
  CHECK_FALSE(views.campaign(campaign_id(2)));
  CHECK(views.open_campaigns() == std::vector{campaign_id(1)});
  CHECK(views.statistics_between(created_at, domain::Time::max()).total_updates == 3);
}

TEST_CASE("operators' events move the status and the revision, reports do not") {
  Running t;
  auto row = t.read().campaign(campaign_id(1));
  CHECK(row->status == CampaignStatus::kInProgress);
  CHECK(row->revision == 2);
  CHECK(row->batch == 1);
  CHECK(row->started_at);
  t.story.tell({campaign_id(1), domain::CampaignPaused{"lunch"}, {}});
  row = t.read().campaign(campaign_id(1));
  CHECK(row->status == CampaignStatus::kPaused);
  CHECK(row->status_reason == "lunch");
  t.story.tell({campaign_id(1), domain::CampaignResumed{}, {}});
  t.story.grant(update(1), 1, 100);
  row = t.read().campaign(campaign_id(1));
  CHECK(row->revision == 4);
  t.story.begin(update(1), 1);
  row = t.read().campaign(campaign_id(1));
  CHECK(row->updated_at == t.story.events().back().time);
  t.story.progress(update(1), 1, domain::UpdateStatus::kDownloading);
  CHECK(t.read().campaign(campaign_id(1))->updated_at == row->updated_at);
}

TEST_CASE("updates are counted where they stand") {
  Running t;
  CHECK(numbers(t.read()) == Numbers{10, 0, 0, 0, 0});
  for (std::uint32_t n = 0; n < 5; ++n) t.story.grant(update(n), n, 100 + n);
  CHECK(numbers(t.read()) == Numbers{5, 5, 0, 0, 0});
  for (std::uint32_t n = 0; n < 4; ++n) t.story.begin(update(n), n);
  t.story.wait(seconds(90) + domain::Duration(250));
  t.story.succeed(update(0), 0);
  t.story.fail(update(1), 1, "flash", t.story.now() + minutes(1));
  t.story.fail(update(2), 2, "flash");
  t.story.tell({update(3), domain::UpdateCancelled{domain::CancelCause::kOperator, 1, 0, false},
                device_id(3)});
  t.story.tell({update(4), domain::GrantLapsed{1, 0, false}, device_id(4)});
  t.story.tell({update(5), domain::UpdateSkipped{domain::SkipReason::kAlreadyThere, "it runs it"},
                device_id(5)});
  CHECK(numbers(t.read()) == Numbers{6, 0, 1, 1, 2});
  const auto row = t.views().campaign(campaign_id(1));
  CHECK(row->update_us_total == 94'000'250);
  CHECK(row->error_codes == std::map<std::string, std::uint64_t>{{"flash", 2}});
  t.story.tell({update(2), domain::RetryAsked{1, 1, {}}, device_id(2)});
  CHECK(numbers(t.read()) == Numbers{7, 0, 1, 0, 2});
}

TEST_CASE("the summary leaves out what grows with a campaign") {
  Running t;
  t.story.grant(update(0), 0, 100, 1, 1);
  t.story.fail(update(0), 0, "flash", {}, 1, 1);
  t.read();
  const auto full = t.views().campaign(campaign_id(1));
  const auto summary = t.views().campaign_summary(campaign_id(1));
  CHECK(full->batches.size() == 1);
  CHECK(full->error_codes.size() == 1);
  CHECK(summary->batches.empty());
  CHECK(summary->error_codes.empty());
  CHECK(summary->failed == 1);
  CHECK(summary->record.name == full->record.name);
}

TEST_CASE("an end cancels at once whatever waits, and nothing is counted twice when it is told") {
  for (const bool aborted : {false, true}) {
    Running t;
    t.story.grant(update(0), 0, 100);
    t.story.begin(update(0), 0);
    t.story.grant(update(1), 1, 101);
    t.story.fail(update(1), 1, "flash", t.story.now() + minutes(5));
    if (aborted) {
      t.story.tell(
          {campaign_id(1), domain::CampaignAborted{domain::RollbackTrigger::kFailureRate, {}}, {}});
    } else {
      t.story.cancel(campaign_id(1));
    }
    CHECK(numbers(t.read()) == Numbers{0, 1, 0, 0, 9});
    CHECK(t.views().open_campaigns().size() == 1);
    t.story.tell({update(1),
                  domain::UpdateCancelled{domain::CancelCause::kCampaignAborted, 0, 0, false},
                  device_id(1)});
    CHECK(numbers(t.read()) == Numbers{0, 1, 0, 0, 9});
    // What fails now has no retry to wait for, whatever its own event says.
    t.story.fail(update(0), 0, "flash", t.story.now() + minutes(5));
    CHECK(numbers(t.read()) == Numbers{0, 0, 0, 0, 10});
    t.story.close(campaign_id(1), aborted ? CampaignStatus::kFailed : CampaignStatus::kCancelled);
    CHECK(numbers(t.read()) == Numbers{0, 0, 0, 0, 10});
    CHECK(t.views().open_campaigns().empty());
    CHECK(t.views().campaign(campaign_id(1))->closed);
    CHECK(t.views().campaign(campaign_id(1))->ended_at);
  }
}

TEST_CASE("a deleted device counts as cancelled, granted or not, and total stays") {
  Running t;
  t.story.grant(update(0), 0, 100);
  t.story.tell({device_id(7), domain::DeviceDeleted{"", {7}}, device_id(7)});
  CHECK(numbers(t.read()) == Numbers{8, 1, 0, 0, 1});
  t.story.tell({device_id(0), domain::DeviceDeleted{"", {0}}, device_id(0)});
  t.story.tell({update(0),
                domain::UpdateCancelled{domain::CancelCause::kDeviceDeleted, 1, 0, false},
                device_id(0)});
  CHECK(numbers(t.read()) == Numbers{8, 0, 0, 0, 2});
  // Its next ordinal is in no old campaign.
  t.story.tell(
      {device_id(7), domain::DeviceReturned{{10}, domain::RegisteredVia::kApi}, device_id(7)});
  t.story.tell({device_id(7), domain::DeviceDeleted{"", {10}}, device_id(7)});
  CHECK(numbers(t.read()) == Numbers{8, 0, 0, 0, 2});
}

TEST_CASE("an id that was made up for a device that is no target moves nothing") {
  Running t;
  t.story.device(20);
  const auto made_up = domain::UpdateId::in_campaign(campaign_id(1), {20});
  t.story.tell({made_up, domain::UpdateCancelled{domain::CancelCause::kOperator, 0, 0, false},
                device_id(20)});
  const auto rollback = domain::UpdateId::in_campaign(campaign_id(1), {1}, 1);
  t.story.grant(rollback, 1, 100);
  CHECK(numbers(t.read()) == Numbers{10, 0, 0, 0, 0});
  CHECK(t.views().update(made_up));
  CHECK(t.views().campaign_updates(campaign_id(1), {}, {}).rows.size() == 10);
  CHECK(t.views().statistics().rollbacks == 1);
}

TEST_CASE("batches count who was granted in them and how they ended; who lapses leaves") {
  domain::CampaignPolicy policy;
  policy.batch_size = 3;
  Running t(policy);
  for (std::uint32_t n = 0; n < 3; ++n) t.story.grant(update(n), n, 100 + n, 1, 1);
  t.story.succeed(update(0), 0, 1, 1);
  t.story.fail(update(1), 1, "flash", t.story.now() + minutes(1), 1, 1);
  t.story.tell({update(2), domain::GrantLapsed{1, 1, false}, device_id(2)});
  auto batch = t.read().campaign(campaign_id(1))->batches.at(1);
  CHECK(batch.granted == 2);
  CHECK(batch.completed == 1);
  CHECK(batch.failed == 0);
  t.story.tell({campaign_id(1), domain::BatchOpened{2}, {}});
  t.story.grant(update(2), 2, 110, 2, 2);
  t.story.grant(update(1), 1, 111, 2, 1);  // a retry belongs to its old batch
  t.story.fail(update(1), 1, "flash", {}, 2, 1);
  const auto row = t.read().campaign(campaign_id(1));
  CHECK(row->batch == 2);
  CHECK(row->batches.at(1).granted == 2);
  CHECK(row->batches.at(1).failed == 1);
  CHECK(row->batches.at(2).granted == 1);
}

TEST_CASE("targets that go ahead in parts are nothing until the campaign is created") {
  ReadStory t;
  t.story.devices(0, 6);
  t.story.tell(
      {campaign_id(1), domain::CampaignTargetPart{0, domain::to_bytes(set_of({0, 1, 2}))}, {}});
  CHECK_FALSE(t.read().campaign(campaign_id(1)));
  CHECK(t.views().open_campaigns().empty());
  CHECK(t.views().campaign_list({}, {}).rows.empty());
  t.story.tell(
      {campaign_id(1), domain::CampaignTargetPart{1, domain::to_bytes(set_of({3, 4, 5}))}, {}});
  t.story.tell({device_id(4), domain::DeviceDeleted{"", {4}}, device_id(4)});
  t.restart();
  auto record = campaign_record({}, {});
  record.targets.clear();
  record.parts = 2;
  record.withdrawn = domain::to_bytes(set_of({4}));
  t.story.tell({campaign_id(1), record, {}});
  CHECK(numbers(t.read()) == Numbers{5, 0, 0, 0, 1});
  CHECK((t.views().targets(campaign_id(1)) == set_of({0, 1, 2, 3, 4, 5})));
  CHECK(t.views().open_campaigns().size() == 1);
  const auto gone = t.views().update_or_pending(update(4));
  CHECK(gone->status == domain::UpdateStatus::kCancelled);
}

TEST_CASE("only the devices that the rollout percentage picks are targets") {
  ReadStory t;
  domain::Bitmap all;
  all.addRange(0, 200);
  const auto pick = domain::pick_percentage(campaign_id(1), all, 10);
  auto record = campaign_record(all, {});
  record.pick_cutoff = pick.cutoff;
  t.story.tell({campaign_id(1), record, {}});
  auto& views = t.read();
  CHECK(views.campaign(campaign_id(1))->total == 20);
  CHECK((views.targets(campaign_id(1)) == domain::picked(campaign_id(1), all, pick.cutoff)));
  CHECK(views.campaign_updates(campaign_id(1), {}, {100, 0, ""}).rows.size() == 20);
}

TEST_CASE("campaigns are listed newest first, by any filter, page by page") {
  ReadStory t;
  for (std::uint8_t n = 0; n < 12; ++n) {
    domain::CampaignPolicy policy;
    policy.priority = n % 3 ? domain::Priority::kNormal : domain::Priority::kHigh;
    auto record = campaign_record(set_of({n}), policy);
    record.firmware = firmware_id(n % 2);
    t.story.tell({campaign_id(n), record, {}});
    if (n % 4 == 0) t.story.start(campaign_id(n));
  }
  t.story.tell({campaign_id(8), domain::CampaignPaused{""}, {}});
  auto& views = t.read();
  const auto check = [&](const CampaignFilter& filter, const std::vector<std::uint8_t>& expected) {
    const auto ask = [&](const PageRequest& page) { return views.campaign_list(filter, page); };
    std::vector<domain::CampaignId> ids;
    for (const auto n : expected) ids.push_back(campaign_id(n));
    const auto shown = [](const std::vector<CampaignRow>& rows) {
      std::vector<domain::CampaignId> found;
      for (const auto& row : rows) found.push_back(row.id);
      return found;
    };
    CHECK((shown(by_cursor(ask, 2)) == ids));
    CHECK((shown(by_offset(ask, 2)) == ids));
    CHECK((shown(ask({50, 0, ""}).rows) == ids));
  };
  check({}, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
  check({CampaignStatus::kInProgress, {}, {}}, {4, 0});
  check({CampaignStatus::kPaused, {}, {}}, {8});
  check({{}, domain::Priority::kHigh, {}}, {9, 6, 3, 0});
  check({{}, {}, firmware_id(1)}, {11, 9, 7, 5, 3, 1});
  check({CampaignStatus::kCreated, domain::Priority::kHigh, firmware_id(0)}, {6});
  CHECK(views.campaign_list({}, {2, 0, "c12"}).bad_cursor);
  CHECK(views.statistics().campaigns ==
        std::map<CampaignStatus, std::uint64_t>{{CampaignStatus::kCreated, 9},
                                                {CampaignStatus::kInProgress, 2},
                                                {CampaignStatus::kPaused, 1}});
  CHECK(views.statistics().started_campaigns == 3);
}

TEST_CASE("a campaign without devices is complete in itself") {
  ReadStory t;
  t.story.campaign(campaign_id(1), {});
  t.story.start(campaign_id(1));
  t.story.close(campaign_id(1), CampaignStatus::kCompleted);
  const auto row = t.read().campaign(campaign_id(1));
  CHECK(row->total == 0);
  CHECK(row->status == CampaignStatus::kCompleted);
  CHECK(t.views().campaign_updates(campaign_id(1), {}, {}).rows.empty());
}

}  // namespace
}  // namespace ota::projections
