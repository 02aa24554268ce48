// A campaign that begins and ends by the clock (decisions 7, 19; design, section 4).
#include "tests/domain/campaign/canary.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

CampaignPolicy scheduled(std::optional<Time> start, std::optional<Time> end = {}) {
  auto p = policy();
  p.strategy = Strategy::kScheduled;
  p.scheduled_start = start;
  p.scheduled_end = end;
  return p;
}

const Time kStart = kNow + hours(1);
const Time kEnd = kNow + hours(2);

std::vector<Fact> waiting(const CampaignPolicy& p = scheduled(kStart, kEnd)) {
  return {created({1, 2, 3}, p), CampaignScheduled{kStart}};
}
std::vector<Fact> running(const CampaignPolicy& p = scheduled({}, kEnd)) {
  return {created({1, 2, 3}, p), CampaignStarted{}};
}

const CampaignFinished kByTheClock{"scheduled_end has passed", true};

}  // namespace

TEST_CASE("decision 19: a campaign with a scheduled_start in the future goes to scheduled, once") {
  const auto record = created({1, 2, 3}, scheduled(kStart));
  given({record}).when(StartCampaign{}).then({CampaignScheduled{kStart}});
  const auto s = given(waiting()).campaign();
  CHECK(s.status == CampaignStatus::kScheduled);
  CHECK(s.starts_at == kStart);
  CHECK_FALSE(s.started_at);
  given(waiting()).when(StartCampaign{}).then_nothing();
  auto any_strategy = policy();
  any_strategy.scheduled_start = kStart;
  given({created({1}, any_strategy)}).when(StartCampaign{}).then({CampaignScheduled{kStart}});
}

TEST_CASE("a scheduled_start that has come starts at once") {
  given({created({1}, scheduled(kNow))}).when(StartCampaign{}).then({CampaignStarted{}});
  given({created({1}, scheduled(kBefore))}).when(StartCampaign{}).then({CampaignStarted{}});
}

TEST_CASE("who had not begun when scheduled_end came is told so") {
  const auto ended = given(running() + std::vector<Fact>{kByTheClock});
  CHECK(cause_of_end(ended.campaign()) == CancelCause::kScheduledEnd);
}

TEST_CASE("a campaign whose scheduled_end has passed does not start") {
  for (const auto end : {kNow, kBefore}) {
    const auto error = given({created({1}, scheduled({}, end))})
                           .when(StartCampaign{})
                           .then_error(ErrorCode::kStateTransition);
    CHECK(error.message == "the campaign cannot start: its scheduled_end has passed");
  }
}

TEST_CASE("a scheduled campaign starts by itself when its time has come, not before") {
  given(waiting()).now(kStart - seconds(1)).own_events().then_nothing();
  given(waiting()).now(kStart).own_events().then({CampaignStarted{}});
  given(waiting()).now(kStart + minutes(5)).own_events().then({CampaignStarted{}});
  auto facts = waiting();
  facts.push_back(at(kStart, CampaignStarted{}));
  given(facts).now(kStart).own_events().then_nothing();
  CHECK(given(facts).campaign().started_at == kStart);
}

TEST_CASE("a scheduled campaign grants nobody") {
  const auto scenario = given(waiting());
  CHECK(is_waiting(ask_for(scenario, ask_of(1)), Gate::kRunning).fact ==
        "the campaign is scheduled");
  CHECK_FALSE(room(scenario.campaign(), {}, kNow).for_retries);
}

TEST_CASE("a scheduled campaign is neither paused nor resumed; it is cancelled or finished") {
  CHECK(
      given(waiting()).when(PauseCampaign{"no"}).then_error(ErrorCode::kStateTransition).allowed ==
      std::vector<std::string>{"in_progress"});
  given(waiting()).when(ResumeCampaign{}).then_error(ErrorCode::kStateTransition);
  given(waiting()).when(CancelCampaign{"no"}).then({CampaignCancelled{"no"}});
  given(waiting()).when(FinishCampaign{"no"}).then({CampaignFinished{"no", false}});
}

TEST_CASE("a scheduled campaign without devices waits for its start all the same") {
  given({created({}, scheduled(kStart)), CampaignScheduled{kStart}}).own_events().then_nothing();
}

TEST_CASE("decision 7: scheduled_end finishes a campaign that waits, runs or is paused, once") {
  auto paused = running();
  paused.emplace_back(CampaignPaused{"lunch"});
  for (const auto& facts : {waiting(scheduled(kStart, kEnd)), running(), paused}) {
    given(facts).now(kEnd).own_events().then({kByTheClock});
    given(facts + std::vector<Fact>{kByTheClock})
        .now(kEnd)
        .own_events()
        .then(
            {CampaignClosed{CampaignStatus::kCompleted, threshold(VerdictDecision::kPass, 0, 0)}});
  }
  given(running()).now(kEnd - seconds(1)).own_events().then_nothing();
  given(running() + std::vector<Fact>{of(1, first_grant()), kByTheClock})
      .now(kEnd)
      .own_events()
      .then_nothing();
}

TEST_CASE("scheduled_end changes nothing before the start is asked for, nor after the end") {
  given({created({1}, scheduled({}, kEnd))}).now(kEnd).own_events().then_nothing();
  for (const Fact& end : {Fact(CampaignCancelled{"no"}), Fact(CampaignAborted{})}) {
    const auto facts = running() + std::vector<Fact>{of(1, first_grant()), end};
    given(facts).now(kEnd).own_events().then_nothing();
  }
  const auto closed = running() + std::vector<Fact>{CampaignClosed{}};
  given(closed).now(kEnd).own_events().then_nothing();
}

TEST_CASE("a service that slept over both start and end finishes without starting") {
  given(waiting()).now(kEnd + hours(9)).own_events().then({kByTheClock});
}

TEST_CASE("scheduled_end ends a canary, too, whatever its evidence") {
  auto p = canary_policy();
  p.scheduled_end = kEnd;
  given(canary("xx??", p)).now(kEnd).own_events().then({kByTheClock});
}

TEST_CASE("a campaign is woken for its start and its end, whichever comes next") {
  const auto wakes = [](const std::vector<Fact>& facts, Time now = kNow) {
    return wakes_at(given(facts).campaign(), now);
  };
  CHECK(wakes(waiting()) == kStart);
  CHECK(wakes(waiting(), kStart) == kEnd);
  CHECK(wakes(running()) == kEnd);
  CHECK(wakes(running(), kEnd) == std::nullopt);
  CHECK(wakes(running() + std::vector<Fact>{CampaignPaused{"lunch"}}) == kEnd);
  CHECK(wakes(running() + std::vector<Fact>{CampaignFinished{"no", false}}) == std::nullopt);
  CHECK(wakes(running(policy())) == std::nullopt);
}

TEST_CASE("a campaign that is finished while it is scheduled closes without a start") {
  const auto facts = waiting() + std::vector<Fact>{CampaignFinished{"no", false}};
  for (const auto now : {kNow, kStart, kEnd}) {
    given(facts).now(now).own_events().then(
        {CampaignClosed{CampaignStatus::kCompleted, threshold(VerdictDecision::kPass, 0, 0)}});
  }
}

TEST_CASE("a campaign that is not there, waits for people or has ended is not woken") {
  const auto wakes = [](const std::vector<Fact>& facts) {
    return wakes_at(given(facts).campaign(), kNow);
  };
  CHECK(wakes({}) == std::nullopt);
  CHECK(wakes({created({1}, scheduled(kStart, kEnd))}) == std::nullopt);
  CHECK(wakes(running() + std::vector<Fact>{CampaignCancelled{"no"}}) == std::nullopt);
  CHECK(wakes(running() + std::vector<Fact>{CampaignAborted{}}) == std::nullopt);
  CHECK(wakes(running() + std::vector<Fact>{CampaignClosed{}}) == std::nullopt);
}
