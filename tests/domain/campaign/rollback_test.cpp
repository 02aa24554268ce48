// Taking a campaign back: from where, whom, through which gates, and how it ends (decision 10; BR-OTA-034, BR-OTA-035).
#include <doctest/doctest.h>

#include "domain/limits.hpp"
#include "tests/domain/campaign/canary.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

using Reach = CancelUpdate::Reach;

UpdateId back(std::uint32_t ordinal, std::uint8_t number = 1) {
  return UpdateId::in_campaign(kCampaign, {ordinal}, number);
}
Fact of_rollback(std::uint32_t ordinal, Fact fact, std::uint8_t number = 1) {
  return in(back(ordinal, number), std::move(fact));
}

CampaignRollbackBegun begun(std::uint32_t number = 1, RollbackTrigger trigger = RollbackTrigger::kManual) {
  CampaignRollbackBegun e;
  e.number = number;
  e.trigger = trigger;
  e.reason = "battery drain";
  e.give_up_at = kNow + hours(24);
  return e;
}

// Of the devices 0 to 5: 0 and 1 have completed, 2 runs, 3 waits for its retry, 4 and 5 for their first grant.
std::vector<Fact> midway(const CampaignPolicy& p = policy()) {
  return std::vector<Fact>{created({0, 1, 2, 3, 4, 5}, p), CampaignStarted{}} + faring("..?r", 0);
}
// The same, being rolled back; what waited was told that it is over.
std::vector<Fact> rolling(CampaignRollbackBegun e = begun(), const CampaignPolicy& p = policy()) {
  return midway(p) + std::vector<Fact>{e, of(3, UpdateCancelled{CancelCause::kCampaignAborted, 0, 0, false})};
}
// A campaign of two that has completed.
std::vector<Fact> ended() {
  return std::vector<Fact>{created({0, 1}), CampaignStarted{}} + faring("..", 0) +
         std::vector<Fact>{CampaignClosed{CampaignStatus::kCompleted, {}}};
}
std::vector<Fact> taken_back(std::uint32_t ordinal, std::uint8_t number = 1) {
  return {of_rollback(ordinal, first_grant(), number), of_rollback(ordinal, succeeded(), number),
          of(ordinal, UpdateUndone{back(ordinal, number)})};
}

GrantAsk ask_back(std::uint32_t ordinal, std::uint32_t number = 1) {
  auto ask = ask_of(ordinal);
  ask.facts.firmware_version = "2.1.0";
  ask.rollback = number;
  ask.back = WayBack{"2.0.0", true, false, kOtherFirmware, facts(), {}};
  return ask;
}

NoWayBack no_way(const std::vector<Fact>& facts, const GrantAsk& ask) {
  const auto decision = ask_for(given(facts), ask);
  REQUIRE(std::holds_alternative<NoWayBack>(decision));
  return std::get<NoWayBack>(decision);
}

}  // namespace

TEST_CASE("decision 10: a campaign that runs or ran is rolled back, for a reason, once") {
  const std::vector<std::vector<Fact>> places{
      midway(),
      midway() + std::vector<Fact>{CampaignPaused{"lunch"}},
      midway() + std::vector<Fact>{CampaignCancelled{"no"}},
      midway() + std::vector<Fact>{CampaignAborted{}},
      ended(),
  };
  for (const auto& facts : places) {
    given(facts).when(RollbackCampaign{"battery drain"}).then({begun()});
    CHECK(given(facts).when(RollbackCampaign{""}).then_error(ErrorCode::kInvalid).field == "reason");
  }
  given(rolling()).when(RollbackCampaign{"again"}).then_nothing();
}

TEST_CASE("decision 10: what has not begun, and what has nothing to take back, is not rolled back") {
  for (const auto& facts : {std::vector<Fact>{created({1})},
                            std::vector<Fact>{created({1}), CampaignScheduled{kNow + hours(1)}}}) {
    CHECK(given(facts).when(RollbackCampaign{"bad"}).then_error(ErrorCode::kStateTransition).allowed ==
          std::vector<std::string>{"in_progress", "paused", "completed", "failed", "cancelled"});
  }
  const auto nobody = std::vector<Fact>{created({0}), CampaignStarted{}} + faring("x", 0) +
                      std::vector<Fact>{CampaignClosed{CampaignStatus::kFailed, {}}};
  CHECK(given(nobody).when(RollbackCampaign{"bad"}).then_error(ErrorCode::kStateTransition).message ==
        "no device completed the campaign: there is nothing to roll back");
  const auto all_back = ended() + std::vector<Fact>{begun()} + taken_back(0) + taken_back(1) +
                        std::vector<Fact>{CampaignClosed{CampaignStatus::kCancelled, {}}};
  CHECK(given(all_back).when(RollbackCampaign{"bad"}).then_error(ErrorCode::kStateTransition).message ==
        "every device that completed the campaign was rolled back already");
  given({}).when(RollbackCampaign{"bad"}).then_error(ErrorCode::kNotFound);
}

TEST_CASE("decision 10: a campaign is rolled back again for who is still completed, fifteen times at most") {
  auto facts = ended();
  for (std::uint8_t n = 1; n <= limits::kCampaignRollbacks; ++n) {
    given(facts).when(RollbackCampaign{"battery drain"}).then({begun(n)});
    facts.emplace_back(begun(n));
    if (n == 1) facts = facts + taken_back(0);
    CHECK(given(facts).campaign().to_take_back() == set_of({1}));
    facts.emplace_back(CampaignClosed{CampaignStatus::kCancelled, {}});
  }
  const auto error = given(facts).when(RollbackCampaign{"once more"}).then_error(ErrorCode::kStateTransition);
  CHECK(error.message == "the campaign was rolled back 15 times, which is as often as it can be");
}

TEST_CASE("BR-OTA-034: a rollback cancels what waits, stops what has not started, and lets the rest end") {
  const auto facts = midway() + std::vector<Fact>{begun()};
  const auto s = given(facts).campaign();
  CHECK(s.status == CampaignStatus::kRollback);
  CHECK(s.cancelled == set_of({3, 4, 5}));
  CHECK(s.granted == set_of({2}));
  CHECK(s.completed == set_of({0, 1}));
  CHECK(s.to_take_back() == set_of({0, 1}));
  const auto due = given(facts).due();
  CHECK(due.own.empty());
  REQUIRE(due.cancels.size() == 2);
  for (const auto& cancel : due.cancels) {
    CHECK(cancel.reach == Reach::kNotStarted);
    CHECK(cancel.cause == CancelCause::kCampaignAborted);
  }
  // Who completes behind it goes back, too; a failure is not tried again.
  CHECK(given(facts + std::vector<Fact>{of(2, succeeded())}).campaign().to_take_back() == set_of({0, 1, 2}));
  const auto failed = given(facts + std::vector<Fact>{of(2, failed_until(kNow))}).campaign();
  CHECK(failed.cancelled.contains(2));
  CHECK(failed.retries.empty());
}

TEST_CASE("BR-OTA-033, decision 10: a device that completed is taken back, before everything else") {
  const auto granted = is_granted(ask_for(given(rolling()), ask_back(0)));
  CHECK(granted.attempt == 1);
  CHECK_FALSE(granted.retry);
  REQUIRE(granted.plan);
  CHECK(granted.plan->priority == Priority::kCritical);
  CHECK(granted.plan->firmware == kOtherFirmware);
  CHECK(granted.plan->from_version == "2.1.0");
  CHECK(granted.plan->to_version == "2.0.0");
  CHECK(granted.plan->force_update);
  CHECK(granted.plan->rollback ==
        RollbackOf{RollbackTrigger::kManual, "battery drain", UpdateId::in_campaign(kCampaign, {0}), "2.1.0"});
}

TEST_CASE("decision 10: the gates of a rollback, each with its reason") {
  const auto facts = rolling();
  const auto waits = [&](const GrantAsk& ask, Gate gate, const std::vector<Fact>& more = {}) {
    return is_waiting(ask_for(given(facts + more), ask), gate).fact;
  };
  auto unknown = ask_back(0);
  unknown.known = false;
  waits(unknown, Gate::kKnown);
  CHECK(waits(ask_back(2), Gate::kTargeted).find("did not complete") != std::string::npos);
  CHECK(waits(ask_back(0), Gate::kTargeted, taken_back(0)) == "the device was rolled back already");
  CHECK(waits(ask_back(0), Gate::kTargeted, {of_rollback(0, first_grant())}) == "its rollback is in progress");
  auto busy = ask_back(0);
  busy.busy_with = "update x";
  waits(busy, Gate::kBusy);
  waits(ask_back(0, 2), Gate::kRunning);
  auto again = ask_back(0);
  again.attempts = 1;
  CHECK(is_waiting(ask_for(given(facts).now(kNow + hours(24)), again), Gate::kRunning).fact ==
        "the rollback's deadline has passed");
  waits(ask_back(0), Gate::kRetryTime,
        {of_rollback(0, first_grant()), of_rollback(0, failed_until(kNow + minutes(1)))});
}

TEST_CASE("decision 10: a rollback takes a place of the campaign") {
  auto p = policy();
  p.max_concurrent_updates = 2;
  const auto facts = rolling(begun(), p);   // device 2 still runs
  is_granted(ask_for(given(facts), ask_back(0)));
  const auto full = facts + std::vector<Fact>{of_rollback(1, first_grant())};
  CHECK(is_waiting(ask_for(given(full), ask_back(0)), Gate::kConcurrency).fact == "2 of 2 places are taken");
  CHECK_FALSE(room(given(full).campaign(), {}, kNow).for_first_attempts);
  CHECK(room(given(facts).campaign(), {}, kNow).for_first_attempts);
  is_granted(ask_for(given(full + std::vector<Fact>{of(2, succeeded())}), ask_back(0)));
}

TEST_CASE("decision 10: without a way back it has failed with that reason; a device that runs something else is left alone") {
  auto ask = ask_back(0);
  ask.back.recalled = true;
  CHECK(no_way(rolling(), ask).error_code == "previous_version_recalled");
  ask.back.recalled = false;
  ask.back.stored = false;
  CHECK(no_way(rolling(), ask).error_code == "previous_version_not_stored");
  ask.back.undone = "2.00.0";   // 2.0.0, however it is written
  CHECK(no_way(rolling(), ask).error_code == "previous_version_same");
  CHECK(no_way(rolling(), ask).fact == "the device ran 2.0.0 before, too: there is nothing to go back to");
  ask.back.version.clear();
  CHECK(no_way(rolling(), ask).error_code == "previous_version_unknown");
  CHECK_FALSE(no_way(rolling(), ask).superseded);
  const auto events = events_of(no_way(rolling(), ask), back(0), kDevice);
  REQUIRE(events.size() == 2);
  CHECK(std::get<AttemptEnded>(events[1].event).error_code == "previous_version_unknown");

  // One that had an attempt ends behind it.
  ask.attempts = 2;
  const auto behind = events_of(no_way(rolling() + std::vector<Fact>{of_rollback(0, first_grant()), of_rollback(0, failed_until(kBefore))}, ask), back(0), kDevice);
  REQUIRE(behind.size() == 1);
  CHECK(std::get<AttemptEnded>(behind[0].event).attempt == 2);

  ask = ask_back(0);
  ask.facts.firmware_version = "3.0.0";
  const auto other = no_way(rolling(), ask);
  CHECK(other.superseded);
  CHECK(other.fact == "the device runs 3.0.0 by now, not 2.1.0");
  CHECK(std::get<UpdateCancelled>(events_of(other, back(0), kDevice)[1].event).cause == CancelCause::kSuperseded);
}

TEST_CASE("decision 10: it closes when everybody is back: cancelled if asked for, failed if by itself") {
  for (const auto trigger : {RollbackTrigger::kManual, RollbackTrigger::kErrorThreshold}) {
    const auto outcome = trigger == RollbackTrigger::kManual ? CampaignStatus::kCancelled : CampaignStatus::kFailed;
    auto facts = rolling(begun(1, trigger)) + taken_back(0);
    given(facts).own_events().then_nothing();
    facts = facts + std::vector<Fact>{of(2, failed_for_good())};
    given(facts).own_events().then_nothing();
    given(facts + std::vector<Fact>{of_rollback(1, first_grant())}).own_events().then_nothing();
    const auto closed = given(facts + taken_back(1)).own_events().the<CampaignClosed>();
    CHECK(closed.outcome == outcome);
    // One that cannot go back is not waited for.
    const auto failed = facts + std::vector<Fact>{of_rollback(1, first_grant()), of_rollback(1, failed_for_good())};
    CHECK(given(failed).own_events().the<CampaignClosed>().outcome == outcome);
  }
}

TEST_CASE("decision 10: who was taken back stays counted as completed") {
  const auto s = given(rolling() + taken_back(0) + taken_back(1)).campaign();
  CHECK(s.completed == set_of({0, 1}));
  CHECK(s.undone == set_of({0, 1}));
  CHECK(s.counts().completed == 2);
  CHECK(s.failed.isEmpty());
}

TEST_CASE("decision 10: at the deadline a rollback gives up on who was not seen, and on retries") {
  auto facts = rolling() + std::vector<Fact>{of(2, failed_for_good()), of_rollback(1, first_grant()),
                                             of_rollback(1, failed_until(kNow + hours(30)))};
  const auto late = kNow + hours(24);
  CHECK(wakes_at(given(facts).campaign(), kNow) == late);
  given(facts).now(late - seconds(1)).own_events().then_nothing();
  CHECK(given(facts).now(late - seconds(1)).due().cancels.empty());
  const auto due = given(facts).now(late).due();
  CHECK(due.own.empty());
  REQUIRE(due.cancels.size() == 1);
  CHECK(due.cancels[0].update == back(1));
  CHECK(due.cancels[0].cause == CancelCause::kNotSeen);
  facts.push_back(of_rollback(1, UpdateCancelled{CancelCause::kNotSeen, 0, 0, false}));
  given(facts).now(late).own_events().then_nothing();
  AttemptEnded gone;
  gone.error_code = "device_not_seen";
  facts.push_back(of_rollback(0, gone));
  CHECK(given(facts).now(late).own_events().the<CampaignClosed>().outcome == CampaignStatus::kCancelled);
  CHECK_FALSE(room(given(facts).campaign(), {}, late).for_first_attempts);
}

TEST_CASE("decision 32: a download_only campaign has installed nothing, and is not rolled back") {
  auto p = policy();
  p.download_only = true;
  const auto done = std::vector<Fact>{created({0, 1}, p), CampaignStarted{}} + faring(".x", 0);
  const auto error = given(done).when(RollbackCampaign{"why not"}).then_error(ErrorCode::kStateTransition);
  CHECK(error.message.find("it installed nothing") != std::string::npos);
  CHECK(given(done + std::vector<Fact>{begun()}).campaign().to_take_back_count() == 0);
}

TEST_CASE("decision 10: behind the deadline the rollback of whoever was not seen has failed, also if the device is busy") {
  auto busy = ask_back(0);
  busy.busy_with = "update x";
  for (const auto& ask : {ask_back(0), busy}) {
    const auto decision = ask_for(given(rolling()).now(kNow + hours(24)), ask);
    REQUIRE(std::holds_alternative<NoWayBack>(decision));
    CHECK(std::get<NoWayBack>(decision).error_code == "device_not_seen");
  }
  AttemptEnded gone;
  gone.error_code = "device_not_seen";
  auto facts = rolling() + std::vector<Fact>{of(2, failed_for_good())} + taken_back(1);
  given(facts).now(kNow + hours(24)).own_events().then_nothing();   // not before that is said
  facts.push_back(of_rollback(0, gone));
  CHECK(given(facts).own_events().the<CampaignClosed>().outcome == CampaignStatus::kCancelled);
}

TEST_CASE("decision 22: a rollback waits for no device that was deleted, before it began or behind it") {
  const Fact gone[] = {in(kDevice, DeviceDeleted{"", {0}}), in(DeviceId{"other"}, DeviceDeleted{"", {1}})};
  auto facts = midway() + std::vector<Fact>{gone[0], begun()};
  CHECK(given(facts).campaign().to_take_back() == set_of({1}));
  facts.push_back(gone[1]);
  CHECK(given(facts).campaign().to_take_back().isEmpty());
}

TEST_CASE("decision 27: one error on many devices begins a rollback, if that is a trigger; links and our own service do not count") {
  auto p = policy();
  p.rollback_triggers = {RollbackTrigger::kErrorThreshold};
  p.error_threshold_count = 2;
  const auto failing = [](std::uint32_t ordinal, FailureKind kind = FailureKind::kDevice, std::string code = "flash") {
    auto end = failed_until(kNow + hours(1));
    end.kind = kind;
    end.error_code = std::move(code);
    return std::vector<Fact>{of(ordinal, first_grant()), of(ordinal, end)};
  };
  const auto run = [](const CampaignPolicy& with) { return std::vector<Fact>{created({0, 1, 2, 3}, with), CampaignStarted{}}; };
  given(run(p) + failing(0)).own_events().then_nothing();
  given(run(p) + failing(0) + failing(1, FailureKind::kDevice, "other")).own_events().then_nothing();
  given(run(p) + failing(0) + failing(1, FailureKind::kTransport) + failing(2, FailureKind::kService)).own_events().then_nothing();
  const auto by_itself = given(run(p) + failing(0) + failing(1)).own_events().the<CampaignRollbackBegun>();
  CHECK(by_itself.trigger == RollbackTrigger::kErrorThreshold);
  CHECK(by_itself.reason == "error flash on 2 devices, the threshold is 2");
  CHECK(by_itself.error_devices == 2);
  auto none = p;
  none.rollback_triggers = {RollbackTrigger::kFailureRate};
  given(run(none) + failing(0) + failing(1)).own_events().then_nothing();
  none = p;
  none.auto_rollback = false;
  given(run(none) + failing(0) + failing(1)).own_events().then_nothing();
}
