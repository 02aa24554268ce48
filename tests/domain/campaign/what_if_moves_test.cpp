// What if: what is recorded of single devices and operators - lapses, retries, skips, cancels, refutations, deletions, windows -
// comes again as it came. The numbers were worked out by hand.
#include <doctest/doctest.h>

#include "tests/domain/campaign/written.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("an attempt that the campaign's stop cut short has an unknown end where it does not stop") {
  auto strict = immediate_policy();
  strict.failure_threshold_percent = 5;
  Written written(strict, 3);
  written.attempt(0, minutes(0), minutes(5), true).granted(1, minutes(1)).own(minutes(2), rolled_back_for_failures());
  written.update(1, minutes(2), UpdateCancelled{CancelCause::kCampaignAborted, 1, 0, false});
  const auto record = written.closed(minutes(9), CampaignStatus::kFailed);
  const auto was = what_if(record, strict, {}).scenarios.front().outcome;
  CHECK(was.at_end.completed == 1);
  CHECK(was.at_end.cancelled == 2);
  auto lenient = strict;
  lenient.failure_threshold_percent = 50;
  const auto answer = what_if(record, lenient, {});
  CHECK(as_recorded(answer).unknown == 1);
  CHECK(as_recorded(answer).at_end.completed == 2);
  CHECK(as_recorded(answer, UnknownOutcomes::kFail).at_end.failed == 1);
}

TEST_CASE("one that begins to hold when the campaign has stopped is asked to stop, and its end is not known") {
  Written written(immediate_policy());
  AttemptStarted released;
  released.attempt = 1;
  released.released = true;
  written.usual(0, 22).granted(22, minutes(22)).started(22, minutes(23));
  written.update(22, minutes(25), UpdateHeld{1, 0, false, kWhatIfBegin + minutes(26)});
  written.update(22, minutes(26), released).ended(22, minutes(27), true).usual(23, kReplayedFleet);
  auto strict = immediate_policy();
  strict.failure_threshold_percent = 5;
  const auto answer = what_if(written.closed(minutes(60)), strict, {});
  CHECK(as_recorded(answer).stopped_at == kWhatIfBegin + minutes(24));
  CHECK(as_recorded(answer).unknown == 1);
  CHECK_FALSE(answer.is_exact());
  CHECK(answer.bounds().failed.min == 3);
  CHECK(answer.bounds().failed.max == 4);
}

TEST_CASE("a failure of one that the campaign asked to stop is not known where it does not ask") {
  auto policy = immediate_policy();
  policy.max_retries = 1;
  policy.failure_threshold_percent = 90;
  policy.min_finished_for_verdict = 1;
  AttemptEnded failed;
  failed.attempt = 1;
  failed.error_code = "E3";
  failed.retry_count = 1;
  failed.retry_at = kWhatIfBegin + minutes(3);
  Written written(policy, 3);
  written.granted(0, minutes(0)).started(0, minutes(1));
  written.granted(1, minutes(0)).started(1, minutes(1)).update(1, minutes(2), failed);
  written.attempt(1, minutes(3), minutes(2), false, 2);
  written.own(minutes(10), CampaignCancelled{"enough"}).ended(0, minutes(11), false);
  auto strict = policy;
  strict.failure_threshold_percent = 1;
  const auto answer = what_if(written.closed(minutes(11), CampaignStatus::kCancelled), strict, {});
  CHECK(as_recorded(answer).stopped_at == kWhatIfBegin + minutes(5));
  CHECK(as_recorded(answer).unknown == 1);
  CHECK(as_recorded(answer).at_end.completed == 1);
  CHECK_FALSE(answer.is_exact());
}

TEST_CASE("what a campaign finishes by itself, since its firmware is recalled, is no operator's step") {
  Written written(immediate_policy());
  written.usual(0, 20).tell(minutes(30), FirmwareId{}, FirmwareRecalled{});
  written.own(minutes(30), CampaignPaused{"firmware is recalled", PauseCause::kRecalled, {}});
  written.own(minutes(30), CampaignFinished{"firmware is recalled", false});
  auto strict = immediate_policy();
  strict.failure_threshold_percent = 5;
  const auto answer = what_if(written.closed(minutes(30), CampaignStatus::kFailed), strict, {});
  CHECK(as_recorded(answer).stopped_at == kWhatIfBegin + minutes(24));   // there is nothing to finish any more
  CHECK(as_recorded(answer).steps_left_out == 0);
  CHECK(as_recorded(answer).at_end.cancelled == 20);
}

TEST_CASE("a grant that lapsed lapses again after as long, comes again as it came, and one that never came again ends nothing") {
  Written written(immediate_policy(), 3);
  written.granted(0, minutes(0)).update(0, minutes(10), GrantLapsed{1, 0, false}).attempt(0, minutes(20), minutes(5), true, 2);
  written.attempt(1, minutes(1), minutes(5), true);
  auto window = immediate_policy();
  {
    const auto record = Written(written).attempt(2, minutes(2), minutes(5), true).closed(minutes(25));
    CHECK(what_if(record, immediate_policy(), {}).scenarios.front().outcome.at_end.completed == 3);
    auto narrow = immediate_policy();
    narrow.max_concurrent_updates = 1;
    // 0 has the place until it lapses in minute 10, then 1 until 15; from 15 to 20 it is 2's; 0 comes again in minute 20.
    const auto outcome = as_recorded(what_if(record, narrow, {}));
    CHECK(outcome.at_end.completed == 3);
    CHECK(outcome.ended_at == kWhatIfBegin + minutes(25));
  }
  window.maintenance_window = MaintenanceWindow{0, 60, "UTC"};
  Written never(window, 2);
  never.attempt(0, minutes(0), minutes(5), true).granted(1, minutes(1)).update(1, minutes(11), GrantLapsed{1, 0, false});
  never.own(minutes(90), CampaignFinished{"enough", false});
  never.update(1, minutes(90), UpdateCancelled{CancelCause::kFinished, 0, 0, false});
  const auto record = never.closed(minutes(90));
  auto other = window;
  other.failure_threshold_percent = 90;
  const auto answer = what_if(record, other, {});
  CHECK(as_recorded(answer).at_end.cancelled == 1);
  CHECK(as_recorded(answer).ended_at == kWhatIfBegin + minutes(90));
}

TEST_CASE("who has to wait for a place waits for the window, too; who was granted then passes it at that moment") {
  auto policy = immediate_policy();
  policy.maintenance_window = MaintenanceWindow{0, 40, "UTC"};
  const auto record = Written(policy).usual(0, kReplayedFleet).closed(minutes(60));
  auto narrow = policy;
  narrow.max_concurrent_updates = 2;
  // 16 in 40 minutes, 16 on the next day, and 8 on the third: four pairs of five minutes.
  CHECK(as_recorded(what_if(record, narrow, {})).ended_at == kWhatIfBegin + hours(48) + minutes(20));
  // Written a moment after the window had closed: that grant was decided before.
  auto short_window = policy;
  short_window.maintenance_window = MaintenanceWindow{0, 39, "UTC"};
  auto other = short_window;
  other.max_concurrent_updates = 99;
  const auto late = as_recorded(what_if(Written(short_window).usual(0, kReplayedFleet).closed(minutes(60)), other, {}));
  CHECK(late.ended_at == kWhatIfBegin + minutes(44));
}

TEST_CASE("skips, cancels and wishes of operators come when they came") {
  auto policy = immediate_policy();
  policy.max_retries = 2;
  Written written(policy, 7);
  written.attempt(0, minutes(0), minutes(5), true);
  written.update(1, minutes(1), UpdateSkipped{SkipReason::kAlreadyThere, "there"});
  written.update(2, minutes(2), UpdateCancelled{CancelCause::kOperator, 0, 0, false});   // before its first grant
  written.update(3, minutes(3), UpdateCancelled{CancelCause::kOperator, 0, 0, false});
  written.update(3, minutes(20), RetryAsked{1, 0, std::nullopt, 0}).attempt(3, minutes(22), minutes(5), true);
  written.granted(4, minutes(4)).started(4, minutes(5));
  written.update(4, minutes(9), UpdateCancelled{CancelCause::kOperator, 1, 0, false});
  written.granted(5, minutes(5)).update(5, minutes(6), UpdateCancelled{CancelCause::kDeclined, 1, 0, false});
  written.attempt(6, minutes(6), minutes(24), true);
  const auto record = written.closed(minutes(30));
  const auto same = what_if(record, policy, {}).scenarios.front().outcome;
  auto other = policy;
  other.failure_threshold_percent = 30;
  const auto answer = what_if(record, other, {});
  for (const auto& outcome : {same, as_recorded(answer)}) {
    CHECK(outcome.status == CampaignStatus::kCompleted);
    CHECK(outcome.at_end.completed == 3);
    CHECK(outcome.at_end.cancelled == 4);
    CHECK(outcome.granted == 5);
    CHECK(outcome.ended_at == kWhatIfBegin + minutes(30));
    CHECK(outcome.unknown == 0);
  }
  // Under one that retries nothing an operator's wish goes beyond its retries, and is refused.
  other.max_retries = 0;
  CHECK(as_recorded(what_if(record, other, {})).steps_left_out == 1);
  CHECK(as_recorded(what_if(record, other, {})).at_end.completed == 2);
}

TEST_CASE("a retry comes back as it came; fewer are not given, and of more nobody knows the outcome") {
  auto policy = immediate_policy();
  policy.max_retries = 1;
  Written written(policy, 2);
  written.attempt(0, minutes(0), minutes(5), true);
  AttemptEnded failed;
  failed.error_code = "E1";
  failed.retry_count = 1;
  failed.retry_at = kWhatIfBegin + minutes(8);
  written.granted(1, minutes(1)).started(1, minutes(2)).update(1, minutes(6), failed);
  written.attempt(1, minutes(10), minutes(5), false, 2);
  const auto record = written.closed(minutes(15), CampaignStatus::kFailed);
  auto other = policy;
  other.min_finished_for_verdict = 19;
  CHECK(as_recorded(what_if(record, other, {})).at_end.failed == 1);
  other.max_retries = 0;
  CHECK(as_recorded(what_if(record, other, {})).stopped_at == kWhatIfBegin + minutes(6));
  other.max_retries = 2;
  const auto more = what_if(record, other, {});
  CHECK(as_recorded(more).unknown == 1);
  CHECK(as_recorded(more).at_end.completed == 2);
  CHECK(as_recorded(more, UnknownOutcomes::kFail).at_end.failed == 1);
}

TEST_CASE("a success that was refuted is refuted after as long; by its health only where that is listened for") {
  auto policy = immediate_policy();
  policy.rollback_triggers = {RollbackTrigger::kFailureRate, RollbackTrigger::kHealthCheck};
  Written written(policy);
  written.usual(0, kReplayedFleet);
  written.update(0, minutes(30), UpdateRefuted{RefutedBy::kVersion, "runs 1.0.0", 0, false, false});
  written.update(1, minutes(31), UpdateRefuted{RefutedBy::kHealth, "failed", 0, false, true});
  const auto record = written.closed(minutes(60));
  auto other = policy;
  other.max_concurrent_updates = 99;
  CHECK(as_recorded(what_if(record, other, {})).at_end.failed == 6);
  other.rollback_triggers = {RollbackTrigger::kFailureRate};
  CHECK(as_recorded(what_if(record, other, {})).at_end.failed == 5);
  // 3, 13 and 23 have failed; with 0 they are 4 of 31 in minute 30, 12.9 %, and with 1 there are 5 of 32 in the next.
  other = policy;
  other.failure_threshold_percent = 13;
  const auto stopped = as_recorded(what_if(record, other, {}));
  REQUIRE(stopped.stopped_at);
  CHECK(*stopped.stopped_at == kWhatIfBegin + minutes(31));
  CHECK(stopped.when_stopped.failed == 5);
}

TEST_CASE("a device that was deleted is out from that moment on, whether it is under way or waits") {
  Written written(immediate_policy(), 3);
  written.attempt(0, minutes(0), minutes(5), true).attempt(1, minutes(1), minutes(5), true);
  written.tell(minutes(3), DeviceId{"d2"}, DeviceDeleted{"scrapped", {2}});
  written.tell(minutes(8), DeviceId{"d1"}, DeviceDeleted{"scrapped", {1}});
  written.update(0, minutes(20), UpdateUndone{});   // so that the record goes on
  const auto record = written.closed(minutes(6));
  auto narrow = immediate_policy();
  narrow.max_concurrent_updates = 1;
  const auto outcome = as_recorded(what_if(record, narrow, {}));   // 1 is granted in minute 5, and deleted in minute 8
  CHECK(outcome.at_end.completed == 1);
  CHECK(outcome.at_end.cancelled == 2);
  CHECK(outcome.granted == 2);
  CHECK(outcome.ended_at == kWhatIfBegin + minutes(8));
}

TEST_CASE("an operator does what they did then, when it is possible") {
  Written written(immediate_policy());
  written.usual(0, 20).own(minutes(8) + seconds(10), CampaignPaused{"lunch", PauseCause::kOperator, {}});
  written.own(minutes(8) + seconds(30), CampaignResumed{}).own(minutes(30), CampaignCancelled{"enough"});
  const auto record = written.closed(minutes(30), CampaignStatus::kCancelled);
  auto other = immediate_policy();
  other.failure_threshold_percent = 30;
  const auto same = as_recorded(what_if(record, other, {}));
  CHECK(same.status == CampaignStatus::kCancelled);
  CHECK(same.at_end.cancelled == 20);
  CHECK(same.steps_left_out == 0);
  auto strict = immediate_policy();
  strict.failure_threshold_percent = 1;
  strict.min_finished_for_verdict = 1;
  // It stops in minute 8, when 3 fails: there is nothing to pause, to resume or to cancel any more.
  CHECK(as_recorded(what_if(record, strict, {})).steps_left_out == 3);
}

