// How an attempt begins and goes on: started, phases, thresholds, late reports (decisions 7, 17,
// 26).
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

Report report(std::optional<UpdateStatus> phase,
              std::optional<std::uint32_t> basis_points = std::nullopt) {
  Report r;
  r.attempt = 1;
  r.phase = phase;
  r.phase_basis_points = basis_points;
  return r;
}

Report note(std::vector<std::string> details) {
  Report r;
  r.attempt = 1;
  r.kind = Report::Kind::kNote;
  r.details = std::move(details);
  return r;
}

ProgressReported said(UpdateStatus phase, std::vector<std::string> details) {
  auto p = progress(phase);
  p.details = std::move(details);
  return p;
}

Given running() { return given({first_grant(), started()}); }
Given running_in(UpdateStatus phase, std::uint32_t basis_points = 0) {
  return given({first_grant(), started(), progress(phase, basis_points)});
}

}  // namespace

TEST_CASE("decision 7: an attempt starts once, and its timeout runs from then") {
  given({first_grant()}).when(StartAttempt{1}).then({AttemptStarted{1, kNow + minutes(60)}});
  running().when(StartAttempt{1}).then_nothing();
}

TEST_CASE("an attempt that is not the present one does not start") {
  given({first_grant()}).when(StartAttempt{0}).then_nothing();
  given({first_grant()}).when(StartAttempt{2}).then_nothing();
  given({}).when(StartAttempt{1}).then_nothing();
  given({first_grant(), GrantLapsed{}}).when(StartAttempt{1}).then_nothing();
  given({first_grant(), started(), succeeded()}).when(StartAttempt{1}).then_nothing();
}

TEST_CASE("BR-OTA-030: a first report tells that the attempt began, whatever became of the start") {
  given({first_grant()})
      .when(report(UpdateStatus::kDownloading))
      .then({AttemptStarted{1, kNow + minutes(60)}, progress(UpdateStatus::kDownloading)});
  given({first_grant()})
      .when(report(UpdateStatus::kInProgress))
      .then({AttemptStarted{1, kNow + minutes(60)}});
}

TEST_CASE("decision 17: a new phase is recorded") {
  running().when(report(UpdateStatus::kDownloading)).then({progress(UpdateStatus::kDownloading)});
  running_in(UpdateStatus::kDownloading, 10'000)
      .when(report(UpdateStatus::kVerifying))
      .then({progress(UpdateStatus::kVerifying)});
  running_in(UpdateStatus::kDownloading, 10'000)
      .when(report(UpdateStatus::kRebooting))
      .then({progress(UpdateStatus::kRebooting)});
}

TEST_CASE("decision 17: within a phase ten points are news, less is answered and not recorded") {
  running_in(UpdateStatus::kDownloading, 2'000)
      .when(report(UpdateStatus::kDownloading, 3'000))
      .then({progress(UpdateStatus::kDownloading, 3'000)});
  running_in(UpdateStatus::kDownloading, 2'000)
      .when(report(UpdateStatus::kDownloading, 2'999))
      .then_nothing();
  running_in(UpdateStatus::kDownloading, 2'000)
      .when(report(UpdateStatus::kDownloading))
      .then_nothing();
}

TEST_CASE("decision 17: progress never goes down within an attempt") {
  running_in(UpdateStatus::kDownloading, 5'000)
      .when(report(UpdateStatus::kDownloading, 1'000))
      .then_nothing();
  auto lower = report(UpdateStatus::kDownloading, 1'000);
  lower.details = {"mirror changed"};
  auto kept = progress(UpdateStatus::kDownloading, 5'000);
  kept.details = {"mirror changed"};
  running_in(UpdateStatus::kDownloading, 5'000).when(lower).then({kept});
}

TEST_CASE("BR-OTA-030: a phase is done at 100 %, not beyond") {
  running()
      .when(report(UpdateStatus::kDownloading, 4'000'000))
      .then({progress(UpdateStatus::kDownloading, 10'000)});
}

TEST_CASE("BR-OTA-031: what a protocol leaves open is taken from the state") {
  running().when(report(std::nullopt)).then({progress(UpdateStatus::kDownloading)});
  running_in(UpdateStatus::kDownloading)
      .when(report(std::nullopt, 1'000))
      .then({progress(UpdateStatus::kDownloading, 1'000)});
  running_in(UpdateStatus::kVerifying)
      .when(report(std::nullopt))
      .then({progress(UpdateStatus::kInstalling)});
  running_in(UpdateStatus::kInstalling, 1'000)
      .when(report(std::nullopt, 2'000))
      .then({progress(UpdateStatus::kInstalling, 2'000)});
  running_in(UpdateStatus::kRebooting).when(report(std::nullopt)).then_nothing();
}

TEST_CASE("decision 17: new text is recorded, repeated and empty text is not") {
  running_in(UpdateStatus::kInstalling)
      .when(note({"slot B"}))
      .then({said(UpdateStatus::kInstalling, {"slot B"})});
  given({first_grant(), started(), said(UpdateStatus::kInstalling, {"slot B"})})
      .when(note({"slot B"}))
      .then_nothing();
  running_in(UpdateStatus::kInstalling).when(note({})).then_nothing();
  running_in(UpdateStatus::kInstalling).when(note({"", ""})).then_nothing();
}

TEST_CASE("a note moves no phase") {
  running().when(note({"hello"})).then({said(UpdateStatus::kInProgress, {"hello"})});
  running_in(UpdateStatus::kVerifying)
      .when(note({"hello"}))
      .then({said(UpdateStatus::kVerifying, {"hello"})});
}

TEST_CASE("decision 17: at most 50 lines of 512 bytes, cut between characters") {
  std::vector<std::string> lines(60, "x");
  const auto kept = running().when(note(lines)).the<ProgressReported>().details;
  CHECK(kept.size() == 50);
  const auto cut = [](const std::string& line) {
    return running().when(note({line})).the<ProgressReported>().details.at(0);
  };
  CHECK(cut(std::string(600, 'x')) == std::string(512, 'x'));
  CHECK(cut(std::string(511, 'x') + "ä") == std::string(511, 'x'));
  CHECK(cut(std::string(510, 'x') + "ää") == std::string(510, 'x') + "ä");
  CHECK(cut(std::string(510, 'x') + "\xE2\x82\xAC") == std::string(510, 'x'));
}

TEST_CASE("what a device verified is recorded once") {
  auto verified = report(UpdateStatus::kVerifying);
  verified.signature_verified = true;
  verified.checksum_verified = false;
  auto expected = progress(UpdateStatus::kVerifying);
  expected.signature_verified = true;
  expected.checksum_verified = false;
  running_in(UpdateStatus::kVerifying).when(verified).then({expected});
  given({first_grant(), started(), expected}).when(verified).then_nothing();
  verified.checksum_verified = true;
  expected.checksum_verified = true;
  running_in(UpdateStatus::kVerifying).when(verified).then({expected});
}

TEST_CASE("speed and code go along with what is recorded, and are no news of their own") {
  auto fast = report(UpdateStatus::kDownloading);
  fast.bytes_per_second = 1'000'000;
  fast.code = 200;
  running_in(UpdateStatus::kDownloading).when(fast).then_nothing();
  auto expected = progress(UpdateStatus::kDownloading);
  expected.bytes_per_second = 1'000'000;
  expected.code = 200;
  running().when(fast).then({expected});
}

TEST_CASE("decision 26: an earlier phase is recorded as late and changes nothing") {
  auto late = report(UpdateStatus::kDownloading, 9'000);
  late.code = 7;
  late.details = {"still here"};
  const auto before = running_in(UpdateStatus::kInstalling);
  before.when(late).then_each_time(
      {LateReportRecorded{1, UpdateStatus::kDownloading, 7, {"still here"}}});
  const auto after = given({first_grant(), started(), progress(UpdateStatus::kInstalling),
                            LateReportRecorded{1, UpdateStatus::kDownloading, 7, {"still here"}}})
                         .update();
  CHECK(after.status == UpdateStatus::kInstalling);
  CHECK(after.details.empty());
  CHECK(after.progress_basis_points == before.update().progress_basis_points);
}

TEST_CASE("decision 26: a report of an older attempt is recorded as late") {
  const auto second = given({first_grant(), started(), failed_until(kBefore), retry_grant(2)});
  second.when(report(UpdateStatus::kInstalling))
      .then_each_time({LateReportRecorded{1, UpdateStatus::kInstalling, {}, {}}});
  second.when(note({"old"}))
      .then_each_time({LateReportRecorded{1, UpdateStatus::kInProgress, {}, {"old"}}});
}

TEST_CASE("decision 26: a report after the end, a lapse or a cancellation is recorded as late") {
  const Fact ends[] = {succeeded(), failed_for_good(), failed_until(kNow), GrantLapsed{},
                       UpdateCancelled{CancelCause::kOperator, 1, 0, false}};
  for (const auto& end : ends) {
    given({first_grant(), started(), end})
        .when(report(UpdateStatus::kRebooting))
        .then_each_time({LateReportRecorded{1, UpdateStatus::kRebooting, {}, {}}});
  }
}

TEST_CASE("a report of an attempt that was never granted is about nothing") {
  given({}).when(report(UpdateStatus::kDownloading)).then_error(ErrorCode::kNotFound);
  auto second = report(UpdateStatus::kDownloading);
  second.attempt = 2;
  const auto error = running().when(second).then_error(ErrorCode::kNotFound);
  CHECK(error.message == "update " + to_text(kUpdate) + " has no attempt 2 that has begun");
}

TEST_CASE("BR-OTA-030: progress by phase") {
  const auto at = [](UpdateStatus phase, std::uint32_t within = 0) {
    return progress_basis_points(phase, within);
  };
  CHECK(at(UpdateStatus::kScheduled) == 0);
  CHECK(at(UpdateStatus::kInProgress) == 500);
  CHECK(at(UpdateStatus::kDownloading) == 500);
  CHECK(at(UpdateStatus::kDownloading, 5'000) == 2'750);
  CHECK(at(UpdateStatus::kDownloading, 10'000) == 5'000);
  CHECK(at(UpdateStatus::kDownloading, 20'000) == 5'000);
  CHECK(at(UpdateStatus::kVerifying) == 5'500);
  CHECK(at(UpdateStatus::kInstalling) == 6'000);
  CHECK(at(UpdateStatus::kInstalling, 10'000) == 9'000);
  CHECK(at(UpdateStatus::kRebooting) == 9'200);
  CHECK(at(UpdateStatus::kCompleted) == 10'000);
  CHECK(at(UpdateStatus::kFailed) == 0);
}
