// What we see of a download ourselves, whatever the device says of it; and how much it may say.
#include <doctest/doctest.h>

#include "domain/limits.hpp"
#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

ProgressReported seen(UpdateStatus phase = UpdateStatus::kDownloading, std::uint32_t basis_points = 0) {
  auto p = progress(phase, basis_points);
  p.artifact_requested = true;
  return p;
}

AttemptStarted started_here() {
  auto s = started();
  s.downloads_here = true;
  return s;
}

Report success() {
  Report r;
  r.attempt = 1;
  r.kind = Report::Kind::kSuccess;
  return r;
}

AttemptEnded suspicious() {
  auto end = succeeded();
  end.without_download = true;
  return end;
}

Report words(std::string line) {
  Report r;
  r.attempt = 1;
  r.details = {std::move(line)};
  return r;
}

// An attempt that has said so much already.
std::vector<Fact> talkative() {
  std::vector<Fact> facts{first_grant(), started_here()};
  for (std::uint32_t i = 0; i < limits::kReportEntries; ++i) {
    auto p = progress(UpdateStatus::kDownloading);
    p.details = {"line " + std::to_string(i)};
    facts.push_back(std::move(p));
  }
  return facts;
}

}  // namespace

TEST_CASE("the first request for the bytes is recorded, and is the download's beginning") {
  given({first_grant(), started_here()}).when(NoteArtifactRequest{1}).then({seen()});
  given({first_grant(), started_here(), seen()}).when(NoteArtifactRequest{1}).then_nothing();
}

TEST_CASE("a request for the bytes takes back no phase and no progress") {
  given({first_grant(), started_here(), progress(UpdateStatus::kDownloading, 4'000)})
      .when(NoteArtifactRequest{1})
      .then({seen(UpdateStatus::kDownloading, 4'000)});
  given({first_grant(), started_here(), progress(UpdateStatus::kInstalling, 3'000)})
      .when(NoteArtifactRequest{1})
      .then({seen(UpdateStatus::kInstalling, 3'000)});
}

TEST_CASE("a request for the bytes begins an attempt that had not begun") {
  given({first_grant()})
      .when(NoteArtifactRequest{1})
      .then({AttemptStarted{1, kNow + minutes(60), false, false, true}, seen()});
}

TEST_CASE("a request for the bytes of another attempt, or of one that is over, is nobody's") {
  given({first_grant(), started_here()}).when(NoteArtifactRequest{2}).then_nothing();
  given({first_grant(), started_here(), succeeded()}).when(NoteArtifactRequest{1}).then_nothing();
  given({}).when(NoteArtifactRequest{1}).then_nothing();
}

TEST_CASE("a success without any request for the bytes completes the update and is recorded as suspicious") {
  given({first_grant(), started_here()}).when(success()).then({suspicious()});
  given({first_grant(), started_here(), seen()}).when(success()).then({succeeded()});
  CHECK(given({first_grant(), started_here(), suspicious()}).update().without_download);
}

TEST_CASE("a success that is the first word of an attempt is suspicious if its bytes are here") {
  auto first_word = success();
  first_word.downloads_here = true;
  given({first_grant()})
      .when(first_word)
      .then({AttemptStarted{1, kNow + minutes(60), false, false, true}, suspicious()});
}

TEST_CASE("whoever has the bytes from elsewhere is not suspected") {
  given({first_grant(), started()}).when(success()).then({succeeded()});
}

TEST_CASE("each attempt is looked at by itself") {
  const auto again = given({first_grant(), started_here(), seen(), failed_until(kBefore), retry_grant(2)}).update();
  CHECK_FALSE(again.artifact_requested);
  CHECK_FALSE(again.downloads_here);
}

TEST_CASE("of an attempt at most a thousand reports are recorded, and its end all the same") {
  const auto error = given(talkative()).when(words("one more")).then_error(ErrorCode::kQuota);
  CHECK(error.message.find("1000") != std::string::npos);
  given(talkative()).when(NoteArtifactRequest{1}).then({seen()});
  CHECK(given(talkative()).when(success()).the<AttemptEnded>().success);
}

TEST_CASE("a quota that is used up holds no phase back, only its words") {
  auto next = words("flashing");
  next.phase = UpdateStatus::kInstalling;
  given(talkative()).when(next).then({progress(UpdateStatus::kInstalling)});
}
