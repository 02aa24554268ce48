// What if: the record of a campaign under its own policy ends as it ended, and under others as the rules say, with numbers that
// were worked out by hand.
#include "domain/campaign/what_if.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>

#include "domain/campaign/replay.hpp"
#include "tests/domain/campaign/written.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr std::uint32_t kFleet = kReplayedFleet;

CampaignRecord whole() { return Written(immediate_policy()).usual(0, kFleet).closed(minutes(60)); }

}  // namespace

TEST_CASE("under its own policy a record ends as it ended, and nothing is unknown") {
  const auto answer = what_if(whole(), immediate_policy(), {});
  CHECK(answer.is_exact());
  REQUIRE(answer.scenarios.size() == 1);
  const auto& outcome = answer.scenarios.front().outcome;
  CHECK(outcome.status == CampaignStatus::kCompleted);
  CHECK_FALSE(outcome.stopped_at);
  CHECK(outcome.at_end.completed == 36);
  CHECK(outcome.at_end.failed == 4);
  CHECK(outcome.granted == kFleet);
  CHECK(outcome.ended_at == kWhatIfBegin + minutes(60));
}

TEST_CASE("under a lower threshold it would have stopped, and the rest would not have been granted") {
  auto strict = immediate_policy();
  strict.failure_threshold_percent = 5;
  const auto answer = what_if(whole(), strict, {});
  const auto& outcome = as_recorded(answer);
  CHECK(outcome.status == CampaignStatus::kFailed);
  REQUIRE(outcome.stopped_at);
  // 20 have finished in minute 24, with two failures, and 20 to 23 are under way: 2 of 24 are more than 5 %.
  CHECK(*outcome.stopped_at == kWhatIfBegin + minutes(24));
  CHECK(outcome.granted_when_stopped == 24);
  CHECK(outcome.when_stopped.failed == 2);
  CHECK(outcome.when_stopped.completed == 18);
  CHECK(outcome.reason.find("more than the threshold of 5 %") != std::string::npos);
  // Who was under way comes to its end: 23 fails, too.
  CHECK(outcome.at_end.failed == 3);
  CHECK(outcome.at_end.completed == 21);
  CHECK(outcome.at_end.cancelled == 16);
  CHECK(outcome.granted == 24);
  CHECK_FALSE(outcome.ended_at);   // its ways back are not played
  // Of when it is decided and written nothing is in the record, but that it takes a moment: who came in the same minute, 24, may
  // have been granted before it was, and have started or not.
  CHECK_FALSE(answer.is_exact());
  const auto bounds = answer.bounds();
  CHECK(bounds.stopped == Stopped::kAlways);
  CHECK(bounds.stopped_at->min == kWhatIfBegin + minutes(24));
  CHECK(bounds.stopped_at->max == kWhatIfBegin + minutes(24) + seconds(1));
  CHECK(bounds.granted_when_stopped->min == 24);
  CHECK(bounds.granted_when_stopped->max == 25);
  CHECK(bounds.granted.min == 24);
  CHECK(bounds.granted.max == 25);
  CHECK(bounds.failed.min == 3);
  CHECK(bounds.failed.max == 3);
  CHECK(bounds.completed.min == 21);
  CHECK(bounds.completed.max == 21);        // it starts half a minute later, and is cancelled before
  CHECK(bounds.cancelled.min == 16);
  CHECK(bounds.cancelled.max == 16);
}

TEST_CASE("who was granted and had not started when it would have stopped is cancelled there, and does not run to an end") {
  Written written(immediate_policy());
  written.usual(0, 22).granted(22, minutes(22)).started(22, minutes(25)).ended(22, minutes(27), true).usual(23, kFleet);
  auto strict = immediate_policy();
  strict.failure_threshold_percent = 5;
  const auto outcome = as_recorded(what_if(written.closed(minutes(60)), strict, {}));
  CHECK(outcome.stopped_at == kWhatIfBegin + minutes(24));
  CHECK(outcome.granted == 24);
  CHECK(outcome.at_end.completed == 20);
  CHECK(outcome.at_end.failed == 3);
  CHECK(outcome.at_end.cancelled == 17);
}

TEST_CASE("with fewer places it takes longer, and comes to the same: nobody is granted earlier than then") {
  auto narrow = immediate_policy();
  narrow.max_concurrent_updates = 2;
  const auto answer = what_if(whole(), narrow, {});
  CHECK(answer.is_exact());
  const auto& outcome = as_recorded(answer);
  CHECK(outcome.status == CampaignStatus::kCompleted);
  CHECK(outcome.at_end.completed == 36);
  CHECK(outcome.ended_at == kWhatIfBegin + minutes(kFleet / 2 * 5 + 1));   // two in five minutes
}

TEST_CASE("a faster policy is answered with both: the times of the slow one, and everybody at once") {
  auto staged = immediate_policy();
  staged.strategy = Strategy::kStaged;
  staged.batch_size = 10;
  staged.batch_settle_percent = 100;
  Written written(staged);
  for (std::uint32_t n = 0; n < kFleet; ++n) {
    if (n % 10 == 0 && n > 0) written.own(minutes(n / 10 * 10 - 5), BatchOpened{n / 10 + 1});
    written.attempt(n, minutes(n / 10 * 10), minutes(5), n % 10 != 3, 1, n / 10 + 1);
  }
  const auto record = written.closed(minutes(36));
  CHECK(what_if(record, staged, {}).is_exact());
  const auto answer = what_if(record, immediate_policy(), {});
  CHECK_FALSE(answer.is_exact());
  CHECK(as_recorded(answer).ended_at == kWhatIfBegin + minutes(35));
  CHECK(at_once(answer).ended_at == kWhatIfBegin + minutes(5));
  CHECK(answer.bounds().completed.min == 36);
  CHECK(answer.bounds().completed.max == 36);
  // As recorded 20 have ended in minute 15, two badly, and nobody is under way: 10 %. At once all 40 are granted in minute 0: in
  // minute 5 the third failure, of device 23, is more than 5 % of 40.
  auto strict = immediate_policy();
  strict.failure_threshold_percent = 5;
  const auto bounds = what_if(record, strict, {}).bounds();
  CHECK(bounds.stopped == Stopped::kAlways);
  REQUIRE(bounds.stopped_at);
  CHECK(bounds.stopped_at->min == kWhatIfBegin + minutes(5));
  CHECK(bounds.stopped_at->max == kWhatIfBegin + minutes(15) + seconds(1));   // what a decision takes at least
  CHECK(bounds.granted_when_stopped->min == 20);
  CHECK(bounds.granted_when_stopped->max == 40);
  CHECK(bounds.failed.min == 2);
  CHECK(bounds.failed.max == 4);
}

TEST_CASE("what nobody knows is bounded: a campaign that was stopped, had it not been") {
  auto strict = immediate_policy();
  strict.failure_threshold_percent = 5;
  Written written(strict);
  written.usual(0, 20).own(minutes(30), rolled_back_for_failures());
  const auto record = written.closed(minutes(90), CampaignStatus::kFailed);
  const auto again = what_if(record, strict, {});
  CHECK(again.is_exact());
  CHECK(again.scenarios.front().outcome.granted == 20);
  CHECK(again.scenarios.front().outcome.status == CampaignStatus::kFailed);
  auto lenient = strict;
  lenient.failure_threshold_percent = 40;
  const auto answer = what_if(record, lenient, {});
  CHECK_FALSE(answer.is_exact());
  // Who never came may never come: then it waits for them, and the replay ends all the same.
  CHECK(as_recorded(answer).status == CampaignStatus::kInProgress);
  CHECK(as_recorded(answer).granted == 20);
  CHECK_FALSE(as_recorded(answer).ended_at);
  CHECK(at_once(answer).status == CampaignStatus::kCompleted);
  CHECK(at_once(answer).unknown == 20);
  CHECK(at_once(answer).at_end.failed == 2);
  CHECK(at_once(answer).ended_at == kWhatIfBegin + minutes(35));   // they come when nobody was granted any more
  // Failing, the fifteenth of them makes 17 of 40; the five behind it are under way.
  const auto& bad = at_once(answer, UnknownOutcomes::kFail);
  CHECK(bad.status == CampaignStatus::kFailed);
  CHECK(bad.when_stopped.failed == 17);
  CHECK(bad.at_end.failed == 22);
  const auto bounds = answer.bounds();
  CHECK(bounds.granted.min == 20);
  CHECK(bounds.granted.max == 40);
  CHECK(bounds.completed.min == 18);
  CHECK(bounds.completed.max == 38);
  CHECK(bounds.failed.max == 22);
  CHECK(bounds.stopped == Stopped::kPerhaps);
}

TEST_CASE("where all fail it stops early, where some do more fail: the bounds hold both, and say that its stop is not bounded") {
  constexpr std::uint32_t kHundred = 100;
  auto strict = immediate_policy();
  strict.failure_threshold_percent = 5;
  strict.max_concurrent_updates = 10;
  Written written(strict, kHundred);
  written.usual(0, 20).own(minutes(30), rolled_back_for_failures());
  const auto record = written.closed(minutes(90), CampaignStatus::kFailed);
  auto lenient = strict;
  lenient.failure_threshold_percent = 40;
  const auto answer = what_if(record, lenient, {});
  CHECK_FALSE(answer.is_exact());
  CHECK(at_once(answer).at_end.failed == 2);
  const auto all_fail = at_once(answer, UnknownOutcomes::kFail).at_end.failed;
  CHECK(all_fail == 28);                    // the 17th makes 19 of 46, with nine under way
  std::uint32_t most = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const campaign::ReplayOptions drawn{UnknownOutcomes::kSucceed, campaign::Coming::kLeftLater, 0, seed};
    const auto outcome = campaign::Replay(record, lenient, {}, drawn).run();
    most = std::max(most, outcome.at_end.failed);
  }
  CHECK(most > all_fail);
  const auto bounds = answer.bounds();
  CHECK(bounds.failed.min == 2);
  CHECK(bounds.failed.max == 82);
  CHECK(bounds.completed.min == 18);
  CHECK(bounds.completed.max == 98);
  CHECK(bounds.cancelled.min == 0);
  CHECK(bounds.cancelled.max == 80);
  CHECK(bounds.stopped == Stopped::kPerhaps);
  REQUIRE(bounds.stopped_at);
  CHECK(bounds.stopped_at->min == kWhatIfBegin + minutes(30));
  CHECK_FALSE(bounds.stopped_at->max);
  CHECK(bounds.granted_when_stopped->max == kHundred);
}

TEST_CASE("a canary goes first, in the order in which its devices asked, and of one that nobody resumes the replay ends paused") {
  auto canary = immediate_policy();
  canary.strategy = Strategy::kCanary;
  canary.failure_threshold_percent = 50;
  canary.batch_size = 500;
  const auto outcome = as_recorded(what_if(whole(), canary, {}));
  CHECK(outcome.status == CampaignStatus::kCompleted);
  CHECK(outcome.granted == kFleet);
  CHECK(outcome.at_end.completed == 36);
  // A slice of a small fleet, of which one device fails: without auto_rollback the campaign pauses, in its window, for ever.
  auto bad = immediate_policy();
  bad.maintenance_window = MaintenanceWindow{0, 60, "UTC"};
  Written written(bad);
  for (std::uint32_t n = 0; n < kFleet; ++n) written.attempt(n, minutes(n), minutes(5), false);
  canary.auto_rollback = false;
  canary.maintenance_window = bad.maintenance_window;
  const auto answer = what_if(written.closed(minutes(60), CampaignStatus::kFailed), canary, {});
  for (const auto& scenario : answer.scenarios) {
    CHECK(scenario.outcome.status == CampaignStatus::kPaused);
    CHECK(scenario.outcome.stopped_at);
    CHECK_FALSE(scenario.outcome.ended_at);
    CHECK_FALSE(scenario.outcome.cut_short);
  }
}

TEST_CASE("where nothing else happens no window wakes a campaign that waits for a device for ever") {
  auto strict = immediate_policy();
  strict.failure_threshold_percent = 1;
  strict.min_finished_for_verdict = 1;
  strict.maintenance_window = MaintenanceWindow{0, 60, "UTC"};
  Written written(strict, 3);
  written.attempt(0, minutes(0), minutes(5), false).granted(1, minutes(1)).update(1, minutes(4), GrantLapsed{1, 0, false});
  written.own(minutes(5), rolled_back_for_failures()).update(1, minutes(5), UpdateCancelled{CancelCause::kCampaignAborted, 0, 0, false});
  auto lenient = strict;
  lenient.failure_threshold_percent = 100;
  const auto answer = what_if(written.closed(minutes(5), CampaignStatus::kFailed), lenient, {});
  CHECK(as_recorded(answer).status == CampaignStatus::kInProgress);
  CHECK(as_recorded(answer).at_end.failed == 1);
  CHECK_FALSE(as_recorded(answer).cut_short);
  CHECK(at_once(answer).at_end.completed == 2);
}

TEST_CASE("a replay that took too many steps says how far it came, and that it is no answer") {
  const auto record = whole();
  auto other = immediate_policy();
  other.max_concurrent_updates = 3;
  const auto outcome = campaign::Replay(record, other, {}, {UnknownOutcomes::kSucceed, campaign::Coming::kAsRecorded, 50, {}}).run();
  CHECK(outcome.cut_short);
  CHECK(outcome.status == CampaignStatus::kInProgress);
  CHECK_FALSE(WhatIf{{{UnknownOutcomes::kSucceed, DevicesCome::kAsRecorded, outcome}}, {}}.is_exact());
}

TEST_CASE("what devices did under other times, windows, triggers or phases cannot be replayed, and the field is named") {
  const auto record = whole();
  const auto field = [&](const CampaignPolicy& other) {
    const auto why = why_no_what_if(record, other);
    return why ? why->field : std::string();
  };
  auto other = immediate_policy();
  CHECK(field(other).empty());
  other.timeout_minutes = 5;
  CHECK(field(other) == "timeout_minutes");
  other = immediate_policy();
  other.strategy = Strategy::kBlueGreen;
  CHECK(field(other) == "deployment_strategy");
  for (const auto trigger : {RollbackTrigger::kHealthCheck, RollbackTrigger::kTimeout}) {
    other = immediate_policy();
    other.rollback_triggers.push_back(trigger);
    CHECK(field(other) == "rollback_triggers");
    other.auto_rollback = false;   // then nobody listens
    CHECK(field(other).empty());
  }
  auto deaf = immediate_policy();           // its triggers stay, and are listened for
  deaf.rollback_triggers.push_back(RollbackTrigger::kHealthCheck);
  deaf.auto_rollback = false;
  auto listening = deaf;
  listening.auto_rollback = true;
  CHECK(why_no_what_if(Written(deaf).usual(0, kFleet).closed(minutes(60)), listening)->field == "auto_rollback");
  auto zones = immediate_policy();
  zones.maintenance_window = MaintenanceWindow{0, 60, "device"};
  const auto zoned = Written(zones).usual(0, kFleet).closed(minutes(60));
  CHECK_FALSE(why_no_what_if(zoned, zones));
  auto strict = zones;
  strict.failure_threshold_percent = 5;
  CHECK_FALSE(why_no_what_if(zoned, strict));
  CHECK(as_recorded(what_if(zoned, strict, {})).stopped_at == kWhatIfBegin + minutes(24));
  auto narrow = zones;
  narrow.max_concurrent_updates = 2;
  CHECK(why_no_what_if(zoned, narrow)->field == "max_concurrent_updates");
}

// OTA_TEST_LONG=1: it prints how long that takes.
TEST_CASE("of a hundred thousand devices the replays take seconds" * doctest::skip(std::getenv("OTA_TEST_LONG") == nullptr)) {
  constexpr std::uint32_t kMany = 100'000;
  auto policy = immediate_policy();
  policy.max_concurrent_updates = 1'000;
  policy.failure_threshold_percent = 50;
  policy.max_retries = 1;
  Written written(policy, kMany);
  for (std::uint32_t n = 0; n < kMany; ++n) {
    const auto at = seconds(n / 4);
    if (n % 50 == 7) {
      AttemptEnded failed;
      failed.error_code = "E1";
      failed.retry_at = kWhatIfBegin + at + seconds(300);
      written.granted(n, at).started(n, at + seconds(5)).update(n, at + seconds(200), failed);
      written.attempt(n, at + seconds(330), seconds(200), true, 2);
    } else {
      written.attempt(n, at, seconds(200 + n % 40), n % 20 != 3);
    }
  }
  const auto record = written.closed(hours(24));
  auto staged = policy;
  staged.strategy = Strategy::kStaged;
  staged.batch_size = 1'000;
  auto canary = policy;
  canary.strategy = Strategy::kCanary;
  auto narrow = policy;
  narrow.max_concurrent_updates = 100;
  auto wide = policy;                       // everybody is under way when it stops
  wide.max_concurrent_updates = kMany;
  wide.failure_threshold_percent = 1;
  using Named = std::pair<std::string, CampaignPolicy>;
  for (const auto& [name, other] : {Named("staged", staged), Named("canary", canary), Named("narrow", narrow), Named("wide", wide)}) {
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = what_if(record, other, {});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    CHECK(at_once(answer).at_end.total == kMany);
    MESSAGE(name << ": " << answer.scenarios.size() << " scenarios of " << kMany << " devices in " << took.count() << " s, "
                 << at_once(answer).granted << " granted");
  }
}
