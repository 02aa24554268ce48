// DeviceUpdate: one firmware on its way to one device, through one or more attempts.
//
// The stream is update:<id>. Grants are written into it by the campaign (or the device, for direct updates);
// everything else by the update itself, on the condition that its stream has not moved.
// Reports are fenced by attempt number and phase: whatever is late, repeated or reordered changes nothing (decision 26).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "domain/result.hpp"
#include "domain/settings.hpp"
#include "domain/streams.hpp"

namespace ota::domain {

struct DeviceUpdate {
  bool exists = false;                    // has events; one of a campaign may be decoded before it has any
  UpdateId id;
  DeviceId device;
  UpdatePlan plan;
  UpdateStatus status = UpdateStatus::kScheduled;
  std::uint32_t attempt = 0;
  ActionId action;
  std::uint32_t batch = 0;
  bool retry = false;                     // the present attempt is one
  std::uint32_t retry_count = 0;
  std::uint32_t spared_retries = 0;
  std::optional<Time> retry_at;           // waits for its next attempt
  std::optional<Time> start_by;           // granted, not started
  std::optional<Time> started_at;         // of the present attempt
  std::optional<Time> timeout_at;
  bool extended = false;                  // timeout_at was put off, once in an attempt
  std::optional<Time> completed_at;
  bool hold = false;                      // the present attempt is to wait for the campaign's switch
  bool held = false;                      // and does
  std::optional<Time> held_until;         // for its maintenance window, which opens then
  bool released = false;                  // and did
  std::uint32_t consent_asked = 0;        // for this attempt, which is not granted yet; 0: not asked
  bool consented = false;
  std::optional<UpdateId> undone_by;      // the rollback that took its device back
  std::optional<CancelRequested> cancel;  // asked of the device, not answered
  std::optional<Time> cancel_requested_at;  // in this attempt, whatever became of it
  bool cancel_refused = false;            // in this attempt
  std::uint32_t late_reports = 0;         // recorded so far
  std::uint64_t last_late = 0;            // the fingerprint of the last one
  std::uint32_t phase_basis_points = 0;
  std::uint32_t progress_basis_points = 0;  // 0..10,000; never goes down within an attempt
  std::uint64_t bytes_per_second = 0;
  std::optional<std::int32_t> code;
  std::vector<std::string> details;       // of the last report that had any
  std::optional<bool> signature_verified;
  std::optional<bool> checksum_verified;
  bool downloads_here = false;            // the present attempt is to ask us for the bytes
  bool artifact_requested = false;        // and has
  bool without_download = false;          // it ended well, and had not
  std::uint32_t entries = 0;              // reports of the present attempt that are recorded
  std::string error_code;
  std::string error_message;
  std::vector<std::string> warnings;      // of the last grant: what was not known of the device
  Time created_at{};
  Time updated_at{};
  std::uint32_t revision = 0;             // operators' and verdicts' events
  Position position;                      // the last event folded

  bool is_rollback() const { return plan.rollback.has_value() || id.kind != UpdateId::kDeployment; }
  bool in_progress() const { return status >= UpdateStatus::kInProgress && status <= UpdateStatus::kRebooting; }
};

// ---- commands ------------------------------------------------------------------------------------------------

struct StartAttempt {                     // the device fetched its deploymentBase, or accepted over MQTT
  std::uint32_t attempt = 0;
  bool downloads_here = false;            // and is to fetch the bytes from us
};
struct NoteArtifactRequest {              // the device has asked us for the bytes
  std::uint32_t attempt = 0;
};
struct Report {                           // what a device says about its attempt
  enum class Kind { kProgress, kNote, kSuccess, kFailure, kDeclined };   // kNote: words, no new phase
  std::uint32_t attempt = 0;
  Kind kind = Kind::kProgress;
  // kProgress: the phase if it is known; else what the words of the protocol leave open is taken from the state.
  std::optional<UpdateStatus> phase;
  std::optional<std::uint32_t> phase_basis_points;
  std::uint64_t bytes_per_second = 0;
  FailureKind failure = FailureKind::kDevice;
  std::optional<std::int32_t> code;
  std::string error_code;
  std::string error_message;
  std::vector<std::string> details;
  std::optional<bool> signature_verified;
  std::optional<bool> checksum_verified;
  bool firmware_recalled = false;         // not of a campaign's deployment: a failure is then the last one (decision 2)
  std::string runs;                       // kSuccess: the version that the device is known to run; empty: not known
  std::string timezone;                   // of the device, for a maintenance window of its own zone; empty: not known
  bool downloads_here = false;            // as of a StartAttempt, should this be the first that is heard of the attempt
};
// The version that its update brings was seen on the device (decision 12).
struct ConfirmVersion {
  std::uint32_t attempt = 0;
};
// Its campaign has switched: it may install what it holds.
struct ReleaseHold {
  std::string timezone;                   // as of a Report
};
// The device's user agrees to the update, or does not (decision 32).
struct AnswerConsent {
  std::uint32_t attempt = 0;
  bool agreed = true;
  std::vector<std::string> details;
};
struct CancelUpdate {
  enum class Reach { kNotStarted, kNotInstalling, kAny };
  CancelCause cause = CancelCause::kOperator;
  Reach reach = Reach::kAny;              // what is further along is left to finish: no events, no error
  std::optional<UpdateStatus> shown = {}; // of one without events: as its campaign has it
};
struct AnswerCancel {                     // cancelAction feedback
  std::uint32_t attempt = 0;
  bool accepted = true;
  std::vector<std::string> details;
};
enum class UpdateDeadline : std::uint8_t { kStartBy = 1, kTimeout = 2, kCancelGiveUp = 3, kWindowOpens = 4 };
struct DeadlineReached {
  UpdateDeadline deadline = UpdateDeadline::kTimeout;
  std::uint32_t attempt = 0;
  std::string timezone = {};              // as of a Report
  bool firmware_recalled = false;         // as of a Report
};
struct RetryUpdate {                      // POST /updates/{id}/retry
  // What its campaign is, if that forbids it: its status, or "finishing". Empty: in_progress or paused, or none.
  std::string closed_campaign = {};
  bool device_gone = false;               // deleted; if it has returned, it is another member of no old campaign
  std::optional<UpdatePlan> plan = {};    // of a campaign's update that was cancelled before it had one
  std::optional<UpdateStatus> shown = {}; // of one without events: as its campaign has it
  bool firmware_recalled = false;
  std::optional<UpdateId> pending_twin = {};  // another direct update of the device for this firmware (decision 9)
};
using UpdateCommand = std::variant<StartAttempt, Report, CancelUpdate, AnswerCancel, DeadlineReached, RetryUpdate,
                                   ConfirmVersion, ReleaseHold, AnswerConsent, NoteArtifactRequest>;

// ---- functions -----------------------------------------------------------------------------------------------

void evolve(DeviceUpdate& state, const Recorded& event);
Decision decide(const DeviceUpdate& state, const UpdateCommand& command, const Context& context);

// 0..10,000 by phase (spec/api.md section 5): downloading 5 + 0.45 x download %, installing 60 + 0.30 x install %.
std::uint32_t progress_basis_points(UpdateStatus phase, std::uint32_t phase_basis_points);

// The code and the words that a cancelled update shows; `declined` and the like are decisions' own.
std::pair<std::string, std::string> why_cancelled(CancelCause cause);

// Tells late reports apart; 0 is of none.
std::uint64_t fingerprint(const LateReportRecorded& late);

// When the next attempt may begin: base x 2^retries, capped, plus up to a quarter of jitter from the update's id.
Time next_retry_at(const UpdateId& id, std::uint32_t retries, Time now, const Settings& settings);

}  // namespace ota::domain
