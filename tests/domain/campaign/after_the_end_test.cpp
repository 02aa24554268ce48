// What fails after a campaign has ended: counters and verdict follow (decision 23), and rollbacks that nobody fetches end.
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

Fact of_rollback(std::uint32_t ordinal, Fact fact) {
  return in(UpdateId::in_campaign(kCampaign, {ordinal}, 1), std::move(fact));
}

const Verdict kAllWell{VerdictRule::kThreshold, VerdictDecision::kPass, 0, 4, 20, false};

// Four devices completed, and the campaign with them; then some of them report bad health.
std::vector<Fact> completed_then_ill(std::uint32_t ill, bool auto_rollback) {
  auto p = policy();
  p.auto_rollback = auto_rollback;
  p.min_finished_for_verdict = 4;
  std::vector<Fact> facts{created({1, 2, 3, 4}, p), CampaignStarted{}};
  for (std::uint32_t o = 1; o <= 4; ++o) facts.push_back(of(o, first_grant()));
  for (std::uint32_t o = 1; o <= 4; ++o) facts.push_back(of(o, succeeded()));
  facts.push_back(CampaignClosed{CampaignStatus::kCompleted, kAllWell});
  for (std::uint32_t o = 1; o <= ill; ++o) facts.push_back(of(o, kIll));
  return facts;
}

// A campaign of one device that is to be taken back.
std::vector<Fact> rolled_back_one(std::vector<Fact> more) {
  CampaignRollbackBegun begun{1, RollbackTrigger::kManual, "wrong image", kNow + hours(1), {}, "", 0};
  std::vector<Fact> facts{created({1}), CampaignStarted{}, of(1, first_grant()), of(1, succeeded()), begun};
  facts.insert(facts.end(), more.begin(), more.end());
  return facts;
}

}  // namespace

TEST_CASE("decision 23: bad health behind the end moves counters and verdict, and is judged once more") {
  const auto one_ill = given(completed_then_ill(0, true)).campaign();
  CHECK(one_ill.verdict == kAllWell);
  const auto scenario = given(completed_then_ill(2, true));
  const auto s = scenario.campaign();
  CHECK(s.counts().failed == 2);
  REQUIRE(s.verdict);
  CHECK(s.verdict->failed == 2);
  CHECK(sentence(*s.verdict) == "2 of 4 devices failed (50.00 %), more than the threshold of 20 %");
  const auto begun = scenario.own_events().the<CampaignRollbackBegun>();
  CHECK(begun.trigger == RollbackTrigger::kFailureRate);
  CHECK(begun.verdict == s.verdict);
}

TEST_CASE("decision 23: without a rollback of its own the completed campaign has failed after all, once") {
  auto facts = completed_then_ill(2, false);
  const auto closed = given(facts).own_events().the<CampaignClosed>();
  CHECK(closed.outcome == CampaignStatus::kFailed);
  facts.push_back(closed);
  given(facts).own_events().then_nothing();
  given(completed_then_ill(0, false)).own_events().then_nothing();
}

TEST_CASE("a campaign that an error code rolled back does not keep the verdict of its canary") {
  auto p = policy();
  p.min_finished_for_verdict = 1;
  std::vector<Fact> facts{created({1}, p), CampaignStarted{}, of(1, first_grant()), of(1, failed_for_good()),
                          CampaignRollbackBegun{1, RollbackTrigger::kErrorThreshold, "error x on 10 devices", kNow + hours(1), {}, "x", 10}};
  auto s = given(facts).campaign();
  s.verdict = Verdict{VerdictRule::kSlice, VerdictDecision::kPromote, 0, 3, 20, false};
  const auto due = next(s, {}, 0, kNow);
  REQUIRE(due.own.size() == 1);
  const auto closed = std::get<CampaignClosed>(due.own.front().event);
  CHECK(closed.outcome == CampaignStatus::kFailed);
  CHECK(closed.verdict.rule == VerdictRule::kThreshold);
  CHECK(closed.verdict.failed == 1);
}

TEST_CASE("decision 10: a rollback that was granted and never fetched may be tried again, and ends with the deadline") {
  const auto facts = rolled_back_one({of_rollback(1, first_grant()), of_rollback(1, GrantLapsed{1, 0, false})});
  const auto waiting = given(facts);
  CHECK(waiting.campaign().rollback.retries.contains(1));
  waiting.own_events().then_nothing();
  CHECK(waiting.due().cancels.empty());
  const auto late = given(facts).now(kNow + hours(2));
  late.own_events().then_nothing();  // it is told first
  const auto told = late.due().cancels;
  REQUIRE(told.size() == 1);
  CHECK(told[0].cause == CancelCause::kNotSeen);
  AttemptEnded gone;
  gone.error_code = "device_not_seen";
  auto over = facts;
  over.push_back(of_rollback(1, gone));
  CHECK(given(over).now(kNow + hours(2)).own_events().the<CampaignClosed>().outcome == CampaignStatus::kCancelled);
}

TEST_CASE("decision 10: an update whose device was not seen has failed, and says so") {
  const auto end = given({first_grant(), GrantLapsed{1, 0, false}})
                       .when(CancelUpdate{CancelCause::kNotSeen, CancelUpdate::Reach::kNotStarted})
                       .the<AttemptEnded>();
  CHECK(end.error_code == "device_not_seen");
  CHECK(end.error_message == "the device was not seen in time");
  const auto s = given({first_grant(), GrantLapsed{1, 0, false}, end}).update();
  CHECK(s.status == UpdateStatus::kFailed);
}
