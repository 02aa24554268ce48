#include "domain/words.hpp"

#include <array>
#include <utility>

namespace ota::domain {
namespace {

template <class E, std::size_t N>
using Words = std::array<std::pair<E, std::string_view>, N>;

template <class E, std::size_t N>
std::string_view word_of(const Words<E, N>& words, E value) {
  for (const auto& [v, word] : words) {
    if (v == value) return word;
  }
  return "unknown";  // written by a newer version
}

template <class E, std::size_t N>
std::optional<E> value_of(const Words<E, N>& words, std::string_view text) {
  for (const auto& [value, word] : words) {
    if (word == text) return value;
  }
  return std::nullopt;
}

constexpr Words<Priority, 5> kPriorities{{{Priority::kLow, "low"}, {Priority::kNormal, "normal"},
    {Priority::kHigh, "high"}, {Priority::kCritical, "critical"}, {Priority::kEmergency, "emergency"}}};
constexpr Words<Strategy, 5> kStrategies{{{Strategy::kImmediate, "immediate"},
    {Strategy::kScheduled, "scheduled"}, {Strategy::kStaged, "staged"}, {Strategy::kCanary, "canary"},
    {Strategy::kBlueGreen, "blue_green"}}};
constexpr Words<FirmwareStatus, 3> kFirmwareStatuses{{{FirmwareStatus::kAvailable, "available"},
    {FirmwareStatus::kDeprecated, "deprecated"}, {FirmwareStatus::kRecalled, "recalled"}}};
constexpr Words<CampaignStatus, 8> kCampaignStatuses{{{CampaignStatus::kCreated, "created"},
    {CampaignStatus::kScheduled, "scheduled"}, {CampaignStatus::kInProgress, "in_progress"},
    {CampaignStatus::kPaused, "paused"}, {CampaignStatus::kRollback, "rollback"},
    {CampaignStatus::kCompleted, "completed"}, {CampaignStatus::kFailed, "failed"},
    {CampaignStatus::kCancelled, "cancelled"}}};
constexpr Words<UpdateStatus, 11> kUpdateStatuses{{{UpdateStatus::kCreated, "created"},
    {UpdateStatus::kScheduled, "scheduled"}, {UpdateStatus::kInProgress, "in_progress"},
    {UpdateStatus::kDownloading, "downloading"}, {UpdateStatus::kVerifying, "verifying"},
    {UpdateStatus::kInstalling, "installing"}, {UpdateStatus::kRebooting, "rebooting"},
    {UpdateStatus::kCompleted, "completed"}, {UpdateStatus::kFailed, "failed"},
    {UpdateStatus::kCancelled, "cancelled"}, {UpdateStatus::kRollback, "rollback"}}};
constexpr Words<FailureKind, 4> kFailureKinds{{{FailureKind::kDevice, "device"},
    {FailureKind::kTransport, "transport"}, {FailureKind::kService, "service"},
    {FailureKind::kTimeout, "timeout"}}};
constexpr Words<RollbackTrigger, 5> kTriggers{{{RollbackTrigger::kManual, "manual"},
    {RollbackTrigger::kFailureRate, "failure_rate"}, {RollbackTrigger::kHealthCheck, "health_check"},
    {RollbackTrigger::kTimeout, "timeout"}, {RollbackTrigger::kErrorThreshold, "error_threshold"}}};

}  // namespace

std::string_view to_text(Priority v) { return word_of(kPriorities, v); }
std::string_view to_text(Strategy v) { return word_of(kStrategies, v); }
std::string_view to_text(FirmwareStatus v) { return word_of(kFirmwareStatuses, v); }
std::string_view to_text(CampaignStatus v) { return word_of(kCampaignStatuses, v); }
std::string_view to_text(UpdateStatus v) { return word_of(kUpdateStatuses, v); }
std::string_view to_text(FailureKind v) { return word_of(kFailureKinds, v); }
std::string_view to_text(RollbackTrigger v) { return word_of(kTriggers, v); }

std::optional<Priority> parse_priority(std::string_view t) { return value_of(kPriorities, t); }
std::optional<Strategy> parse_strategy(std::string_view t) { return value_of(kStrategies, t); }
std::optional<FirmwareStatus> parse_firmware_status(std::string_view t) { return value_of(kFirmwareStatuses, t); }
std::optional<CampaignStatus> parse_campaign_status(std::string_view t) { return value_of(kCampaignStatuses, t); }
std::optional<UpdateStatus> parse_update_status(std::string_view t) { return value_of(kUpdateStatuses, t); }
std::optional<RollbackTrigger> parse_rollback_trigger(std::string_view t) { return value_of(kTriggers, t); }

bool is_terminal(UpdateStatus s) { return s >= UpdateStatus::kCompleted; }
bool is_terminal(CampaignStatus s) { return s >= CampaignStatus::kCompleted; }

}  // namespace ota::domain
