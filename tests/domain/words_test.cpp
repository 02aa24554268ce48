// The words of the wire (spec: api, section 2) and the numbers of the log.
#include "domain/words.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

using namespace ota::domain;

namespace {

template <class E, class Parse>
void check_words(const std::vector<std::pair<E, std::string_view>>& words, Parse parse) {
  int number = 0;
  for (const auto& [value, word] : words) {
    CHECK(static_cast<int>(value) == ++number);  // as stored in events
    CHECK(to_text(value) == word);
    CHECK(parse(word) == value);
  }
  for (const char* wrong : {"", "unknown", "LOW", "in progress", "Completed", "completed "}) {
    CHECK_FALSE(parse(wrong));
  }
  CHECK(to_text(static_cast<E>(200)) == "unknown");  // of a newer version
}

}  // namespace

TEST_CASE("BR-OTA-014, BR-OTA-023: priorities") {
  check_words<Priority>({{Priority::kLow, "low"},
                         {Priority::kNormal, "normal"},
                         {Priority::kHigh, "high"},
                         {Priority::kCritical, "critical"},
                         {Priority::kEmergency, "emergency"}},
                        parse_priority);
}

TEST_CASE("BR-OTA-013: strategies") {
  check_words<Strategy>({{Strategy::kImmediate, "immediate"},
                         {Strategy::kScheduled, "scheduled"},
                         {Strategy::kStaged, "staged"},
                         {Strategy::kCanary, "canary"},
                         {Strategy::kBlueGreen, "blue_green"}},
                        parse_strategy);
}

TEST_CASE("decision 2: firmware statuses") {
  check_words<FirmwareStatus>({{FirmwareStatus::kAvailable, "available"},
                               {FirmwareStatus::kDeprecated, "deprecated"},
                               {FirmwareStatus::kRecalled, "recalled"}},
                              parse_firmware_status);
}

TEST_CASE("campaign statuses, of which the last three are the end") {
  check_words<CampaignStatus>({{CampaignStatus::kCreated, "created"},
                               {CampaignStatus::kScheduled, "scheduled"},
                               {CampaignStatus::kInProgress, "in_progress"},
                               {CampaignStatus::kPaused, "paused"},
                               {CampaignStatus::kRollback, "rollback"},
                               {CampaignStatus::kCompleted, "completed"},
                               {CampaignStatus::kFailed, "failed"},
                               {CampaignStatus::kCancelled, "cancelled"}},
                              parse_campaign_status);
  CHECK_FALSE(is_terminal(CampaignStatus::kRollback));
  CHECK(is_terminal(CampaignStatus::kCompleted));
  CHECK(is_terminal(CampaignStatus::kCancelled));
}

TEST_CASE("BR-OTA-029: update statuses, in the order in which an attempt passes them") {
  check_words<UpdateStatus>({{UpdateStatus::kCreated, "created"},
                             {UpdateStatus::kScheduled, "scheduled"},
                             {UpdateStatus::kInProgress, "in_progress"},
                             {UpdateStatus::kDownloading, "downloading"},
                             {UpdateStatus::kVerifying, "verifying"},
                             {UpdateStatus::kInstalling, "installing"},
                             {UpdateStatus::kRebooting, "rebooting"},
                             {UpdateStatus::kCompleted, "completed"},
                             {UpdateStatus::kFailed, "failed"},
                             {UpdateStatus::kCancelled, "cancelled"},
                             {UpdateStatus::kRollback, "rollback"}},
                            parse_update_status);
  CHECK_FALSE(is_terminal(UpdateStatus::kRebooting));
  CHECK(is_terminal(UpdateStatus::kCompleted));
  CHECK(is_terminal(UpdateStatus::kRollback));
}

TEST_CASE("BR-OTA-031: rollback triggers") {
  check_words<RollbackTrigger>({{RollbackTrigger::kManual, "manual"},
                                {RollbackTrigger::kFailureRate, "failure_rate"},
                                {RollbackTrigger::kHealthCheck, "health_check"},
                                {RollbackTrigger::kTimeout, "timeout"},
                                {RollbackTrigger::kErrorThreshold, "error_threshold"}},
                               parse_rollback_trigger);
}

TEST_CASE("kinds of failure") {
  CHECK(to_text(FailureKind::kDevice) == "device");
  CHECK(to_text(FailureKind::kTransport) == "transport");
  CHECK(to_text(FailureKind::kService) == "service");
  CHECK(to_text(FailureKind::kTimeout) == "timeout");
  CHECK(to_text(static_cast<FailureKind>(0)) == "unknown");
}
