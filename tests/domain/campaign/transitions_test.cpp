// Operators' commands: each from the statuses that allow it, each once.
#include <doctest/doctest.h>

#include "domain/rollout.hpp"
#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

const auto kCreated = created({1, 2, 3});

// A campaign in every status that operators meet.
Given in_created() { return given({kCreated}); }
Given in_progress() { return given({kCreated, CampaignStarted{}}); }
Given in_paused() { return given({kCreated, CampaignStarted{}, CampaignPaused{"lunch"}}); }
Given in_cancelled() { return given({kCreated, CampaignStarted{}, CampaignCancelled{"no"}}); }
Given in_failed() { return given({kCreated, CampaignStarted{}, CampaignAborted{}}); }
Given in_completed() { return given({kCreated, CampaignStarted{}, CampaignClosed{}}); }

template <class Command>
void refuse(const Given& campaign, const Command& command, std::vector<std::string> allowed) {
  const auto error = campaign.when(command).then_error(ErrorCode::kStateTransition);
  CHECK(error.current_state == to_text(campaign.campaign().status));
  CHECK(error.allowed == allowed);
}

}  // namespace

TEST_CASE("BR-CON-002: a campaign is created by one event, once") {
  given({}).when(CreateCampaign{kCampaign, kCreated, {}}).then({kCreated});
  in_created().when(CreateCampaign{kCampaign, created({9}), {}}).then_nothing();
}

TEST_CASE("design 4: a big set of targets goes ahead in parts, until the campaign is there") {
  const CampaignTargetPart part{0, to_bytes(set_of({1, 2}))};
  given({}).when(AddTargetPart{part}).then_each_time({part});
  in_created().when(AddTargetPart{part}).then_nothing();
}

TEST_CASE("a campaign is started from created, once") {
  in_created().when(StartCampaign{}).then({CampaignStarted{}});
  // It took effect, whatever became of the campaign since: said again, it writes nothing.
  for (const auto& campaign : {in_progress(), in_paused(), in_cancelled(), in_failed(), in_completed()}) {
    campaign.when(StartCampaign{}).then_nothing();
  }
  refuse(given({kCreated, CampaignCancelled{"no"}}), StartCampaign{}, {"created"});
}

TEST_CASE("a campaign is paused while it is in progress, once") {
  in_progress().when(PauseCampaign{"lunch"}).then({CampaignPaused{"lunch"}});
  in_paused().when(PauseCampaign{"dinner"}).then_nothing();
  for (const auto& campaign : {in_created(), in_cancelled(), in_failed(), in_completed()}) {
    refuse(campaign, PauseCampaign{"lunch"}, {"in_progress"});
  }
}

TEST_CASE("a paused campaign is resumed, once") {
  in_paused().when(ResumeCampaign{}).then({CampaignResumed{}});
  in_progress().when(ResumeCampaign{}).then_nothing();
  for (const auto& campaign : {in_created(), in_cancelled(), in_failed(), in_completed()}) {
    refuse(campaign, ResumeCampaign{}, {"paused"});
  }
}

TEST_CASE("a campaign is cancelled until it has ended, once") {
  for (const auto& campaign : {in_created(), in_progress(), in_paused()}) {
    campaign.when(CancelCampaign{"no"}).then({CampaignCancelled{"no"}});
  }
  in_cancelled().when(CancelCampaign{"still no"}).then_nothing();
  for (const auto& campaign : {in_failed(), in_completed()}) {
    refuse(campaign, CancelCampaign{"no"}, {"created", "scheduled", "in_progress", "paused"});
  }
}

TEST_CASE("what was never created is not found") {
  given({}).when(StartCampaign{}).then_error(ErrorCode::kNotFound);
  given({}).when(PauseCampaign{}).then_error(ErrorCode::kNotFound);
  given({}).when(ResumeCampaign{}).then_error(ErrorCode::kNotFound);
  const auto error = given({}).when(CancelCampaign{}).then_error(ErrorCode::kNotFound);
  CHECK(error.message == "Campaign not found: " + to_text(kCampaign));
  // Parts without their creation are nothing.
  given({CampaignTargetPart{0, to_bytes(set_of({1}))}})
      .when(StartCampaign{})
      .then_error(ErrorCode::kNotFound);
}

TEST_CASE("the state after creation and start") {
  auto record = created({1, 2, 3});
  record.description = "for all";
  const auto s = given({at(kBefore, record), at(kNow, CampaignStarted{})}).campaign();
  CHECK(s.exists);
  CHECK(s.id == kCampaign);
  CHECK(s.name == "spring");
  CHECK(s.description == "for all");
  CHECK(s.firmware == kFirmware);
  CHECK(s.firmware_name == "Smart Frame");
  CHECK(s.facts == facts());
  CHECK(s.policy == policy());
  CHECK(s.status == CampaignStatus::kInProgress);
  CHECK(s.targets == set_of({1, 2, 3}));
  CHECK(s.total() == 3);
  CHECK(s.pending() == 3);
  CHECK(s.batch == 1);
  CHECK(s.created_by == Caller{7});
  CHECK(s.created_at == kBefore);
  CHECK(s.started_at == kNow);
  CHECK_FALSE(s.ended_at);
  CHECK(s.revision == 2);
  CHECK(s.position == Position{2});
}

TEST_CASE("a pause keeps its reason until it is resumed") {
  CHECK(in_paused().campaign().status_reason == "lunch");
  const auto s =
      given({kCreated, CampaignStarted{}, CampaignPaused{"lunch"}, CampaignResumed{}}).campaign();
  CHECK(s.status == CampaignStatus::kInProgress);
  CHECK(s.status_reason.empty());
  CHECK(s.revision == 4);
}

TEST_CASE("the targets are the parts and the rest together") {
  const auto s = given({CampaignTargetPart{0, to_bytes(set_of({1, 2}))},
                        CampaignTargetPart{1, to_bytes(set_of({70'000}))}, created({3})})
                     .campaign();
  CHECK(s.targets == set_of({1, 2, 3, 70'000}));
}

TEST_CASE("BR-OTA-015: the rollout percentage leaves the devices up to the stored cut-off") {
  Bitmap hundred;
  hundred.addRange(0, 100);
  auto record = created(hundred);
  const auto pick = pick_percentage(kCampaign, hundred, 30);
  record.pick_cutoff = pick.cutoff;
  record.picked = pick.count;
  const auto s = given({record}).campaign();
  CHECK(s.total() == 30);
  CHECK(s.targets == picked(kCampaign, hundred, pick.cutoff));
}
