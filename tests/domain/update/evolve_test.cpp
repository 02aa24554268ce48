// What the state of an update is after its events.
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

TEST_CASE("an update without events does not exist, but has its id") {
  const auto s = given({}).update();
  CHECK_FALSE(s.exists);
  CHECK(s.id == kUpdate);
  CHECK(s.status == UpdateStatus::kScheduled);
}

TEST_CASE("a direct update is scheduled from its request on") {
  const auto s = given({at(kBefore, UpdateRequested{plan()})}).about(kDirect).update();
  CHECK(s.exists);
  CHECK(s.device == kDevice);
  CHECK(s.plan == plan());
  CHECK(s.status == UpdateStatus::kScheduled);
  CHECK(s.attempt == 0);
  CHECK(s.created_at == kBefore);
  CHECK(s.revision == 1);
  CHECK(s.position == Position{1});
}

TEST_CASE("a grant brings plan, attempt, action and deadline") {
  auto g = first_grant(2);
  g.start_by = kNow + minutes(9);
  const auto s = given({at(kBefore, g)}).update();
  CHECK(s.plan == plan());
  CHECK(s.status == UpdateStatus::kInProgress);
  CHECK(s.in_progress());
  CHECK(s.attempt == 1);
  CHECK(s.action == kAction);
  CHECK(s.batch == 2);
  CHECK(s.start_by == kNow + minutes(9));
  CHECK(s.created_at == kBefore);
  CHECK(s.progress_basis_points == 500);
  CHECK(s.revision == 0);
}

TEST_CASE("decision 17: a new attempt begins afresh") {
  ProgressReported p = progress(UpdateStatus::kInstalling, 5'000);
  p.bytes_per_second = 10;
  p.code = 3;
  p.details = {"x"};
  p.signature_verified = true;
  p.checksum_verified = true;
  const auto s = given({first_grant(4), started(), p, CancelRequested{}, CancelRefused{},
                        failed_until(kNow), retry_grant(2)})
                     .update();
  CHECK(s.attempt == 2);
  CHECK(s.retry);
  CHECK(s.plan == plan());  // of the first grant
  CHECK(s.status == UpdateStatus::kInProgress);
  CHECK(s.progress_basis_points == 500);
  CHECK(s.phase_basis_points == 0);
  CHECK(s.bytes_per_second == 0);
  CHECK_FALSE(s.code);
  CHECK(s.details.empty());
  CHECK_FALSE(s.signature_verified);
  CHECK_FALSE(s.checksum_verified);
  CHECK_FALSE(s.started_at);
  CHECK_FALSE(s.timeout_at);
  CHECK_FALSE(s.retry_at);
  CHECK_FALSE(s.cancel);
  CHECK_FALSE(s.cancel_refused);
  CHECK(s.retry_count == 1);
  CHECK(s.created_at == kBefore + seconds(1));
}

TEST_CASE("BR-OTA-029: started_at and completed_at are when it was recorded") {
  const auto s = given({first_grant(), at(kBefore + minutes(1), started()),
                        at(kBefore + minutes(9), succeeded())})
                     .update();
  CHECK(s.started_at == kBefore + minutes(1));
  CHECK(s.completed_at == kBefore + minutes(9));
  CHECK(s.status == UpdateStatus::kCompleted);
  CHECK(s.progress_basis_points == 10'000);
  CHECK_FALSE(s.timeout_at);
  CHECK_FALSE(s.start_by);
  CHECK(s.error_code.empty());
  CHECK_FALSE(s.in_progress());
}

TEST_CASE("a started attempt waits for its timeout, no longer for its start") {
  const auto s = given({first_grant(), started()}).update();
  CHECK_FALSE(s.start_by);
  CHECK(s.timeout_at == kNow + minutes(60));
}

TEST_CASE("a report's words stay until newer ones come") {
  auto first = progress(UpdateStatus::kDownloading, 4'000);
  first.details = {"mirror 1"};
  first.bytes_per_second = 100;
  first.code = 1;
  first.checksum_verified = true;
  const auto s =
      given({first_grant(), started(), first, progress(UpdateStatus::kVerifying)}).update();
  CHECK(s.status == UpdateStatus::kVerifying);
  CHECK(s.details == std::vector<std::string>{"mirror 1"});
  CHECK(s.bytes_per_second == 100);
  CHECK(s.code == 1);
  CHECK(s.checksum_verified == true);
  CHECK(s.phase_basis_points == 0);
  CHECK(s.progress_basis_points == 5'500);
}

TEST_CASE("decision 17: even an earlier phase in the log does not take progress back") {
  const auto s = given({first_grant(), started(), progress(UpdateStatus::kInstalling),
                        progress(UpdateStatus::kDownloading, 1'000)})
                     .update();
  CHECK(s.progress_basis_points == 6'000);
}

TEST_CASE("a failure for good is the end, with its error") {
  auto e = failed_for_good();
  e.error_message = "no room";
  const auto s = given({first_grant(), started(), at(kNow, e)}).update();
  CHECK(s.status == UpdateStatus::kFailed);
  CHECK(s.error_code == "flash_failed");
  CHECK(s.error_message == "no room");
  CHECK(s.completed_at == kNow);
}

TEST_CASE("a success forgets the error of an earlier attempt") {
  const auto s = given({first_grant(), started(), failed_until(kNow), retry_grant(2), started(2),
                        succeeded(2)})
                     .update();
  CHECK(s.status == UpdateStatus::kCompleted);
  CHECK(s.error_code.empty());
}

TEST_CASE("decision 25: a lapsed grant is scheduled again") {
  const auto s = given({first_grant(), GrantLapsed{}}).update();
  CHECK(s.status == UpdateStatus::kScheduled);
  CHECK(s.attempt == 1);
  CHECK(s.progress_basis_points == 0);
  CHECK_FALSE(s.start_by);
}

TEST_CASE("decision 11: a skipped update is cancelled, and its error code says why") {
  const std::pair<SkipReason, const char*> reasons[] = {
      {SkipReason::kAlreadyThere, "already_there"},
      {SkipReason::kIncompatible, "incompatible"},
      {SkipReason::kUnknown, "unknown"}};
  for (const auto& [reason, code] : reasons) {
    const auto s = given({at(kBefore, UpdateSkipped{reason, "the fact"})}).update();
    CHECK(s.status == UpdateStatus::kCancelled);
    CHECK(s.error_code == code);
    CHECK(s.error_message == "the fact");
    CHECK(s.created_at == kBefore);
    CHECK(s.completed_at == kBefore);
  }
}

TEST_CASE("a retry that is skipped waits for nothing any more") {
  const auto s = given({first_grant(), started(), failed_until(kNow), UpdateSkipped{}}).update();
  CHECK(s.status == UpdateStatus::kCancelled);
  CHECK_FALSE(s.retry_at);
}

TEST_CASE("a cancellation ends whatever was waited for") {
  const auto s =
      given({first_grant(), started(), CancelRequested{}, at(kNow, UpdateCancelled{})}).update();
  CHECK(s.status == UpdateStatus::kCancelled);
  CHECK(s.completed_at == kNow);
  CHECK_FALSE(s.cancel);
  CHECK_FALSE(s.timeout_at);
  const auto waiting =
      given({first_grant(), started(), failed_until(kNow), UpdateCancelled{}}).update();
  CHECK_FALSE(waiting.retry_at);
  const auto unborn = given({at(kBefore, UpdateCancelled{})}).update();
  CHECK(unborn.created_at == kBefore);
}

TEST_CASE("the revision counts what operators did, not what devices said") {
  CHECK(given({first_grant(), started(), progress(UpdateStatus::kInstalling), failed_until(kNow),
               retry_grant(2), GrantLapsed{2, 0, true}})
            .update()
            .revision == 0);
  CHECK(given({first_grant(), started(), CancelRequested{CancelCause::kOperator, kNow}})
            .update()
            .revision == 1);
  CHECK(given({first_grant(), started(), CancelRequested{CancelCause::kRecalled, kNow}})
            .update()
            .revision == 0);
  CHECK(given({UpdateCancelled{CancelCause::kOperator, 0, 0, false}}).update().revision == 1);
  CHECK(given({UpdateCancelled{CancelCause::kCampaignAborted, 0, 0, false}}).update().revision ==
        0);
  CHECK(given({first_grant(), started(), failed_for_good(), RetryAsked{}}).update().revision == 1);
}

TEST_CASE("decision 26: an event of an older attempt changes nothing but position and time") {
  const auto before =
      given({first_grant(), started(), failed_until(kNow), retry_grant(2)}).update();
  const Fact late[] = {started(1), progress(UpdateStatus::kRebooting), succeeded(1), GrantLapsed{},
                       LateReportRecorded{}};
  for (const auto& fact : late) {
    const auto after =
        given({first_grant(), started(), failed_until(kNow), retry_grant(2), fact}).update();
    CHECK(after.status == before.status);
    CHECK(after.progress_basis_points == before.progress_basis_points);
    CHECK(after.started_at == before.started_at);
    CHECK(after.start_by == before.start_by);
    CHECK(after.position == Position{5});
  }
}
