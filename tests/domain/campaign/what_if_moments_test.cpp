// What if: the moments of the campaign's own decisions, which come later than they are due. The numbers were worked out by hand.
#include <doctest/doctest.h>

#include "tests/domain/campaign/written.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

CampaignPolicy five_percent() {
  auto policy = immediate_policy();
  policy.failure_threshold_percent = 5;
  return policy;
}

// Its stop is due in minute 24, when 20 have finished, and is written 20 seconds later: 24 is granted in between, and starts.
CampaignRecord stopped_late() {
  Written written(five_percent());
  written.usual(0, 24).granted(24, minutes(24)).started(24, minutes(24) + seconds(10)).ended(24, minutes(29), true);
  written.own(minutes(24) + seconds(20), rolled_back_for_failures());
  return written.closed(minutes(40), CampaignStatus::kFailed);
}

}  // namespace

TEST_CASE("under a policy that decides nothing otherwise a stop is where it was, with whom was granted before it was written") {
  const auto record = stopped_late();
  auto other = five_percent();
  other.canary_p0_basis_points = 300;
  auto as_strict = five_percent();
  as_strict.failure_threshold_percent = 6;  // crossed by the same failure, and never anywhere else
  for (const auto& policy : {five_percent(), other, as_strict}) {
    const auto answer = what_if(record, policy, {});
    CHECK(answer.is_exact());
    REQUIRE(answer.scenarios.size() == 1);
    const auto& outcome = answer.scenarios.front().outcome;
    CHECK(outcome.stopped_at == kWhatIfBegin + minutes(24) + seconds(20));
    CHECK(outcome.granted == 25);
    CHECK(outcome.at_end.completed == 22);
    CHECK(outcome.at_end.failed == 3);
    CHECK(outcome.at_end.cancelled == 15);
  }
}

TEST_CASE("a stop that the record does not have takes as long as the one that it has, and who comes in that time is counted either way") {
  auto sooner = five_percent();
  sooner.min_finished_for_verdict = 10;     // with the one failure that there is in minute 14, of 14
  const auto answer = what_if(stopped_late(), sooner, {});
  CHECK_FALSE(answer.is_exact());
  CHECK(as_recorded(answer).stopped_at == kWhatIfBegin + minutes(14));
  const auto b = answer.bounds();
  CHECK(b.stopped == Stopped::kAlways);
  CHECK(b.stopped_at->min == kWhatIfBegin + minutes(14));
  CHECK(b.stopped_at->max == kWhatIfBegin + minutes(14) + seconds(20));
  CHECK(b.granted.min == 14);
  CHECK(b.granted.max == 15);
}

TEST_CASE("a rate that comes back under the threshold before that was written may have stopped it, or not until it crosses it again") {
  auto sooner = five_percent();
  sooner.min_finished_for_verdict = 10;
  sooner.failure_threshold_percent = 7;     // 1 of 14, but with device 14, which is granted then, of 15; in minute 18 it is 2 of 18
  const auto b = what_if(stopped_late(), sooner, {}).bounds();
  CHECK(b.stopped == Stopped::kAlways);
  CHECK(b.stopped_at->min == kWhatIfBegin + minutes(14));
  CHECK(b.stopped_at->max == kWhatIfBegin + minutes(18) + seconds(20));
  CHECK(b.granted.min == 14);
  CHECK(b.granted.max == 19);
  sooner.min_finished_for_verdict = 30;     // as many as never finish
  sooner.failure_threshold_percent = 90;
  CHECK(what_if(stopped_late(), sooner, {}).bounds().stopped != Stopped::kAlways);
}

TEST_CASE("where a place is taken again a moment later than it became free, a verdict that is close may stop the campaign") {
  auto policy = immediate_policy();
  policy.failure_threshold_percent = 20;
  policy.min_finished_for_verdict = 4;
  const auto record = Written(policy).usual(0, kReplayedFleet).closed(minutes(60));
  auto narrow = policy;
  narrow.max_concurrent_updates = 2;
  // In minute 10 devices 2 and 3 end, 3 badly. It is 1 of 5 if 4 has the place of 2 by then, and 1 of 4 if it has not.
  const auto answer = what_if(record, narrow, {});
  CHECK_FALSE(as_recorded(answer).stopped_at);
  CHECK(as_recorded(answer).at_end.completed == 36);
  CHECK_FALSE(answer.is_exact());
  const auto b = answer.bounds();
  CHECK(b.stopped == Stopped::kPerhaps);
  CHECK(b.stopped_at->min <= kWhatIfBegin + minutes(10));
  CHECK(b.granted.min <= 4);
  CHECK(b.granted.max == kReplayedFleet);
  // Judged by twenty, nothing of that can be.
  narrow.min_finished_for_verdict = policy.min_finished_for_verdict = 20;
  CHECK(what_if(Written(policy).usual(0, kReplayedFleet).closed(minutes(60)), narrow, {}).is_exact());
}
