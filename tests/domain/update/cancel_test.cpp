// Cancelling: at once, by asking the device, or not any more (decision 24).
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

using Reach = CancelUpdate::Reach;

CancelUpdate cancel(Reach reach = Reach::kAny, CancelCause cause = CancelCause::kOperator) {
  return {cause, reach};
}
const auto kReaches = {Reach::kNotStarted, Reach::kNotInstalling, Reach::kAny};

CancelRequested asked(CancelCause cause = CancelCause::kOperator,
                      Time give_up_at = kNow + minutes(15)) {
  return {cause, give_up_at};
}

Given started_in(UpdateStatus phase) { return given({first_grant(4), started(), progress(phase)}); }
Given being_cancelled() {
  return given({first_grant(4), started(), asked(CancelCause::kRecalled)});
}

}  // namespace

TEST_CASE("decision 25: what ended with its campaign is cancelled already") {
  CancelUpdate again;
  again.shown = UpdateStatus::kCancelled;
  given({}).when(again).then_nothing();
}

TEST_CASE("decision 24: what has not started is cancelled at once, whatever the reach") {
  for (const auto reach : kReaches) {
    given({first_grant(4)})
        .when(cancel(reach, CancelCause::kRecalled))
        .then({UpdateCancelled{CancelCause::kRecalled, 1, 4, false}});
    given({UpdateRequested{plan()}})
        .about(kDirect)
        .when(cancel(reach))
        .then({UpdateCancelled{CancelCause::kOperator, 0, 0, false}});
    given({first_grant(4), GrantLapsed{1, 4, false}})
        .when(cancel(reach))
        .then({UpdateCancelled{CancelCause::kOperator, 0, 0, false}});  // it has left its batch
  }
}

TEST_CASE("decision 24: one that waits for a retry is cancelled at once: nothing runs") {
  for (const auto reach : kReaches) {
    given({first_grant(4), started(), failed_until(kNow + minutes(1))})
        .when(cancel(reach))
        .then({UpdateCancelled{CancelCause::kOperator, 0, 4, false}});
  }
}

TEST_CASE("decision 24: a holder that refuses to be cancelled, of a campaign that will not switch, ends in time") {
  auto grant = first_grant();
  grant.hold = true;
  auto more_time = started();
  more_time.extended = true;
  const auto held_and = [&](const std::vector<Fact>& more) {
    std::vector<Fact> facts{grant, at(kBefore, started()), progress(UpdateStatus::kVerifying), UpdateHeld{1, 0, false}};
    facts.insert(facts.end(), more.begin(), more.end());
    return given(facts);
  };
  for (const auto cause : {CancelCause::kCampaignCancelled, CancelCause::kCampaignAborted, CancelCause::kRecalled}) {
    const auto asked_to_stop = held_and({asked(cause)});
    asked_to_stop.when(AnswerCancel{1, false, {}}).then({CancelRefused{}, more_time});
    const auto refused = held_and({asked(cause), CancelRefused{}, more_time});
    CHECK(refused.update().held);                     // it is offered again, and still not to install
    CHECK(refused.update().started_at == kBefore);
    const DeadlineReached timed_out{UpdateDeadline::kTimeout, 1};
    CHECK(held_and({asked(cause), CancelRefused{}, more_time}).now(more_time.timeout_at).when(timed_out).the<AttemptEnded>().error_code ==
          "timeout");
    // Told again, whatever it refused before.
    refused.when(cancel(Reach::kNotInstalling, cause)).then_nothing();
    held_and({asked(), CancelRefused{}}).when(cancel(Reach::kNotInstalling, cause)).then({more_time});
  }
  // An operator's cancellation of the one update: it goes on waiting for the switch.
  held_and({asked()}).when(AnswerCancel{1, false, {}}).then({CancelRefused{}});
}

TEST_CASE("a campaign's update is cancelled before its first event, of whoever it will be") {
  const auto unborn = given({});
  const auto decision = decide(unborn.update(), cancel(), unborn.context());
  REQUIRE(decision);
  REQUIRE(decision.value().size() == 1);
  CHECK(decision.value().front().stream == Stream(kUpdate));
  CHECK_FALSE(decision.value().front().device);
}

TEST_CASE("an update of no campaign that has no events is not there") {
  given({}).about(kDirect).when(cancel()).then_error(ErrorCode::kNotFound);
}

TEST_CASE("decision 24: a device that has started is asked, and given min(timeout, 15 minutes)") {
  started_in(UpdateStatus::kDownloading).when(cancel()).then({asked()});
  auto brief = first_grant();
  brief.plan->timeout_minutes = 7;
  given({brief, started()}).when(cancel()).then({asked(CancelCause::kOperator, kNow + minutes(7))});
}

TEST_CASE("decision 24: a reach ends where it says; what is further along is left to finish") {
  using enum UpdateStatus;
  given({first_grant(), started()}).when(cancel(Reach::kNotStarted)).then_nothing();
  for (const auto phase : {kInProgress, kDownloading, kVerifying}) {
    started_in(phase).when(cancel(Reach::kNotStarted)).then_nothing();
    started_in(phase).when(cancel(Reach::kNotInstalling)).then({asked()});
    started_in(phase).when(cancel(Reach::kAny)).then({asked()});
  }
  for (const auto phase : {kInstalling, kRebooting}) {
    started_in(phase).when(cancel(Reach::kNotStarted)).then_nothing();
    started_in(phase).when(cancel(Reach::kNotInstalling)).then_nothing();
    started_in(phase).when(cancel(Reach::kAny)).then({asked()});
  }
}

TEST_CASE("asking again while the device thinks changes nothing") {
  being_cancelled().when(cancel()).then_nothing();
  being_cancelled()
      .when(cancel(Reach::kNotInstalling, CancelCause::kCampaignCancelled))
      .then_nothing();
}

TEST_CASE("a cancelled update is cancelled: no event, no error") {
  for (const auto reach : kReaches) {
    given({first_grant(), UpdateCancelled{CancelCause::kOperator, 1, 0, false}})
        .when(cancel(reach))
        .then_nothing();
    given({UpdateSkipped{}}).when(cancel(reach)).then_nothing();
  }
}

TEST_CASE("decision 24: an operator is told that it has ended, a reaction just comes too late") {
  for (const Fact& end : {Fact(succeeded()), Fact(failed_for_good())}) {
    const auto ended = given({first_grant(), started(), end});
    const auto error = ended.when(cancel()).then_error(ErrorCode::kStateTransition);
    CHECK(error.requested == "cancel");
    CHECK(error.current_state == to_text(ended.update().status));
    CHECK(error.allowed.size() == 6);
    ended.when(cancel(Reach::kNotStarted)).then_nothing();
    ended.when(cancel(Reach::kNotInstalling)).then_nothing();
  }
}

TEST_CASE(
    "decision 24: the device agrees, and the update is cancelled for the reason it was asked") {
  being_cancelled()
      .when(AnswerCancel{1, true, {}})
      .then({UpdateCancelled{CancelCause::kRecalled, 1, 4, false}});
}

TEST_CASE("decision 24: the device refuses, the request is withdrawn and shown as refused") {
  being_cancelled()
      .when(AnswerCancel{1, false, {"flash write in progress"}})
      .then({CancelRefused{{"flash write in progress"}}});
  const auto state = given({first_grant(), started(), asked(), CancelRefused{{"no"}}}).update();
  CHECK_FALSE(state.cancel);
  CHECK(state.cancel_refused);
  CHECK(state.status == UpdateStatus::kInProgress);
}

TEST_CASE("a refusal is bounded like every report") {
  const std::vector<std::string> lines(60, std::string(600, 'x'));
  const auto refused = being_cancelled().when(AnswerCancel{1, false, lines}).the<CancelRefused>();
  CHECK(refused.details.size() == 50);
  CHECK(refused.details.front().size() == 512);
}

TEST_CASE("an operator may ask again after a refusal, and it is no longer refused") {
  const auto refused = given({first_grant(), started(), asked(), CancelRefused{}});
  refused.when(cancel()).then({asked()});
  const auto state = given({first_grant(), started(), asked(), CancelRefused{}, asked()}).update();
  CHECK(state.cancel);
  CHECK_FALSE(state.cancel_refused);
}

TEST_CASE("an answer that nobody waits for changes nothing") {
  for (const bool accepted : {true, false}) {
    given({first_grant(), started()}).when(AnswerCancel{1, accepted, {}}).then_nothing();
    being_cancelled().when(AnswerCancel{2, accepted, {}}).then_nothing();
    given({first_grant(), started(), asked(), CancelRefused{}})
        .when(AnswerCancel{1, accepted, {}})
        .then_nothing();
    given({first_grant(), started(), asked(), succeeded()})
        .when(AnswerCancel{1, accepted, {}})
        .then_nothing();
  }
}

TEST_CASE("decision 24: a device that stays silent is taken as agreeing") {
  being_cancelled()
      .when(DeadlineReached{UpdateDeadline::kCancelGiveUp, 1})
      .then({UpdateCancelled{CancelCause::kRecalled, 1, 4, false}});
}

TEST_CASE("decision 24: a silent device that was asked to stop is cancelled, also if its time is over first") {
  const CancelRequested asked{CancelCause::kOperator, kNow + minutes(10)};
  given({first_grant(), started(), asked})
      .when(DeadlineReached{UpdateDeadline::kTimeout, 1, {}})
      .then({UpdateCancelled{CancelCause::kOperator, 1, 0, false}});
}

TEST_CASE("a cancelled update says why") {
  for (std::uint8_t cause = 1; cause <= 12; ++cause) {
    CAPTURE(int(cause));
    const auto s = given({first_grant(), UpdateCancelled{static_cast<CancelCause>(cause), 1, 0, false}}).update();
    CHECK_FALSE(s.error_code.empty());
    CHECK_FALSE(s.error_message.empty());
  }
}
