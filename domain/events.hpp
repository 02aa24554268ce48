// The vocabulary of the log: everything that can have happened, in the past tense.
//
// Plain values; codec/ turns them into bytes (events.proto) and back. What a fold needs is in the event, its stream
// and its tags. Fields and numbers are for ever: add, never change. Golden files in tests/domain/golden hold each one.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "domain/ids.hpp"
#include "domain/words.hpp"

namespace ota::domain {

// ---- firmware ------------------------------------------------------------------------------------------------

// What a device must match, and what it becomes. Copied into campaigns, so that a grant needs no look-up.
struct FirmwareFacts {
  std::string version;
  std::string device_model;
  std::string min_hardware_version;       // empty: no bound
  std::string max_hardware_version;
  std::uint32_t number = 0;               // DDI's software module id
  std::uint64_t file_size = 0;            // bytes
  bool is_beta = false;
  bool is_security_update = false;
  bool operator==(const FirmwareFacts&) const = default;
};

struct FirmwareRegistered {
  FirmwareId id;
  std::string name;
  std::string manufacturer;
  std::string description;
  FirmwareFacts facts;
  std::string file_name;                  // as uploaded: what devices see
  std::string file_url;                   // registered by URL; empty: uploaded
  std::array<std::uint8_t, 16> md5{};
  std::array<std::uint8_t, 32> sha256{};
  std::string signature;                  // raw Ed25519 over the SHA-256; empty: none
  std::vector<std::string> labels;        // the operator's `tags` (BR-OTA-007)
  std::string metadata_json;              // an object, as given; empty: none
  std::string changelog;
  bool operator==(const FirmwareRegistered&) const = default;
};
// The bytes are in the artifact store and were hashed on the way in.
struct FirmwareContentStored {
  std::array<std::uint8_t, 20> sha1{};
  bool operator==(const FirmwareContentStored&) const = default;
};
struct FirmwareDeprecated {
  std::string reason;
  bool operator==(const FirmwareDeprecated&) const = default;
};
struct FirmwareRestored {
  std::string reason;
  bool operator==(const FirmwareRestored&) const = default;
};

// No device is granted it from this event on (decision 2); for ever.
struct FirmwareRecalled {
  std::string reason;
  bool operator==(const FirmwareRecalled&) const = default;
};

// ---- devices -------------------------------------------------------------------------------------------------

enum class RegisteredVia : std::uint8_t { kPoll = 1, kApi = 2, kImport = 3, kDeviceService = 4 };

using Attributes = std::map<std::string, std::string>;

struct DeviceRegistered {
  Ordinal ordinal;
  RegisteredVia via = RegisteredVia::kPoll;
  Attributes attributes;                  // firmware_version, hardware_version, device_model, name, ... as known
  std::vector<std::string> groups;
  bool operator==(const DeviceRegistered&) const = default;
};
struct DeviceAttributesChanged {
  Attributes set;
  std::vector<std::string> removed;
  bool by_device = false;                 // configData: answers our wish to hear them
  bool groups_changed = false;
  std::vector<std::string> groups;        // all of them, if groups_changed
  bool operator==(const DeviceAttributesChanged&) const = default;
};
struct DeviceDeleted {
  std::string reason;
  Ordinal ordinal;                        // retired with it
  bool operator==(const DeviceDeleted&) const = default;
};
struct DeviceReturned {
  Ordinal ordinal;                        // a new one: in no old campaign (decision 22)
  RegisteredVia via = RegisteredVia::kApi;
  bool operator==(const DeviceReturned&) const = default;
};
// Ids that a target list names before the devices are known: they have their ordinals already.
struct IdsReserved {
  Ordinal first;
  std::vector<std::string> devices;       // first, first + 1, ...
  bool operator==(const IdsReserved&) const = default;
};

// ---- campaigns -----------------------------------------------------------------------------------------------

struct MaintenanceWindow {
  std::uint16_t start_minute = 0;         // of the day
  std::uint16_t end_minute = 0;
  std::string timezone;                   // IANA, or "device"
  bool operator==(const MaintenanceWindow&) const = default;
};

// What an operator asked for (spec/api.md section 4). Defaults are those of the specification.
struct CampaignPolicy {
  Strategy strategy = Strategy::kStaged;
  Priority priority = Priority::kNormal;
  std::uint32_t rollout_percentage = 100;
  std::uint32_t max_concurrent_updates = 10;
  std::uint32_t batch_size = 50;
  std::uint32_t batch_settle_percent = 95;
  std::optional<Time> scheduled_start;
  std::optional<Time> scheduled_end;
  std::uint32_t timeout_minutes = 60;
  bool auto_rollback = true;
  std::uint32_t failure_threshold_percent = 20;
  std::uint32_t min_finished_for_verdict = 20;
  std::vector<RollbackTrigger> rollback_triggers{RollbackTrigger::kFailureRate};
  bool requires_approval = false;
  bool allow_beta = false;
  bool force_update = false;
  std::optional<MaintenanceWindow> maintenance_window;
  std::uint32_t max_retries = 3;
  std::vector<std::string> pre_update_commands;
  std::vector<std::string> post_update_commands;
  bool notify_on_start = false;
  bool notify_on_complete = false;
  bool notify_on_failure = true;
  std::vector<std::string> notification_channels;
  std::uint32_t canary_p0_basis_points = 0;   // 1/100 %; 0: the rule of the evidence verdict
  std::uint32_t canary_p1_basis_points = 0;
  std::optional<Time> switch_at;
  bool require_version_proof = false;
  bool requires_device_confirmation = false;
  bool download_only = false;
  std::uint32_t error_threshold_count = 10;
  std::uint32_t health_window_minutes = 0;    // 0: as timeout_minutes
  std::uint32_t rollback_deadline_minutes = 1440;
  bool operator==(const CampaignPolicy&) const = default;
};

// What a canary is judged by: fixed at the campaign's creation, so that replay is exact everywhere (evidence.hpp).
struct EvidenceTable {
  std::uint32_t p0_basis_points = 0;
  std::uint32_t p1_basis_points = 0;
  std::int64_t failure_weight = 0;            // ln L grows by this with a failure, in 1/2^32
  std::int64_t success_weight = 0;            // and shrinks by this with a success
  std::int64_t abort_at = 0;                  // this or more
  std::int64_t promote_at = 0;                // this (negative) or less
  std::uint32_t quota = 0;                    // canary devices at first: 3 failures of them still promote
  std::uint32_t slice = 0;                    // the fleet is too small: this many, and all must succeed; 0: it is not
  bool operator==(const EvidenceTable&) const = default;
};

struct CampaignCreated {
  std::string name;
  std::string description;
  FirmwareId firmware;
  std::string firmware_name;
  FirmwareFacts facts;
  CampaignPolicy policy;
  std::vector<std::string> target_groups;     // as asked
  std::string target_filters_json;            // as asked; empty: none
  std::uint32_t target_device_count = 0;      // the resolved set
  std::map<std::string, std::uint32_t> excluded;  // reason -> devices left out of it
  std::string targets;                        // the rest as a Roaring bitmap (portable format); empty if in parts
  std::uint32_t parts = 0;                    // CampaignTargetPart events that came before
  std::array<std::uint8_t, 32> parts_hash{};  // SHA-256 over their bitmaps, in order
  Position resolved_at;                       // the views' position that the targets were resolved at
  std::string withdrawn;                      // of them, deleted between that and this event (Roaring); empty: none
  std::uint32_t picked = 0;                   // how many of them the rollout percentage picks
  std::uint64_t pick_cutoff = 0;              // the highest pick rank that is in (rollout.hpp)
  bool content_pending = false;               // the firmware's bytes are not here yet: grants wait (decision 29)
  std::optional<EvidenceTable> canary = {};   // strategy canary
  std::uint64_t canary_cutoff = 0;            // the highest pick rank of a device that may be a canary
  bool operator==(const CampaignCreated&) const = default;
};
struct CampaignTargetPart {
  std::uint32_t index = 0;
  std::string targets;
  bool operator==(const CampaignTargetPart&) const = default;
};
struct CampaignApproved {
  bool approved = false;
  std::string comment;
  std::string conditions;
  bool operator==(const CampaignApproved&) const = default;
};
// An operator has started it; it begins by itself at its scheduled_start.
struct CampaignScheduled {
  Time start_at;
  bool operator==(const CampaignScheduled&) const = default;
};
struct CampaignStarted {
  bool operator==(const CampaignStarted&) const = default;
};
struct CampaignResumed {
  bool operator==(const CampaignResumed&) const = default;
};
struct CampaignCancelled {
  std::string reason;
  bool operator==(const CampaignCancelled&) const = default;
};
// What is not granted is cancelled; the rest runs to its end, and the campaign closes.
struct CampaignFinished {
  std::string reason;
  bool by_schedule = false;                   // scheduled_end has come
  bool operator==(const CampaignFinished&) const = default;
};

enum class VerdictRule : std::uint8_t { kThreshold = 1, kEvidence = 2, kSlice = 3 };
enum class VerdictDecision : std::uint8_t { kAbort = 1, kPromote = 2, kUndecided = 3, kPass = 4 };

// Why a campaign was stopped, promoted or closed as it was: the numbers at the causation position.
struct Verdict {
  VerdictRule rule = VerdictRule::kThreshold;
  VerdictDecision decision = VerdictDecision::kPass;
  std::uint32_t failed = 0;
  std::uint32_t counted = 0;                  // threshold: completed + failed + in progress; or total, see of_total
  std::uint32_t threshold_percent = 0;
  bool of_total = false;                      // the rate was taken over all devices: it can no longer come back
  std::uint32_t p0_basis_points = 0;          // evidence: the rates that were told apart
  std::uint32_t p1_basis_points = 0;
  std::uint32_t more = 0;                     // undecided: so many more devices would promote, if none of them failed
  bool operator==(const Verdict&) const = default;
};
enum class PauseCause : std::uint8_t { kOperator = 1, kRecalled = 2, kCanary = 3, kOwnFaults = 4 };
struct CampaignPaused {
  std::string reason;
  PauseCause cause = PauseCause::kOperator;
  std::optional<Verdict> verdict = {};        // of the last two
  bool operator==(const CampaignPaused&) const = default;
};
// The canary is over: what follows is staged.
struct CanaryPromoted {
  Verdict verdict;
  bool by_operator = false;
  std::string reason;
  bool operator==(const CanaryPromoted&) const = default;
};
// An operator has resumed an undecided canary.
struct CanaryToppedUp {
  std::uint32_t devices = 0;
  std::uint64_t cutoff = 0;                   // in the place of the last one
  bool operator==(const CanaryToppedUp&) const = default;
};
struct CampaignAborted {
  RollbackTrigger trigger = RollbackTrigger::kFailureRate;
  Verdict verdict;
  bool operator==(const CampaignAborted&) const = default;
};
struct CampaignClosed {
  CampaignStatus outcome = CampaignStatus::kCompleted;  // completed, failed or cancelled
  Verdict verdict;
  bool operator==(const CampaignClosed&) const = default;
};
struct BatchOpened {
  std::uint32_t batch = 0;                    // the first batch is 1 and open from the start
  bool operator==(const BatchOpened&) const = default;
};

// ---- device updates ------------------------------------------------------------------------------------------

// What an update is about; with the event that brings the update into being.
struct UpdatePlan {
  FirmwareId firmware;
  std::string from_version;                   // empty: unknown
  std::string to_version;
  Priority priority = Priority::kNormal;
  std::uint32_t max_retries = 3;
  std::uint32_t timeout_minutes = 60;
  std::uint64_t download_size = 0;            // bytes
  std::uint32_t firmware_number = 0;          // DDI's software module id
  bool force_update = false;
  std::vector<std::string> pre_update_commands;
  std::vector<std::string> post_update_commands;
  std::optional<MaintenanceWindow> maintenance_window;
  bool operator==(const UpdatePlan&) const = default;
};

struct UpdateRequested {                      // direct updates; those of campaigns exist from the campaign's creation
  UpdatePlan plan;
  bool operator==(const UpdateRequested&) const = default;
};
struct AttemptGranted {
  std::uint32_t attempt = 1;
  ActionId action;
  std::uint32_t batch = 0;                    // 0: not in a batch; a retry keeps its old one
  bool retry = false;                         // no batch gate stood before it, and it does not count in the batch
  Time start_by;                              // lapses if the device has not fetched it by then (decision 7)
  std::optional<UpdatePlan> plan;             // of a campaign's update, unless it is a retry that has it already
  bool operator==(const AttemptGranted&) const = default;
};
struct AttemptStarted {
  std::uint32_t attempt = 1;
  Time timeout_at;
  bool operator==(const AttemptStarted&) const = default;
};
struct ProgressReported {
  std::uint32_t attempt = 1;
  UpdateStatus phase = UpdateStatus::kDownloading;
  std::uint32_t phase_basis_points = 0;       // of download or install, 1/100 %
  std::uint64_t bytes_per_second = 0;         // 0: not said
  std::optional<std::int32_t> code;
  std::vector<std::string> details;           // <= 50 of <= 512 bytes
  std::optional<bool> signature_verified;
  std::optional<bool> checksum_verified;
  bool operator==(const ProgressReported&) const = default;
};
// A report of an older attempt, an earlier phase or after the end (decision 26). It changes nothing.
struct LateReportRecorded {
  std::uint32_t attempt = 1;
  UpdateStatus reported = UpdateStatus::kDownloading;
  std::optional<std::int32_t> code;
  std::vector<std::string> details;
  bool operator==(const LateReportRecorded&) const = default;
};
struct AttemptEnded {
  std::uint32_t attempt = 1;
  bool success = false;
  FailureKind kind = FailureKind::kDevice;    // failures only
  std::string error_code;
  std::string error_message;
  std::uint32_t batch = 0;                    // of the grant, as is `retry`
  bool retry = false;
  std::uint32_t retry_count = 0;              // after this end
  std::uint32_t spared_retries = 0;           // of these, transport and service failures: not counted (decision 8)
  std::optional<Time> retry_at;               // absent: this was the last attempt
  bool operator==(const AttemptEnded&) const = default;
};
struct GrantLapsed {
  std::uint32_t attempt = 1;
  std::uint32_t batch = 0;
  bool retry = false;
  bool operator==(const GrantLapsed&) const = default;
};
enum class SkipReason : std::uint8_t { kAlreadyThere = 1, kIncompatible = 2, kUnknown = 3 };
struct UpdateSkipped {
  SkipReason reason = SkipReason::kAlreadyThere;
  std::string fact;                           // what decided it, for people
  bool operator==(const UpdateSkipped&) const = default;
};
enum class CancelCause : std::uint8_t {
  kOperator = 1, kCampaignCancelled = 2, kCampaignAborted = 3, kDeviceDeleted = 4, kUserDeleted = 5,
  kDeclined = 6, kRecalled = 7, kPreempted = 8, kScheduledEnd = 9, kFinished = 10, kSuperseded = 11
};
struct CancelRequested {
  CancelCause cause = CancelCause::kOperator;
  Time give_up_at;                            // a device that stays silent is taken as agreeing (decision 24)
  bool operator==(const CancelRequested&) const = default;
};
struct CancelRefused {
  std::vector<std::string> details;
  bool operator==(const CancelRefused&) const = default;
};
struct UpdateCancelled {
  CancelCause cause = CancelCause::kOperator;
  std::uint32_t attempt = 0;                  // 0: none was granted
  std::uint32_t batch = 0;
  bool retry = false;
  bool operator==(const UpdateCancelled&) const = default;
};
struct RetryAsked {                           // an operator re-opens a failed or cancelled update (decision 23)
  std::uint32_t retry_count = 0;
  std::uint32_t attempt = 0;                  // the attempts so far: the next one follows them
  std::optional<UpdatePlan> plan;             // of an update that had ended: its device had forgotten it
  bool operator==(const RetryAsked&) const = default;
};

// ---- downloads -----------------------------------------------------------------------------------------------

struct DownloadCompleted {                    // by an administrator; devices' downloads show in their updates
  FirmwareId firmware;
  bool operator==(const DownloadCompleted&) const = default;
};

// An event of a type that this version does not know: folded by nobody, skipped by every view.
struct UnknownEvent {
  std::uint16_t type = 0;
  bool operator==(const UnknownEvent&) const = default;
};

using Event = std::variant<
    UnknownEvent, FirmwareRegistered, FirmwareContentStored, FirmwareDeprecated, FirmwareRestored,
    DeviceRegistered, DeviceAttributesChanged, DeviceDeleted, DeviceReturned, IdsReserved, CampaignCreated,
    CampaignTargetPart, CampaignStarted, CampaignPaused, CampaignResumed, CampaignCancelled, CampaignAborted,
    CampaignClosed, BatchOpened, UpdateRequested, AttemptGranted, AttemptStarted, ProgressReported,
    LateReportRecorded, AttemptEnded, GrantLapsed, UpdateSkipped, CancelRequested, CancelRefused,
    UpdateCancelled, RetryAsked, DownloadCompleted, FirmwareRecalled, CampaignApproved, CampaignScheduled,
    CampaignFinished, CanaryPromoted, CanaryToppedUp>;

}  // namespace ota::domain
