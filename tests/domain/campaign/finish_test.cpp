// Finish: what is not granted is cancelled, the rest runs to its end (decision 11).
#include "tests/domain/campaign/canary.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;
using enum VerdictDecision;

namespace {

using Reach = CancelUpdate::Reach;

const CampaignFinished kEnough{"good enough", false};

std::vector<Fact> running(std::vector<Fact> more = {}) {
  return std::vector<Fact>{created({1, 2, 3, 4}), CampaignStarted{}} + more;
}

// The first has completed, the second runs, the third waits for its retry.
std::vector<Fact> midway() {
  return running({of(1, first_grant()), of(1, succeeded()), of(2, first_grant()),
                  of(3, first_grant()), of(3, failed_until(kNow + hours(1)))});
}
std::vector<Fact> finished() { return midway() + std::vector<Fact>{kEnough}; }

}  // namespace

TEST_CASE("decision 11: a campaign that is scheduled, runs or is paused is finished, once") {
  const std::vector<std::vector<Fact>> open = {{created({1}), CampaignScheduled{kNow + hours(1)}},
                                               running(),
                                               running({CampaignPaused{"lunch"}})};
  for (const auto& facts : open) {
    given(facts).when(FinishCampaign{"good enough"}).then({kEnough});
    given(facts + std::vector<Fact>{kEnough}).when(FinishCampaign{"again"}).then_nothing();
  }
  given(running({CampaignClosed{}})).when(FinishCampaign{"again"}).then_nothing();
  given(running({kEnough, CampaignAborted{}})).when(FinishCampaign{"again"}).then_nothing();
}

TEST_CASE("a campaign that was not started, was cancelled or has failed is not finished") {
  for (const auto& facts : {std::vector<Fact>{created({1})}, running({CampaignCancelled{"no"}}),
                            running({CampaignAborted{}})}) {
    const auto error =
        given(facts).when(FinishCampaign{"enough"}).then_error(ErrorCode::kStateTransition);
    CHECK(error.allowed == std::vector<std::string>{"scheduled", "in_progress", "paused"});
  }
  given({}).when(FinishCampaign{"enough"}).then_error(ErrorCode::kNotFound);
}

TEST_CASE("decision 11: finished, what waits is cancelled and what is granted runs on") {
  const auto s = given(finished()).campaign();
  CHECK(s.status == CampaignStatus::kInProgress);
  CHECK(s.finished);
  CHECK(s.takes_nobody());
  CHECK(s.status_reason == "good enough");
  CHECK(s.completed == set_of({1}));
  CHECK(s.granted == set_of({2}));
  CHECK(s.cancelled == set_of({3, 4}));
  CHECK(s.retries.empty());
  CHECK(s.untold == set_of({3}));
  CHECK(s.pending() == 0);
  given(finished()).own_events().then_nothing();
}

TEST_CASE("nobody is granted by a campaign that is finished") {
  const auto scenario = given(finished());
  for (const std::uint32_t o : {1u, 2u, 3u, 4u}) {
    is_waiting(ask_for(scenario, ask_of(o)), Gate::kTargeted);
  }
  CHECK_FALSE(room(scenario.campaign(), {}, kNow).for_first_attempts);
  CHECK_FALSE(room(scenario.campaign(), {}, kNow).for_retries);
}

TEST_CASE("finished, only who waits in a stream of its own is told, never who is granted") {
  const auto due = given(finished()).due();
  REQUIRE(due.cancels.size() == 1);
  CHECK(due.cancels[0].update == UpdateId::in_campaign(kCampaign, {3}));
  CHECK(due.cancels[0].reach == Reach::kNotInstalling);
  CHECK(due.cancels[0].cause == CancelCause::kFinished);
  CHECK(given(finished()).due(set_of({3})).cancels.empty());
  CHECK(given(finished()).due({}, 0).cancels.empty());
}

TEST_CASE("a finished campaign closes when all have ended and been told, by its threshold") {
  const auto told =
      finished() + std::vector<Fact>{of(3, UpdateCancelled{CancelCause::kFinished, 0, 0, false})};
  given(told).own_events().then_nothing();
  given(finished() + std::vector<Fact>{of(2, succeeded())}).own_events().then_nothing();
  given(told + std::vector<Fact>{of(2, succeeded())})
      .own_events()
      .then({CampaignClosed{CampaignStatus::kCompleted, threshold(kPass, 0, 2)}});
  given(running({kEnough}))
      .own_events()
      .then({CampaignClosed{CampaignStatus::kCompleted, threshold(kPass, 0, 0)}});
}

TEST_CASE("a finished campaign whose devices fail is aborted, or fails, like any other") {
  auto p = policy();
  for (const bool rolls_back : {true, false}) {
    p.auto_rollback = rolls_back;
    const std::vector<Fact> facts{created({1, 2}, p), CampaignStarted{}, of(1, first_grant()),
                                  kEnough, of(1, failed_for_good())};
    const auto verdict = threshold(kAbort, 1, 1);  // the other one will not finish
    if (rolls_back) {
      given(facts).own_events().then({rolled_back(verdict)});
    } else {
      given(facts).own_events().then({CampaignClosed{CampaignStatus::kFailed, verdict}});
    }
  }
}

TEST_CASE("an attempt that fails or lapses behind the finish is not retried: cancelled, and told") {
  const Fact late_ends[] = {failed_until(kNow), GrantLapsed{}, GrantLapsed{1, 0, true}};
  for (const auto& late : late_ends) {
    const auto facts = finished() + std::vector<Fact>{of(2, late)};
    const auto s = given(facts).campaign();
    CHECK(s.cancelled == set_of({2, 3, 4}));
    CHECK(s.untold == set_of({2, 3}));
    CHECK(s.retries.empty());
    CHECK(s.pending() == 0);
    CHECK(given(facts).due().cancels.size() == 2);
  }
}

TEST_CASE("a retry that is written behind an end is cancelled, and told, not granted") {
  const Fact ends[] = {kEnough, CampaignCancelled{"no"}, CampaignAborted{}, CampaignClosed{}};
  for (const auto& end : ends) {
    const auto facts = running(
        {of(1, first_grant()), of(1, failed_for_good()), end, of(1, RetryAsked{1, 1, plan()})});
    const auto s = given(facts).campaign();
    CHECK(s.pending() == 0);
    CHECK(s.cancelled.contains(1));
    CHECK(s.untold == set_of({1}));
    CHECK(given(facts).due().cancels.size() == 1);
    is_waiting(ask_for(given(facts), ask_of(1)), Gate::kTargeted);
  }
}

TEST_CASE("a first grant that lapsed before the finish is told of it") {
  const auto facts = running({of(1, first_grant()), of(1, GrantLapsed{}), kEnough});
  CHECK(given(facts).campaign().untold == set_of({1}));
  CHECK(given(facts).due().cancels.size() == 1);
}

TEST_CASE("a device that is deleted behind the finish ends by its own event") {
  const auto facts =
      finished() +
      std::vector<Fact>{in(kDevice, DeviceDeleted{"", {2}}),
                        of(2, UpdateCancelled{CancelCause::kDeviceDeleted, 1, 0, false})};
  CHECK(given(facts).campaign().cancelled == set_of({2, 3, 4}));
  CHECK(given(facts).campaign().granted.isEmpty());
}

TEST_CASE("a finished campaign is still paused, resumed and cancelled") {
  given(finished()).when(PauseCampaign{"lunch"}).then({CampaignPaused{"lunch"}});
  given(finished() + std::vector<Fact>{CampaignPaused{"lunch"}})
      .when(ResumeCampaign{})
      .then({CampaignResumed{}});
  given(finished()).when(CancelCampaign{"no"}).then({CampaignCancelled{"no"}});
  const auto cancelled = given(finished() + std::vector<Fact>{CampaignCancelled{"no"}});
  CHECK(cancelled.due().cancels.size() == 2);  // now who is granted, too
}

TEST_CASE("finishing in the middle of a canary ends the judging: the threshold counts") {
  // Two of three would abort the canary.
  given(canary("rr?") + std::vector<Fact>{kEnough}).own_events().then_nothing();
  given(canary(times(17, '.')) + std::vector<Fact>{kEnough})
      .own_events()
      .then({CampaignClosed{CampaignStatus::kCompleted, threshold(kPass, 0, 17)}});
}

TEST_CASE("a finished campaign opens no batch") {
  auto p = canary_policy();
  p.strategy = Strategy::kStaged;
  Bitmap targets;
  targets.addRange(0, 20);
  const auto facts = std::vector<Fact>{created(targets, p), CampaignStarted{}} + faring(".....");
  given(facts).own_events().then({BatchOpened{2}});
  const auto due = given(facts + std::vector<Fact>{kEnough}).own_events();
  due.then({CampaignClosed{CampaignStatus::kCompleted, threshold(kPass, 0, 5)}});
}
