// The enumerations of the domain, their words on the wire, and a few small types used by every aggregate.
//
// The numbers are stored in events: never renumber, never reuse. The words are the wire's (spec/api.md section 2).
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ota::domain {

using Time = std::chrono::sys_time<std::chrono::microseconds>;  // UTC
using Duration = std::chrono::microseconds;

// The place of an event in the log; 0 stands before the first.
struct Position {
  std::uint64_t value = 0;
  auto operator<=>(const Position&) const = default;
};

// A person's or service account's token in the log; 0: nobody.
struct Caller {
  std::uint64_t token = 0;
  auto operator<=>(const Caller&) const = default;
};

enum class Priority : std::uint8_t { kLow = 1, kNormal = 2, kHigh = 3, kCritical = 4, kEmergency = 5 };
enum class Strategy : std::uint8_t { kImmediate = 1, kScheduled = 2, kStaged = 3, kCanary = 4, kBlueGreen = 5 };
enum class FirmwareStatus : std::uint8_t { kAvailable = 1, kDeprecated = 2, kRecalled = 3 };
enum class CampaignStatus : std::uint8_t {
  kCreated = 1, kScheduled = 2, kInProgress = 3, kPaused = 4,
  kRollback = 5, kCompleted = 6, kFailed = 7, kCancelled = 8
};
// In the order in which an attempt passes them; later ones win over earlier ones (decision 26).
enum class UpdateStatus : std::uint8_t {
  kCreated = 1, kScheduled = 2, kInProgress = 3, kDownloading = 4, kVerifying = 5, kInstalling = 6,
  kRebooting = 7, kCompleted = 8, kFailed = 9, kCancelled = 10, kRollback = 11
};
enum class FailureKind : std::uint8_t { kDevice = 1, kTransport = 2, kService = 3, kTimeout = 4 };
enum class RollbackTrigger : std::uint8_t {
  kManual = 1, kFailureRate = 2, kHealthCheck = 3, kTimeout = 4, kErrorThreshold = 5
};

std::string_view to_text(Priority);
std::string_view to_text(Strategy);
std::string_view to_text(FirmwareStatus);
std::string_view to_text(CampaignStatus);
std::string_view to_text(UpdateStatus);
std::string_view to_text(FailureKind);
std::string_view to_text(RollbackTrigger);

// The value of a word; empty if it is none.
std::optional<Priority> parse_priority(std::string_view);
std::optional<Strategy> parse_strategy(std::string_view);
std::optional<FirmwareStatus> parse_firmware_status(std::string_view);
std::optional<CampaignStatus> parse_campaign_status(std::string_view);
std::optional<UpdateStatus> parse_update_status(std::string_view);
std::optional<RollbackTrigger> parse_rollback_trigger(std::string_view);

// Completed, failed, cancelled or undone by a rollback: nothing more is expected of the device (decision 23).
bool is_terminal(UpdateStatus);
// Completed, failed or cancelled.
bool is_terminal(CampaignStatus);

}  // namespace ota::domain
