// A recall: zero grants from that event on, in whatever status the campaign is (decision 2).
#include "tests/domain/campaign/canary.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;
using enum VerdictDecision;

namespace {

using Reach = CancelUpdate::Reach;

const FirmwareRecalled kRecall{"it bricks frames"};
const CampaignPaused kStopped{"firmware Smart Frame 2.1.0 is recalled", PauseCause::kRecalled, {}};
const CampaignFinished kGivenUp{"firmware Smart Frame 2.1.0 is recalled", false};

std::vector<Fact> running(std::vector<Fact> more = {}) {
  return std::vector<Fact>{created({1, 2, 3, 4}), CampaignStarted{}} + more;
}

void check_told(const std::vector<Fact>& facts, std::vector<std::uint32_t> ordinals, Reach reach,
                CancelCause cause) {
  const auto cancels = given(facts).due().cancels;
  REQUIRE(cancels.size() == ordinals.size());
  for (std::size_t i = 0; i < ordinals.size(); ++i) {
    CHECK(cancels[i].update == UpdateId::in_campaign(kCampaign, {ordinals[i]}));
    CHECK(cancels[i].reach == reach);
    CHECK(cancels[i].cause == cause);
  }
}

void refused(const std::vector<Fact>& facts, const CampaignCommand& command,
             std::string_view what) {
  const auto decision = decide(given(facts).campaign(), command, given(facts).context());
  REQUIRE_FALSE(decision);
  CHECK(decision.error().code == ErrorCode::kStateTransition);
  CHECK(decision.error().message == "the campaign cannot " + std::string(what) +
                                        ": its firmware Smart Frame 2.1.0 is recalled");
}

}  // namespace

TEST_CASE("decision 2: a recall pauses the running campaign with its reason, once") {
  given(running({kRecall})).own_events().then({kStopped});
  // What is not granted yet is cancelled: there is no way back from a recall.
  given(running({kRecall, kStopped})).own_events().then({kGivenUp});
  const auto over = running({kRecall, kStopped, kGivenUp});
  CHECK(given(over).campaign().pending() == 0);
  CHECK(given(over).campaign().status == CampaignStatus::kPaused);
  const auto s = given(running({kRecall, kStopped})).campaign();
  CHECK(s.status == CampaignStatus::kPaused);
  CHECK(s.pause_cause == PauseCause::kRecalled);
  CHECK(s.status_reason == kStopped.reason);
}

TEST_CASE("decision 2: from the recall on nobody is granted, before the pause is written either") {
  const auto scenario = given(running({kRecall}));
  CHECK(is_waiting(ask_for(scenario, ask_of(1)), Gate::kRunning).fact ==
        "the firmware is recalled");
  CHECK_FALSE(room(scenario.campaign(), {}, kNow).for_first_attempts);
  CHECK_FALSE(room(scenario.campaign(), {}, kNow).for_retries);
  auto newest = ask_of(1);
  newest.facts.firmware_version = "9.0.0";
  is_waiting(ask_for(scenario, newest), Gate::kRunning);
  is_waiting(ask_for(given(running({kRecall, kStopped})), ask_of(1)), Gate::kRunning);
}

TEST_CASE("decision 2: with recalled firmware a campaign neither starts, resumes nor is promoted") {
  refused({created({1}), kRecall}, StartCampaign{}, "start");
  refused(running({kRecall, kStopped}), ResumeCampaign{}, "resume");
  refused(running({CampaignPaused{"lunch"}, kRecall}), ResumeCampaign{}, "resume");
  refused(canary("..") + std::vector<Fact>{kRecall}, PromoteCampaign{}, "promote");
}

TEST_CASE("decision 2: updates not yet installing are told to stop, as decision 24 has it") {
  const auto facts = running({of(1, first_grant()), of(2, first_grant()), of(2, succeeded()),
                              of(3, first_grant()), of(3, failed_until(kNow)), kRecall});
  check_told(facts, {1}, Reach::kNotInstalling, CancelCause::kRecalled);
  check_told(facts + std::vector<Fact>{kStopped}, {1}, Reach::kNotInstalling,
             CancelCause::kRecalled);
  CHECK(given(facts).due(set_of({1})).cancels.empty());
  CHECK(given(facts).due({}, 0).cancels.empty());
  // What waits for its retry is told as soon as the campaign has given up on it.
  CHECK(given(facts).campaign().retries.contains(3));
  check_told(facts + std::vector<Fact>{kStopped, kGivenUp}, {1, 3}, Reach::kNotInstalling, CancelCause::kRecalled);
}

TEST_CASE("a recall while the campaign is paused leaves the pause as it is") {
  const auto facts = running({of(1, first_grant()), CampaignPaused{"lunch"}, kRecall});
  CHECK(given(facts).campaign().status_reason == "lunch");
  given(facts).own_events().then({kGivenUp});
  check_told(facts, {1}, Reach::kNotInstalling, CancelCause::kRecalled);
}

TEST_CASE("a recall while the campaign is scheduled ends it before it has started") {
  const std::vector<Fact> facts{created({1}), CampaignScheduled{kNow}};
  given(facts).own_events().then({CampaignStarted{}});
  const auto recalled = facts + std::vector<Fact>{kRecall};
  given(recalled).own_events().then({kGivenUp});
  given(recalled + std::vector<Fact>{kGivenUp})
      .own_events()
      .then({CampaignClosed{CampaignStatus::kCompleted, threshold(kPass, 0, 0)}});
  CHECK(wakes_at(given(recalled).campaign(), kNow) == std::nullopt);
  given(recalled).when(CancelCampaign{"recalled"}).then({CampaignCancelled{"recalled"}});
  given(recalled).when(FinishCampaign{"recalled"}).then({CampaignFinished{"recalled", false}});
}

TEST_CASE("a recall while the campaign is created is met at its start") {
  given({created({1}), kRecall}).own_events().then_nothing();
  CHECK(given({created({1}), kRecall}).due().cancels.empty());
}

TEST_CASE("a recall in the middle of a canary pauses it; what comes in still judges it") {
  auto facts = canary("r???") + std::vector<Fact>{kRecall};
  given(facts).own_events().then({kStopped});
  facts = facts + std::vector<Fact>{kStopped, kGivenUp, of(1, failed_for_good())};
  given(facts).own_events().then_nothing();  // 2 of 4 abort nothing
  facts.push_back(of(2, failed_for_good()));
  given(facts).own_events().then(
      {rolled_back(evidence(kAbort, 3, 4))});
}

TEST_CASE("a recalled campaign that is cancelled or finished comes to its end") {
  const auto stopped = running({of(1, first_grant()), of(1, succeeded()), kRecall, kStopped});
  given(stopped + std::vector<Fact>{CampaignCancelled{"recalled"}})
      .own_events()
      .then({CampaignClosed{CampaignStatus::kCancelled, threshold(kPass, 0, 1)}});
  given(stopped + std::vector<Fact>{CampaignFinished{"recalled", false}})
      .own_events()
      .then({CampaignClosed{CampaignStatus::kCompleted, threshold(kPass, 0, 1)}});
}

TEST_CASE("a recalled campaign whose last device ends closes by itself") {
  const std::vector<Fact> facts{
      created({1}), CampaignStarted{}, of(1, first_grant()),
      kRecall,      kStopped,          kGivenUp, of(1, UpdateCancelled{CancelCause::kRecalled, 1, 0, false})};
  given(facts).own_events().then(
      {CampaignClosed{CampaignStatus::kCompleted, threshold(kPass, 0, 0)}});
}

TEST_CASE("a recall behind a finish stops what is granted, which the finish had left to run") {
  const auto facts = running({of(1, first_grant()), of(2, first_grant()), of(2, failed_until(kNow)),
                              CampaignFinished{"enough", false}, kRecall});
  check_told(facts, {1, 2}, Reach::kNotInstalling, CancelCause::kRecalled);
  given(facts).own_events().then({kStopped});
}

TEST_CASE(
    "a recall behind an abort reaches as far as any recall; behind a cancel nothing changes") {
  const auto granted = running({of(1, first_grant())});
  check_told(granted + std::vector<Fact>{CampaignAborted{}, kRecall}, {1}, Reach::kNotInstalling,
             CancelCause::kRecalled);
  check_told(granted + std::vector<Fact>{CampaignCancelled{"no"}, kRecall}, {1},
             Reach::kNotInstalling, CancelCause::kCampaignCancelled);
}

TEST_CASE("the scheduled_end of a recalled campaign finishes it") {
  auto p = policy();
  p.scheduled_end = kNow;
  given({created({1}, p), CampaignStarted{}, kRecall, kStopped})
      .own_events()
      .then({CampaignFinished{"scheduled_end has passed", true}});
}

TEST_CASE("a recall is for ever: restoring and deprecating events change nothing of it") {
  const auto facts = running({kRecall, FirmwareRestored{""}, FirmwareDeprecated{""}});
  CHECK(given(facts).campaign().firmware_recalled);
}

TEST_CASE("decision 2: deprecated firmware goes on in the campaigns that run") {
  const auto scenario = given(running({FirmwareDeprecated{"old"}}));
  scenario.own_events().then_nothing();
  is_granted(ask_for(scenario, ask_of(1)));
}
