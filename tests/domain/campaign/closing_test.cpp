// How a campaign ends: completed, failed, aborted, cancelled; and what it tells its devices
// (decisions 11, 24).
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

using Reach = CancelUpdate::Reach;

CampaignPolicy without_rollback() {
  auto p = policy();
  p.auto_rollback = false;
  return p;
}

// A campaign of `total` devices, of which the first have completed, the next failed, the next run.
std::vector<Fact> history(const CampaignPolicy& policy, std::uint32_t total,
                          std::uint32_t completed, std::uint32_t failed,
                          std::uint32_t running = 0) {
  Bitmap targets;
  targets.addRange(0, total);
  std::vector<Fact> facts = {created(targets, policy), CampaignStarted{}};
  for (std::uint32_t o = 0; o < completed + failed + running; ++o)
    facts.push_back(of(o, first_grant()));
  for (std::uint32_t o = 0; o < completed; ++o) facts.push_back(of(o, succeeded()));
  for (std::uint32_t o = completed; o < completed + failed; ++o)
    facts.push_back(of(o, failed_for_good()));
  return facts;
}

std::vector<Fact> with(std::vector<Fact> facts, std::initializer_list<Fact> more) {
  facts.insert(facts.end(), more);
  return facts;
}

Verdict passed(std::uint32_t failed, std::uint32_t counted) {
  return {VerdictRule::kThreshold, VerdictDecision::kPass, failed, counted, 20, false};
}
Verdict over(std::uint32_t failed, std::uint32_t counted, bool of_total = false) {
  return {VerdictRule::kThreshold, VerdictDecision::kAbort, failed, counted, 20, of_total};
}
CampaignClosed closed(CampaignStatus outcome, const Verdict& verdict) { return {outcome, verdict}; }

void check_cancels(const std::vector<CancelOf>& cancels, std::vector<std::uint32_t> ordinals,
                   Reach reach, CancelCause cause) {
  REQUIRE(cancels.size() == ordinals.size());
  for (std::size_t i = 0; i < ordinals.size(); ++i) {
    CHECK(cancels[i].update == UpdateId::in_campaign(kCampaign, {ordinals[i]}));
    CHECK(cancels[i].reach == reach);
    CHECK(cancels[i].cause == cause);
  }
}

}  // namespace

TEST_CASE(
    "decision 11: when nobody is left and nothing runs, a campaign within its threshold "
    "completes") {
  given(history(policy(), 10, 8, 2))
      .own_events()
      .then({closed(CampaignStatus::kCompleted, passed(2, 10))});
  given(history(policy(), 10, 8, 1, 1)).own_events().then_nothing();
  given(history(policy(), 10, 8, 1)).own_events().then_nothing();
}

TEST_CASE("decision 11: a campaign without devices completes at its start, not before") {
  given({created({}), CampaignStarted{}})
      .own_events()
      .then({closed(CampaignStatus::kCompleted, passed(0, 0))});
  given({created({})}).own_events().then_nothing();
}

TEST_CASE("decision 11: without auto_rollback the rate is judged at the end") {
  given(history(without_rollback(), 10, 6, 3, 1)).own_events().then_nothing();
  given(history(without_rollback(), 10, 7, 3))
      .own_events()
      .then({closed(CampaignStatus::kFailed, over(3, 10))});
}

TEST_CASE("BR-OTA-031: failure_rate that is not among the triggers aborts nothing") {
  auto p = policy();
  p.rollback_triggers = {RollbackTrigger::kTimeout};
  given(history(p, 10, 1, 3)).own_events().then_nothing();
  p.rollback_triggers = {RollbackTrigger::kTimeout, RollbackTrigger::kFailureRate};
  given(history(p, 10, 1, 3))
      .own_events()
      .then({rolled_back(over(3, 10, true))});
}

TEST_CASE(
    "S5/BR-OTA-041: a campaign over its threshold is aborted with the numbers that decided it") {
  given(history(policy(), 200, 15, 5))
      .own_events()
      .then({rolled_back(over(5, 20))});
  given(history(policy(), 200, 16, 4)).own_events().then_nothing();
  given(history(policy(), 200, 15, 5, 5)).own_events().then_nothing();
}

TEST_CASE("a paused campaign is aborted and closed like a running one") {
  given(with(history(policy(), 200, 15, 5), {CampaignPaused{"lunch"}}))
      .own_events()
      .then({rolled_back(over(5, 20))});
  given(with(history(policy(), 10, 10, 0), {CampaignPaused{"lunch"}}))
      .own_events()
      .then({closed(CampaignStatus::kCompleted, passed(0, 10))});
  given(with(history(policy(), 10, 9, 0), {CampaignPaused{"lunch"}})).own_events().then_nothing();
}

TEST_CASE(
    "a campaign over its threshold grants nobody more: its pending devices are cancelled, running ones finish") {
  const auto s = given(with(history(policy(), 200, 15, 5, 3),
                            {rolled_back(over(5, 20))}))
                     .campaign();
  CHECK(s.status == CampaignStatus::kRollback);
  CHECK(s.status_reason == "5 of 20 devices failed (25.00 %), more than the threshold of 20 %");
  CHECK(s.verdict == over(5, 20));
  CHECK(s.cancelled.cardinality() == 177);
  CHECK(s.granted.cardinality() == 3);
  CHECK(s.pending() == 0);
  CHECK_FALSE(s.closed);
}

TEST_CASE(
    "an aborted campaign closes when the last of its devices has ended, with the verdict of the "
    "abort") {
  const CampaignAborted aborted{RollbackTrigger::kFailureRate, over(5, 20)};
  const auto running = with(history(policy(), 200, 15, 5, 1), {aborted});
  given(running).own_events().then_nothing();
  given(with(running, {of(20, succeeded())}))
      .own_events()
      .then({closed(CampaignStatus::kFailed, over(5, 20))});
}

TEST_CASE("a cancelled campaign closes when nothing of it runs, with the numbers so far") {
  given({created({1, 2}), CampaignCancelled{"no"}})
      .own_events()
      .then({closed(CampaignStatus::kCancelled, passed(0, 0))});
  const auto running = with(history(policy(), 10, 1, 0, 1), {CampaignCancelled{"no"}});
  given(running).own_events().then_nothing();
  given(with(running, {of(1, UpdateCancelled{CancelCause::kCampaignCancelled, 1, 0, false})}))
      .own_events()
      .then({closed(CampaignStatus::kCancelled, passed(0, 1))});
}

TEST_CASE("a campaign that is closed has ended, says when, and does nothing more") {
  const auto facts = with(history(policy(), 10, 8, 2),
                          {at(kNow, closed(CampaignStatus::kCompleted, passed(2, 10)))});
  const auto s = given(facts).campaign();
  CHECK(s.status == CampaignStatus::kCompleted);
  CHECK(s.closed);
  CHECK(s.ended_at == kNow);
  CHECK(s.verdict == passed(2, 10));
  CHECK(given(facts).due().own.empty());
  CHECK(given(facts).due().cancels.empty());
  CHECK(given({}).due().own.empty());
}

TEST_CASE("a running campaign tells nobody to stop") {
  CHECK(given(history(policy(), 10, 1, 0, 5)).due().cancels.empty());
  CHECK(given(with(history(policy(), 10, 1, 0, 5), {CampaignPaused{}})).due().cancels.empty());
}

TEST_CASE("decision 24: a cancelled campaign asks what is not installing to stop") {
  const auto facts = with(history(policy(), 10, 2, 0, 3), {CampaignCancelled{"no"}});
  check_cancels(given(facts).due().cancels, {2, 3, 4}, Reach::kNotInstalling,
                CancelCause::kCampaignCancelled);
}

TEST_CASE("S5: an aborted campaign cancels what has not started, and lets the rest complete") {
  const auto facts = with(history(policy(), 10, 2, 0, 3), {CampaignAborted{}});
  check_cancels(given(facts).due().cancels, {2, 3, 4}, Reach::kNotStarted,
                CancelCause::kCampaignAborted);
}

TEST_CASE("who was told and has answered is not told again; who has ended neither") {
  const auto facts =
      with(history(policy(), 10, 2, 0, 3), {CampaignCancelled{"no"}, of(3, succeeded())});
  check_cancels(given(facts).due(set_of({2})).cancels, {4}, Reach::kNotInstalling,
                CancelCause::kCampaignCancelled);
}

TEST_CASE("no more devices are told at once than may be outstanding") {
  const auto facts = with(history(policy(), 10, 0, 0, 10), {CampaignCancelled{"no"}});
  CHECK(given(facts).due({}, 4).cancels.size() == 4);
  CHECK(given(facts).due({}, 0).cancels.empty());
}

TEST_CASE("a retry that waits at the end is cancelled, told, and only then the campaign closes") {
  const std::initializer_list<Fact> ends = {Fact(CampaignCancelled{"no"}), Fact(CampaignAborted{})};
  for (const auto& end : ends) {
    auto facts = with(history(policy(), 4, 0, 0, 1), {of(0, failed_until(kNow)), end});
    const auto s = given(facts).campaign();
    CHECK(s.cancelled.contains(0));
    CHECK(s.retries.empty());
    CHECK(s.untold == set_of({0}));
    CHECK(given(facts).due().own.empty());
    REQUIRE(given(facts).due().cancels.size() == 1);
    facts.push_back(of(0, UpdateCancelled{CancelCause::kCampaignCancelled, 0, 0, false}));
    CHECK(given(facts).campaign().untold.isEmpty());
    CHECK(given(facts).due().cancels.empty());
    CHECK(given(facts).due().own.size() == 1);
  }
}

TEST_CASE("an attempt that fails or lapses after the end is not retried: cancelled, and told") {
  const Fact late_ends[] = {failed_until(kNow), GrantLapsed{}, GrantLapsed{1, 0, true}};
  for (const auto& late : late_ends) {
    const auto facts = with(history(policy(), 2, 0, 0, 1), {CampaignCancelled{"no"}, of(0, late)});
    const auto s = given(facts).campaign();
    CHECK(s.cancelled == set_of({0, 1}));
    CHECK(s.untold == set_of({0}));
    CHECK(s.retries.empty());
    CHECK(given(facts).due().own.empty());
    check_cancels(given(facts).due().cancels, {0}, Reach::kNotInstalling,
                  CancelCause::kCampaignCancelled);
  }
}

TEST_CASE("an attempt that ends after the end keeps its result") {
  const auto facts = with(history(policy(), 3, 0, 0, 2),
                          {CampaignCancelled{"no"}, of(0, succeeded()), of(1, failed_for_good())});
  const auto s = given(facts).campaign();
  CHECK(s.completed == set_of({0}));
  CHECK(s.failed == set_of({1}));
  CHECK(s.cancelled == set_of({2}));
}

TEST_CASE(
    "a retry that an operator asked for while the closing was decided is cancelled, and told") {
  const auto facts =
      with(history(policy(), 10, 9, 1),
           {of(9, RetryAsked{1, 1, plan()}), closed(CampaignStatus::kCompleted, passed(1, 10))});
  const auto s = given(facts).campaign();
  CHECK(s.pending() == 0);
  CHECK(s.cancelled == set_of({9}));
  check_cancels(given(facts).due().cancels, {9}, Reach::kNotStarted, CancelCause::kFinished);
  const auto told = with(facts, {of(9, UpdateCancelled{CancelCause::kFinished, 0, 0, false})});
  CHECK(given(told).due().cancels.empty());
}

TEST_CASE("a verdict reads as a sentence") {
  CHECK(sentence(over(12, 40)) ==
        "12 of 40 devices failed (30.00 %), more than the threshold of 20 %");
  CHECK(sentence(passed(1, 3)) == "1 of 3 devices failed (33.33 %), within the threshold of 20 %");
  CHECK(sentence(over(3, 10, true)) ==
        "3 of 10 devices in all failed (30.00 %), more than the threshold of 20 %");
  CHECK(sentence(passed(0, 0)) == "0 of 0 devices failed (0.00 %), within the threshold of 20 %");
}
