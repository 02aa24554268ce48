// Updates under conditions: consent before them, a hold in the middle, proof behind them, and the way back
// (decisions 10, 12, 27 and 32; design, section 4).
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

AttemptGranted granted_under(const std::function<void(UpdatePlan&)>& change) {
  auto g = first_grant();
  change(*g.plan);
  return g;
}
AttemptGranted to_be_proved() {
  return granted_under([](UpdatePlan& p) { p.require_version_proof = true; });
}
AttemptGranted agreed_to() {
  return granted_under([](UpdatePlan& p) { p.requires_consent = true; });
}
AttemptGranted holding() {
  auto g = first_grant();
  g.hold = true;
  return g;
}

Report said(Report::Kind kind, std::optional<UpdateStatus> phase = {}) {
  Report r;
  r.attempt = 1;
  r.kind = kind;
  r.phase = phase;
  return r;
}
const Report kVerifying = said(Report::Kind::kProgress, UpdateStatus::kVerifying);
const Report kSuccess = said(Report::Kind::kSuccess);

const ConsentAsked kAsked{1, kAction, plan()};
const DeadlineReached kTimedOut{UpdateDeadline::kTimeout, 1};

}  // namespace

// ---- consent -----------------------------------------------------------------------------------------------------

TEST_CASE("decision 32: consent is given once, and the grant keeps the action that was agreed to") {
  given({kAsked}).when(AnswerConsent{1, true, {"tonight"}}).then({ConsentGiven{1, {"tonight"}}});
  given({kAsked, ConsentGiven{1, {}}}).when(AnswerConsent{1, true, {}}).then_nothing();
  const auto s = given({kAsked, ConsentGiven{1, {}}}).update();
  CHECK(s.status == UpdateStatus::kScheduled);
  CHECK(s.consented);
  CHECK(s.action == kAction);
  CHECK(s.attempt == 0);
  CHECK_FALSE(s.start_by);   // no place, no time-out
  CHECK_FALSE(s.timeout_at);
}

TEST_CASE("decision 33: who declines is cancelled, before the grant and until the attempt begins") {
  given({kAsked}).when(AnswerConsent{1, false, {}}).then({UpdateCancelled{CancelCause::kDeclined, 0, 0, false}});
  given({kAsked, ConsentGiven{1, {}}, agreed_to()})
      .when(AnswerConsent{1, false, {}})
      .then({UpdateCancelled{CancelCause::kDeclined, 1, 0, false}});
  given({kAsked, ConsentGiven{1, {}}, agreed_to()}).when(AnswerConsent{1, true, {}}).then_nothing();
  given({kAsked, ConsentGiven{1, {}}, agreed_to(), started()})
      .when(AnswerConsent{1, false, {}})
      .then_error(ErrorCode::kStateTransition);
}

TEST_CASE("decision 32: who is asked anew, for a later attempt, answers anew") {
  const auto asked_again = given({kAsked, ConsentGiven{1, {}}, agreed_to(), started(), failed_for_good(),
                                  RetryAsked{1, 1, std::nullopt}, ConsentAsked{2, kAction, {}}});
  CHECK_FALSE(asked_again.update().consented);
  asked_again.when(AnswerConsent{2, true, {}}).then({ConsentGiven{2, {}}});
  asked_again.when(AnswerConsent{2, false, {}}).then({UpdateCancelled{CancelCause::kDeclined, 0, 0, false}});
}

TEST_CASE("an answer that is said again changes nothing, and another one comes too late for what is over") {
  const auto declined = given({kAsked, UpdateCancelled{CancelCause::kDeclined, 0, 0, false}});
  declined.when(AnswerConsent{1, false, {}}).then_nothing();
  CHECK(declined.when(AnswerConsent{1, true, {}}).then_error(ErrorCode::kStateTransition).message ==
        "cannot confirm an update that is cancelled; allowed from: scheduled");
  const auto stopped = given({kAsked, ConsentGiven{1, {}}, UpdateCancelled{CancelCause::kCampaignCancelled, 0, 0, false}});
  for (const bool agreed : {true, false}) {
    stopped.when(AnswerConsent{1, agreed, {}}).then_error(ErrorCode::kStateTransition);
    stopped.when(AnswerConsent{2, agreed, {}}).then_error(ErrorCode::kNotFound);
  }
}

TEST_CASE("an answer that nobody asked for is about nothing") {
  given({}).when(AnswerConsent{1, true, {}}).then_error(ErrorCode::kNotFound);
  given({first_grant(), started(), failed_until(kNow)}).when(AnswerConsent{2, true, {}}).then_error(ErrorCode::kNotFound);
  given({kAsked}).when(AnswerConsent{2, true, {}}).then_nothing();
}

// ---- download only, and holding ----------------------------------------------------------------------------------

TEST_CASE("decision 32: a download is complete when it is downloaded") {
  const auto only = granted_under([](UpdatePlan& p) { p.download_only = true; });
  const auto downloading = given({only, started(), progress(UpdateStatus::kDownloading)});
  downloading.when(said(Report::Kind::kProgress, UpdateStatus::kDownloading)).then_nothing();
  // Said again it is late, since the update is over.
  downloading.when(kVerifying).then_each_time({progress(UpdateStatus::kVerifying), succeeded()});
}

TEST_CASE("a holder holds once it has verified, and no time-out runs against it") {
  const auto downloading = given({holding(), started(), progress(UpdateStatus::kDownloading)});
  downloading.when(kVerifying).then({progress(UpdateStatus::kVerifying), UpdateHeld{1, 0, false}});
  const auto held = given({holding(), started(), progress(UpdateStatus::kVerifying), UpdateHeld{1, 0, false}});
  CHECK(held.update().held);
  CHECK_FALSE(held.update().timeout_at);
  held.when(kVerifying).then_nothing();
  held.when(kTimedOut).then_nothing();
  given({first_grant(), started(), progress(UpdateStatus::kDownloading)}).when(kVerifying).then({progress(UpdateStatus::kVerifying)});
}

TEST_CASE("the switch lets a holder install, with its whole time, once") {
  auto again = started();
  again.released = true;
  const auto held = given({holding(), started(), progress(UpdateStatus::kVerifying), UpdateHeld{1, 0, false}});
  held.when(ReleaseHold{}).then({again});
  const auto released =
      given({holding(), at(kBefore, started()), progress(UpdateStatus::kVerifying), UpdateHeld{1, 0, false}, again});
  CHECK_FALSE(released.update().held);
  CHECK(released.update().started_at == kBefore);   // it began when it began
  CHECK(released.update().timeout_at == kNow + minutes(60));
  released.when(ReleaseHold{}).then_nothing();
  released.when(kVerifying).then_nothing();
  // One that still downloads when the switch comes does not stop at all.
  given({holding(), started(), again, progress(UpdateStatus::kDownloading)}).when(kVerifying).then({progress(UpdateStatus::kVerifying)});
  given({first_grant(), started()}).when(ReleaseHold{}).then_nothing();
}

TEST_CASE("a holder that installs before the switch, whoever let it go, holds no more and has its time for it") {
  auto gone = started();
  gone.released = true;
  const auto held = given({holding(), started(), progress(UpdateStatus::kVerifying), UpdateHeld{1, 0, false}});
  for (const auto phase : {UpdateStatus::kInstalling, UpdateStatus::kRebooting}) {
    held.when(said(Report::Kind::kProgress, phase)).then({gone, progress(phase)});
  }
  const auto installs = given({holding(), started(), progress(UpdateStatus::kVerifying), UpdateHeld{1, 0, false}, gone,
                               progress(UpdateStatus::kInstalling)});
  CHECK_FALSE(installs.update().held);
  installs.when(ReleaseHold{}).then_nothing();
  CHECK(installs.when(kTimedOut).the<AttemptEnded>().kind == FailureKind::kTimeout);
  // One that never said that it has verified is not made to wait behind it.
  const auto downloading = given({holding(), started(), progress(UpdateStatus::kDownloading)});
  downloading.when(said(Report::Kind::kProgress, UpdateStatus::kInstalling)).then({progress(UpdateStatus::kInstalling)});
}

// ---- proof -------------------------------------------------------------------------------------------------------

TEST_CASE("decision 12: where its version must be seen, a success only says that the device restarts") {
  const auto running = given({to_be_proved(), started(), progress(UpdateStatus::kInstalling)});
  running.when(kSuccess).then({progress(UpdateStatus::kRebooting)});
  auto seen = kSuccess;
  seen.runs = "2.1.0";
  running.when(seen).then({succeeded()});
  seen.runs = "2.0.0";
  running.when(seen).then({progress(UpdateStatus::kRebooting)});
}

TEST_CASE("decision 12: the version that is seen proves the success, and only of who waits for it") {
  const auto waits = given({to_be_proved(), started(), progress(UpdateStatus::kRebooting)});
  waits.when(ConfirmVersion{1}).then({succeeded()});
  waits.when(ConfirmVersion{2}).then_nothing();
  waits.when(kTimedOut).the<AttemptEnded>();   // one that is never seen fails in the end
  given({to_be_proved(), started(), progress(UpdateStatus::kInstalling)}).when(ConfirmVersion{1}).then_nothing();
  given({first_grant(), started(), progress(UpdateStatus::kRebooting)}).when(ConfirmVersion{1}).then_nothing();
}

// ---- the way back ------------------------------------------------------------------------------------------------

TEST_CASE("a holder that says that it goes on waiting does not install") {
  const auto held = given({holding(), started(), progress(UpdateStatus::kVerifying), UpdateHeld{1, 0, false}});
  held.when(said(Report::Kind::kProgress)).then_nothing();
  const auto stopped = held.when(CancelUpdate{CancelCause::kRecalled, CancelUpdate::Reach::kNotInstalling});
  CHECK(stopped.the<CancelRequested>().cause == CancelCause::kRecalled);
}

TEST_CASE("decision 27: what times out behind the beginning of the installation goes back, if that is a trigger") {
  const auto taken_back = granted_under([](UpdatePlan& p) { p.rollback_on_timeout = true; });
  for (const auto phase : {UpdateStatus::kInstalling, UpdateStatus::kRebooting}) {
    const auto end = given({taken_back, started(), progress(phase)}).when(kTimedOut).the<AttemptEnded>();
    CHECK(end.takes_back);
    CHECK_FALSE(end.retry_at);
    const auto without = given({first_grant(), started(), progress(phase)}).when(kTimedOut).the<AttemptEnded>();
    CHECK_FALSE(without.takes_back);
    CHECK(without.retry_at);
  }
  const auto early = given({taken_back, started(), progress(UpdateStatus::kVerifying)}).when(kTimedOut).the<AttemptEnded>();
  CHECK_FALSE(early.takes_back);
  CHECK(early.retry_at);
  // What the device itself says is no time-out.
  const auto failed = given({taken_back, started(), progress(UpdateStatus::kInstalling)})
                          .when(said(Report::Kind::kFailure))
                          .the<AttemptEnded>();
  CHECK_FALSE(failed.takes_back);
}

TEST_CASE("decision 10: a rollback that succeeds undoes the update that it takes back") {
  const auto back = UpdateId::in_campaign(kCampaign, kOrdinal, 1);
  const auto rollback = granted_under([](UpdatePlan& p) {
    p.rollback = RollbackOf{RollbackTrigger::kManual, "bad", kUpdate, "2.1.0"};
  });
  // Two streams: the second event is not this update's.
  given({rollback, started()}).about(back).when(kSuccess).then_each_time({succeeded(), in(kUpdate, UpdateUndone{back})});
  AttemptEnded failed;
  failed.error_code = "device_failure";
  failed.retry_count = 1;
  failed.retry_at = next_retry_at(back, 0, kNow, {});
  given({rollback, started()}).about(back).when(said(Report::Kind::kFailure)).then({failed});
  const auto undone = given({first_grant(), started(), succeeded(), UpdateUndone{back}}).update();
  CHECK(undone.status == UpdateStatus::kRollback);
  CHECK(undone.undone_by == back);
  const auto refuted = given({first_grant(), started(), failed_for_good(), UpdateUndone{back}}).update();
  CHECK(refuted.status == UpdateStatus::kFailed);
  CHECK(refuted.undone_by == back);
}

TEST_CASE("decision 23: a success that is refuted has failed after all, and says why") {
  const UpdateRefuted ill{RefutedBy::kHealth, "the device reported health: failed", 0, false, true};
  const auto s = given({first_grant(), started(), succeeded(), ill}).update();
  CHECK(s.status == UpdateStatus::kFailed);
  CHECK(s.error_code == "health_check");
  CHECK(s.error_message == ill.fact);
  const UpdateRefuted old{RefutedBy::kVersion, "reported success but runs 2.0.0", 0, false, false};
  CHECK(given({first_grant(), started(), succeeded(), old}).update().error_code == "wrong_version");
  CHECK(given({first_grant(), started(), old}).update().status == UpdateStatus::kInProgress);
}
