// What can have happened to a device update, and so to a rollback, which is one of another kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/events/policy.hpp"
#include "domain/ids.hpp"
#include "domain/words.hpp"

namespace ota::domain {

// Of an update that takes a device back to a version that it had.
struct RollbackOf {
  RollbackTrigger trigger = RollbackTrigger::kManual;
  std::string reason;
  std::optional<UpdateId> undoes = {};        // the update that brought what is undone; absent: not known here
  std::string undone_version;                 // a device that runs neither it nor `from_version` is left alone
  bool operator==(const RollbackOf&) const = default;
};

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
  std::optional<RollbackOf> rollback = {};
  bool download_only = false;                 // it completes when it is downloaded (decision 32)
  bool requires_consent = false;              // of the device's user, before the grant
  bool require_version_proof = false;         // it completes when its version is seen (decision 12)
  bool rollback_on_timeout = false;           // a time-out after installing began takes the device back (decision 27)
  std::uint32_t health_window_minutes = 0;    // so long after success bad health takes the device back; 0: never
  bool allow_beta = false;                    // of a direct update: whoever asked for it wants beta firmware on this device
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
  bool hold = false;                          // blue_green: verified, it waits for the campaign's switch
  std::vector<std::string> warnings = {};     // what was not known of the device and taken to fit (decision 5)
  bool operator==(const AttemptGranted&) const = default;
};
struct AttemptStarted {
  std::uint32_t attempt = 1;
  Time timeout_at;
  bool released = false;                      // once more: it held, and may install now
  bool extended = false;                      // once more: nothing but its time, which runs anew
  bool downloads_here = false;                // the device itself has its offer from us, and fetches the bytes from us
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
  bool artifact_requested = false;            // not the device's words: it has asked us for the bytes in this attempt
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
  bool takes_back = false;                    // the device is to be rolled back (trigger timeout)
  bool without_download = false;              // a success that is suspicious: nobody asked us for the bytes
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
  kDeclined = 6, kRecalled = 7, kPreempted = 8, kScheduledEnd = 9, kFinished = 10, kSuperseded = 11,
  kNotSeen = 12
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
// The offer has an action and waits for the device's user; no place is taken, no time runs (decision 32).
struct ConsentAsked {
  std::uint32_t attempt = 1;                  // the one that a grant will have
  ActionId action;                            // which that grant keeps
  std::optional<UpdatePlan> plan = {};        // of a campaign's update
  bool operator==(const ConsentAsked&) const = default;
};
struct ConsentGiven {
  std::uint32_t attempt = 1;
  std::vector<std::string> details;
  bool operator==(const ConsentGiven&) const = default;
};
// Downloaded and verified; it installs when its campaign switches, or its maintenance window opens. Its place is free, its
// time-out stopped.
struct UpdateHeld {
  std::uint32_t attempt = 1;
  std::uint32_t batch = 0;                    // of the grant, as is `retry`
  bool retry = false;
  std::optional<Time> until = {};             // the window opens then (decision 14); absent: the campaign's switch
  bool operator==(const UpdateHeld&) const = default;
};
// It had completed, and has failed after all (decisions 12 and 27).
enum class RefutedBy : std::uint8_t { kVersion = 1, kHealth = 2 };
struct UpdateRefuted {
  RefutedBy by = RefutedBy::kVersion;
  std::string fact;                           // what the device said, for people
  std::uint32_t batch = 0;                    // of the grant, as is `retry`
  bool retry = false;
  bool takes_back = false;                    // the device is to be rolled back (trigger health_check)
  bool operator==(const UpdateRefuted&) const = default;
};
// A rollback has taken its device back: it stays counted as completed (decision 10).
struct UpdateUndone {
  UpdateId by;
  bool operator==(const UpdateUndone&) const = default;
};
struct RetryAsked {                           // an operator re-opens a failed or cancelled update (decision 23)
  std::uint32_t retry_count = 0;
  std::uint32_t attempt = 0;                  // the attempts so far: the next one follows them
  std::optional<UpdatePlan> plan;             // of an update that had ended: its device had forgotten it
  std::uint32_t batch = 0;                    // of its last grant: a retry belongs to its old batch
  bool operator==(const RetryAsked&) const = default;
};

}  // namespace ota::domain
