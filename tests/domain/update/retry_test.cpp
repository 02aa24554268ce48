// POST /updates/{id}/retry (decision 23).
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

const UpdateCancelled kCancelled{CancelCause::kOperator, 1, 0, false};

}  // namespace

TEST_CASE("decision 23: a failed or cancelled update is opened again, with its plan") {
  for (const Fact& end : {Fact(failed_for_good()), Fact(kCancelled)}) {
    given({first_grant(), started(), end}).when(RetryUpdate{}).then({RetryAsked{1, 1, plan()}});
  }
  given({UpdateRequested{plan()}, UpdateCancelled{}})
      .about(kDirect)
      .when(RetryUpdate{})
      .then({RetryAsked{1, 0, plan()}});
}

TEST_CASE("decision 23: opened again, the update waits for its next attempt, from now on") {
  const auto s =
      given({first_grant(), started(), failed_for_good(), at(kNow, RetryAsked{1, 1, plan()})})
          .update();
  CHECK(s.status == UpdateStatus::kScheduled);
  CHECK(s.retry_at == kNow);
  CHECK(s.retry_count == 1);
  CHECK(s.progress_basis_points == 0);
  CHECK_FALSE(s.completed_at);
}

TEST_CASE("decision 23: while a retry waits, /retry means now, and counts no retry") {
  given({first_grant(), started(), failed_until(kNow + minutes(1))})
      .when(RetryUpdate{})
      .then({RetryAsked{1, 1, std::nullopt}});
  given({first_grant(), started(), failed_until(kNow)}).when(RetryUpdate{}).then_nothing();
}

TEST_CASE("BR-OTA-024, decision 23: not past the maximum of retries") {
  auto last = failed_for_good();
  last.retry_count = 3;
  const auto error = given({first_grant(), started(), last})
                         .when(RetryUpdate{})
                         .then_error(ErrorCode::kStateTransition);
  CHECK(error.message == "Maximum retry attempts exceeded: 3 of 3");
  last.retry_count = 2;
  given({first_grant(), started(), last}).when(RetryUpdate{}).then({RetryAsked{3, 1, plan()}});
}

TEST_CASE("decision 23: not from any other status") {
  const std::vector<std::vector<Fact>> others = {
      {first_grant()},
      {first_grant(), started()},
      {first_grant(), started(), progress(UpdateStatus::kInstalling)},
      {first_grant(), started(), succeeded()},
      {first_grant(), GrantLapsed{}}};
  for (const auto& history : others) {
    const auto error = given(history).when(RetryUpdate{}).then_error(ErrorCode::kStateTransition);
    CHECK(error.requested == "retry");
    CHECK(error.allowed == std::vector<std::string>{"failed", "cancelled"});
  }
}

TEST_CASE("decision 23: not once the campaign has ended, not even one that waits") {
  const std::vector<std::vector<Fact>> histories = {
      {first_grant(), started(), failed_for_good()},
      {first_grant(), started(), kCancelled},
      {first_grant(), started(), failed_until(kNow + minutes(1))}};
  for (const auto& history : histories) {
    const auto error =
        given(history).when(RetryUpdate{"completed"}).then_error(ErrorCode::kStateTransition);
    CHECK(error.message ==
          "the update cannot be tried again: its campaign is completed; allowed while that is in_progress or paused, and not "
          "finishing");
  }
}

TEST_CASE("design 4: of an update whose only grant lapsed no attempt counts in a batch: its retry is a first attempt") {
  const auto lapsed = given({first_grant(3), GrantLapsed{1, 3, false}, UpdateCancelled{CancelCause::kOperator, 0, 0, false}});
  CHECK(lapsed.when(RetryUpdate{}).the<RetryAsked>().batch == 0);
  auto again = retry_grant(2);
  again.batch = 3;
  CHECK(given({first_grant(3), started(), failed_until(kBefore), again, GrantLapsed{2, 3, true},
               UpdateCancelled{CancelCause::kOperator, 0, 3, true}}).when(RetryUpdate{}).the<RetryAsked>().batch == 3);
}

TEST_CASE("decision 23: a campaign's rollback that waits for its retry is tried at once, one that is over is not") {
  const auto back = UpdateId::in_campaign(kCampaign, kOrdinal, 1);
  given({first_grant(), started(), failed_until(kNow + minutes(1))}).about(back).when(RetryUpdate{}).the<RetryAsked>();
  const auto over = given({first_grant(), started(), failed_for_good()}).about(back).when(RetryUpdate{});
  CHECK(over.then_error(ErrorCode::kStateTransition).message.find("the rollback of its campaign, and over") != std::string::npos);
}

TEST_CASE("design 4: a retry that an operator asks for belongs to its old batch") {
  const auto asked = given({first_grant(3), started(), failed_for_good()}).when(RetryUpdate{}).the<RetryAsked>();
  CHECK(asked.batch == 3);
}

TEST_CASE("decisions 2 and 9: neither recalled firmware nor a second time what is pending already is tried again") {
  RetryUpdate retry;
  retry.firmware_recalled = true;
  const auto recalled = given({first_grant(), started(), failed_for_good()}).when(retry).then_error(ErrorCode::kStateTransition);
  CHECK(recalled.message == "the update cannot be tried again: its firmware 2.1.0 is recalled");
  retry.firmware_recalled = false;
  retry.pending_twin = kDirect;
  given({first_grant(), started(), failed_for_good()}).when(retry).then_error(ErrorCode::kDuplicate);
}

TEST_CASE("decision 25: an update that waits for its first grant exists, and is not one to be tried again") {
  given({}).when(RetryUpdate{}).then_error(ErrorCode::kStateTransition);
  given({}).about(kDirect).when(RetryUpdate{}).then_error(ErrorCode::kNotFound);
}

TEST_CASE("decision 25: what its campaign's end cancelled is refused as what it is shown as") {
  RetryUpdate retry;
  retry.closed_campaign = "created";
  retry.shown = UpdateStatus::kCancelled;
  const auto error = given({}).when(retry).then_error(ErrorCode::kStateTransition);
  CHECK(error.message.find("its campaign is created; allowed while") != std::string::npos);
  CHECK(error.current_state == "cancelled");
}

TEST_CASE("decision 10: a rollback that waits in its campaign is not cancelled or retried by itself") {
  const auto waiting = UpdateId::in_campaign(kCampaign, {0}, 1);
  for (const auto& error : {given({}).about(waiting).when(RetryUpdate{}).then_error(ErrorCode::kStateTransition),
                            given({}).about(waiting).when(CancelUpdate{}).then_error(ErrorCode::kStateTransition)}) {
    CHECK(error.message.find("waits in the rollback of its campaign") != std::string::npos);
  }
}

TEST_CASE("decision 32: there is no consent to give where none is asked for") {
  given({first_grant(), started()}).when(AnswerConsent{1, true, {}}).then_error(ErrorCode::kNotFound);
}
