// How an attempt ends: success, failure, retries with back-off, deadlines (decisions 7, 8, 16, 33).
#include <doctest/doctest.h>

#include "domain/limits.hpp"
#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

Report end(Report::Kind kind, std::uint32_t attempt = 1) {
  Report r;
  r.attempt = attempt;
  r.kind = kind;
  return r;
}
const Report kSuccess = end(Report::Kind::kSuccess);
const Report kFailure = end(Report::Kind::kFailure);
const Report kDeclined = end(Report::Kind::kDeclined);

Report failure_of(FailureKind kind) {
  auto r = kFailure;
  r.failure = kind;
  return r;
}

AttemptGranted grant_with(std::uint32_t max_retries, std::uint32_t timeout_minutes = 60) {
  auto g = first_grant(3);
  g.plan->max_retries = max_retries;
  g.plan->timeout_minutes = timeout_minutes;
  return g;
}

// What a failure of the running first attempt of batch 3 comes to.
AttemptEnded failure(FailureKind kind = FailureKind::kDevice,
                     const std::string& code = "device_failure") {
  AttemptEnded e;
  e.kind = kind;
  e.error_code = code;
  e.batch = 3;
  return e;
}

AttemptEnded retried(AttemptEnded e, std::uint32_t retry_count, std::uint32_t backoffs = 0) {
  e.retry_count = retry_count;
  e.retry_at = next_retry_at(kUpdate, backoffs, kNow, {});
  return e;
}

}  // namespace

TEST_CASE("BR-OTA-029: a success completes the update, with the batch and retries of its grant") {
  AttemptEnded expected;
  expected.success = true;
  expected.batch = 3;
  given({grant_with(3), started()}).when(kSuccess).then({expected});
}

TEST_CASE("a success is a sign that the attempt began") {
  AttemptEnded expected;
  expected.success = true;
  expected.batch = 3;
  given({grant_with(3, 30)}).when(kSuccess).then({AttemptStarted{1, kNow + minutes(30)}, expected});
}

TEST_CASE("the last words of an attempt are kept") {
  auto words = kSuccess;
  words.details = {"all good"};
  words.code = 0;
  ProgressReported last = progress(UpdateStatus::kInstalling, 5'000);
  last.details = {"all good"};
  last.code = 0;
  AttemptEnded expected;
  expected.success = true;
  expected.batch = 3;
  given({grant_with(3), started(), progress(UpdateStatus::kInstalling, 5'000)})
      .when(words)
      .then({last, expected});
  given({grant_with(3), started(), last}).when(words).then({expected});
}

TEST_CASE("decision 8: a failure with retries left waits for the next attempt, and is not failed") {
  given({grant_with(3), started()}).when(kFailure).then({retried(failure(), 1)});
  const auto state = given({grant_with(3), started(), retried(failure(), 1)}).update();
  CHECK(state.status == UpdateStatus::kScheduled);
  CHECK(state.retry_at == next_retry_at(kUpdate, 0, kNow, {}));
  CHECK(state.error_code == "device_failure");
  CHECK(state.progress_basis_points == 0);
  CHECK_FALSE(state.completed_at);
}

TEST_CASE("BR-OTA-024: an update fails for good after its last retry") {
  given({grant_with(0), started()}).when(kFailure).then({failure()});
  auto second = failure();
  second.attempt = 2;
  second.batch = 0;
  second.retry = true;
  second.retry_count = 1;
  given({grant_with(1), started(), retried(failure(), 1), retry_grant(2), started(2)})
      .when(end(Report::Kind::kFailure, 2))
      .then({second});
}

TEST_CASE("decision 8: the back-off doubles with every retry") {
  auto second = failure();
  second.attempt = 2;
  second.batch = 0;
  second.retry = true;
  given({grant_with(3), started(), retried(failure(), 1), retry_grant(2), started(2)})
      .when(end(Report::Kind::kFailure, 2))
      .then({retried(second, 2, 1)});
}

TEST_CASE("decision 8: the back-off is base x 1, 2, 4 ... up to its cap, plus at most a quarter") {
  const Settings settings;
  for (const auto& id : {kUpdate, kDirect, kOtherDirect}) {
    Duration base = minutes(1);
    for (std::uint32_t retries = 0; retries <= 20; ++retries) {
      const auto wait = next_retry_at(id, retries, kNow, settings) - kNow;
      CHECK(wait >= base);
      CHECK(wait <= base + base / 4);
      base = std::min<Duration>(base * 2, minutes(60));
    }
  }
}

TEST_CASE(
    "decision 8: the jitter comes from the update's id: the same again, another for another") {
  const Settings settings;
  CHECK(next_retry_at(kUpdate, 3, kNow, settings) == next_retry_at(kUpdate, 3, kNow, settings));
  std::map<Time, int> spread;
  for (std::uint32_t o = 0; o < 200; ++o) {
    ++spread[next_retry_at(UpdateId::in_campaign(kCampaign, {o}), 3, kNow, settings)];
  }
  CHECK(spread.size() > 100);
}

TEST_CASE("decision 8: a back-off of the operator's choice is taken") {
  Settings settings;
  settings.retry_backoff_base = seconds(10);
  settings.retry_backoff_max = seconds(10);
  const auto at =
      given({grant_with(3), started()}).with(settings).when(kFailure).the<AttemptEnded>().retry_at;
  REQUIRE(at);
  CHECK(*at >= kNow + seconds(10));
  CHECK(*at <= kNow + seconds(13));
}

TEST_CASE("decision 8: transport and service failures retry without raising the retry count") {
  for (const auto kind : {FailureKind::kTransport, FailureKind::kService}) {
    auto expected = failure(kind);
    expected.spared_retries = 1;
    expected.retry_at = next_retry_at(kUpdate, 0, kNow, {});
    given({grant_with(0), started()}).when(failure_of(kind)).then({expected});
  }
}

TEST_CASE("decision 8: at most 20 failures are spared, then the update fails") {
  auto spent = failure(FailureKind::kTransport);
  spent.spared_retries = limits::kSparedRetries;
  spent.retry_at = kBefore;
  auto second = failure(FailureKind::kTransport);
  second.attempt = 2;
  second.batch = 0;
  second.retry = true;
  second.spared_retries = limits::kSparedRetries;
  auto report = end(Report::Kind::kFailure, 2);
  report.failure = FailureKind::kTransport;
  given({grant_with(3), started(), spent, retry_grant(2), started(2)}).when(report).then({second});
}

TEST_CASE("decision 8: spared failures leave the counted ones their retries") {
  auto spent = failure(FailureKind::kTransport);
  spent.spared_retries = limits::kSparedRetries;
  spent.retry_at = kBefore;
  auto second = failure();
  second.attempt = 2;
  second.batch = 0;
  second.retry = true;
  second.spared_retries = limits::kSparedRetries;
  given({grant_with(3), started(), spent, retry_grant(2), started(2)})
      .when(end(Report::Kind::kFailure, 2))
      .then({retried(second, 1)});
}

TEST_CASE("decision 24: a device that was asked to stop is not asked to try again") {
  const CancelRequested asked{CancelCause::kOperator, kNow + minutes(15)};
  given({grant_with(3), started(), asked}).when(kFailure).then({failure()});
  given({grant_with(3), started(), asked})
      .when(failure_of(FailureKind::kTransport))
      .then({failure(FailureKind::kTransport)});
}

TEST_CASE("decision 24: if a cancelled update ends first, its result stands") {
  AttemptEnded expected;
  expected.success = true;
  expected.batch = 3;
  given({grant_with(3), started(), CancelRequested{CancelCause::kOperator, kNow + minutes(15)}})
      .when(kSuccess)
      .then({expected});
}

TEST_CASE("the error is what the device says, else its code, else that it failed") {
  const auto ended = [](Report r) {
    return given({grant_with(3), started()}).when(std::move(r)).the<AttemptEnded>();
  };
  auto r = kFailure;
  CHECK(ended(r).error_code == "device_failure");
  CHECK(ended(r).error_message.empty());
  r.code = -7;
  CHECK(ended(r).error_code == "device_-7");
  r.details = {"first", "flash is full"};
  CHECK(ended(r).error_message == "flash is full");
  r.error_code = "flash";
  r.error_message = "no room";
  CHECK(ended(r).error_code == "flash");
  CHECK(ended(r).error_message == "no room");
}

TEST_CASE("long errors are cut between characters: half of one could not be read back") {
  auto r = kFailure;
  r.error_code = std::string(511, 'x') + "ä";
  r.error_message = std::string(511, 'y') + "\xE2\x82\xAC and more";
  const auto ended = given({grant_with(3), started()}).when(r).the<AttemptEnded>();
  CHECK(ended.error_code == std::string(511, 'x'));
  CHECK(ended.error_message == std::string(511, 'y'));
}

TEST_CASE("decision 33: declined by the device or its user is cancelled") {
  given({grant_with(3), started()})
      .when(kDeclined)
      .then({UpdateCancelled{CancelCause::kDeclined, 1, 3, false}});
  const auto state =
      given({grant_with(3), started(), UpdateCancelled{CancelCause::kDeclined, 1, 3, false}})
          .update();
  CHECK(state.status == UpdateStatus::kCancelled);
  CHECK(state.error_code == "declined");
}

TEST_CASE("an end that is said again is answered and not recorded") {
  given({first_grant(), started(), succeeded()}).when(kSuccess).then_nothing();
  given({first_grant(), started(), failed_for_good()}).when(kFailure).then_nothing();
  given({first_grant(), started(), failed_until(kNow)}).when(kFailure).then_nothing();
  given({first_grant(), started(), UpdateCancelled{CancelCause::kDeclined, 1, 0, false}})
      .when(kDeclined)
      .then_nothing();
}

TEST_CASE("decision 26: another end than the one that was taken is recorded as late, once") {
  const auto late = [](UpdateStatus said) { return LateReportRecorded{1, said, {}, {}}; };
  const auto check = [&](const std::vector<Fact>& facts, const Report& report,
                         UpdateStatus said) {
    given(facts).when(report).then({late(said)});
    auto after = facts;
    after.emplace_back(late(said));
    given(after).when(report).then_nothing();
  };
  check({first_grant(), started(), succeeded()}, kFailure, UpdateStatus::kFailed);
  check({first_grant(), started(), failed_for_good()}, kSuccess, UpdateStatus::kCompleted);
  check({first_grant(), GrantLapsed{}}, kSuccess, UpdateStatus::kCompleted);
  check({first_grant(), started(), UpdateCancelled{CancelCause::kOperator, 1, 0, false}}, kSuccess,
        UpdateStatus::kCompleted);
  check({first_grant(), started(), failed_until(kBefore), retry_grant(2)}, kSuccess,
        UpdateStatus::kCompleted);
  // It timed out; then the device says that it failed.
  auto timeout = failure(FailureKind::kTimeout, "timeout");
  check({first_grant(), started(), timeout}, kFailure, UpdateStatus::kFailed);
}

TEST_CASE("late reports are recorded up to a bound") {
  std::vector<Fact> facts{first_grant(), started(), succeeded()};
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(limits::kLateReports); ++i) {
    auto report = end(Report::Kind::kFailure, 1);
    report.code = i;
    given(facts).when(report).then({LateReportRecorded{1, UpdateStatus::kFailed, i, {}}});
    facts.emplace_back(LateReportRecorded{1, UpdateStatus::kFailed, i, {}});
  }
  given(facts).when(kFailure).then_nothing();
}

TEST_CASE("an end of nothing is not found") {
  given({}).when(kSuccess).then_error(ErrorCode::kNotFound);
  given({first_grant()}).when(end(Report::Kind::kSuccess, 2)).then_error(ErrorCode::kNotFound);
}

TEST_CASE("BR-OTA-025: an attempt that takes too long has failed, and may be retried") {
  auto expected = failure(FailureKind::kTimeout, "timeout");
  expected.error_message = "no result within 30 minutes";
  const DeadlineReached timeout{UpdateDeadline::kTimeout, 1};
  given({grant_with(3, 30), started()}).when(timeout).then({retried(expected, 1)});
  given({grant_with(0, 30), started()}).when(timeout).then({expected});
}

TEST_CASE("decision 7: a grant that nobody fetched lapses, which is no failure") {
  const DeadlineReached start_by{UpdateDeadline::kStartBy, 1};
  given({first_grant(3)}).when(start_by).then({GrantLapsed{1, 3, false}});
  given({first_grant(), started(), failed_until(kBefore), retry_grant(2)})
      .when(DeadlineReached{UpdateDeadline::kStartBy, 2})
      .then({GrantLapsed{2, 0, true}});
  given({first_grant(), started()}).when(start_by).then_nothing();
}

TEST_CASE("a deadline of an attempt that is over, or was never set, does nothing") {
  using enum UpdateDeadline;
  for (const auto deadline : {kStartBy, kTimeout, kCancelGiveUp}) {
    given({}).when(DeadlineReached{deadline, 1}).then_nothing();
    given({first_grant(), started(), succeeded()})
        .when(DeadlineReached{deadline, 1})
        .then_nothing();
    given({first_grant(), GrantLapsed{}}).when(DeadlineReached{deadline, 1}).then_nothing();
    given({first_grant(), started(), failed_until(kBefore), retry_grant(2)})
        .when(DeadlineReached{deadline, 1})
        .then_nothing();
  }
  given({first_grant()}).when(DeadlineReached{kTimeout, 1}).then_nothing();
  given({first_grant(), started()}).when(DeadlineReached{kCancelGiveUp, 1}).then_nothing();
  given({first_grant(), started()})
      .when(DeadlineReached{static_cast<UpdateDeadline>(99), 1})
      .then_nothing();
}
