#include <algorithm>
#include <tuple>

#include "domain/update/update.hpp"

namespace ota::domain {
namespace {

void apply(DeviceUpdate& s, const UpdateRequested& e, const Recorded& r) {
  s.plan = e.plan;
  s.status = UpdateStatus::kScheduled;
  s.created_at = r.time;
  ++s.revision;
}

void apply(DeviceUpdate& s, const AttemptGranted& e, const Recorded& r) {
  if (e.plan) s.plan = *e.plan;
  if (s.attempt == 0 && s.created_at == Time{}) s.created_at = r.time;
  s.status = UpdateStatus::kInProgress;
  s.attempt = e.attempt;
  s.action = e.action;
  s.batch = e.batch;
  s.retry = e.retry;
  s.start_by = e.start_by;
  s.hold = e.hold;
  s.held = false;
  s.held_until.reset();
  s.warnings = e.warnings;
  s.released = false;
  s.consent_asked = 0;
  s.undone_by.reset();
  s.retry_at.reset();
  s.started_at.reset();
  s.timeout_at.reset();
  s.extended = false;
  s.completed_at.reset();
  s.cancel.reset();
  s.cancel_requested_at.reset();
  s.cancel_refused = false;
  s.phase_basis_points = 0;
  s.progress_basis_points = progress_basis_points(UpdateStatus::kInProgress, 0);
  s.bytes_per_second = 0;
  s.code.reset();
  s.details.clear();
  s.signature_verified.reset();
  s.checksum_verified.reset();
  s.downloads_here = false;
  s.artifact_requested = false;
  s.without_download = false;
  s.entries = 0;
}

void apply(DeviceUpdate& s, const AttemptStarted& e, const Recorded& r) {
  if (e.attempt != s.attempt) return;
  s.timeout_at = e.timeout_at;
  s.extended = s.extended || e.extended;
  s.downloads_here = s.downloads_here || e.downloads_here;
  if (e.extended) return;
  if (!e.released) s.started_at = r.time;
  s.start_by.reset();
  if (!e.released) return;
  s.held = false;
  s.held_until.reset();
  s.released = true;
}

void apply(DeviceUpdate& s, const UpdateHeld& e, const Recorded&) {
  if (e.attempt != s.attempt) return;
  s.held = true;
  s.held_until = e.until;
  s.timeout_at.reset();  // it waits for us now
}

void apply(DeviceUpdate& s, const ConsentAsked& e, const Recorded& r) {
  if (e.plan) s.plan = *e.plan;
  if (s.created_at == Time{}) s.created_at = r.time;
  s.consent_asked = e.attempt;
  s.consented = false;  // asked anew: what was said of an earlier attempt was about that one
  s.action = e.action;
}

void apply(DeviceUpdate& s, const ConsentGiven& e, const Recorded&) {
  if (e.attempt != s.consent_asked) return;
  s.consented = true;
}

// Counters follow: it completed no more (decision 23).
void apply(DeviceUpdate& s, const UpdateRefuted& e, const Recorded&) {
  if (s.status != UpdateStatus::kCompleted) return;
  s.status = UpdateStatus::kFailed;
  s.error_code = e.by == RefutedBy::kVersion ? "wrong_version" : "health_check";
  s.error_message = e.fact;
  ++s.revision;
}

void apply(DeviceUpdate& s, const UpdateUndone& e, const Recorded&) {
  if (!is_terminal(s.status)) return;
  if (s.status == UpdateStatus::kCompleted) s.status = UpdateStatus::kRollback;  // what was refuted stays failed
  s.undone_by = e.by;
  ++s.revision;
}

void apply(DeviceUpdate& s, const ProgressReported& e, const Recorded&) {
  if (e.attempt != s.attempt) return;
  s.status = e.phase;
  s.phase_basis_points = e.phase_basis_points;
  s.progress_basis_points =
      std::max(s.progress_basis_points, progress_basis_points(e.phase, e.phase_basis_points));
  if (e.bytes_per_second > 0) s.bytes_per_second = e.bytes_per_second;
  if (e.code) s.code = e.code;
  if (!e.details.empty()) s.details = e.details;
  if (e.signature_verified) s.signature_verified = e.signature_verified;
  if (e.checksum_verified) s.checksum_verified = e.checksum_verified;
  if (e.artifact_requested) {
    s.artifact_requested = true;
  } else {
    ++s.entries;
  }
}

// The attempt is over: nothing of it is waited for any more.
void end_attempt(DeviceUpdate& s) {
  s.start_by.reset();
  s.timeout_at.reset();
  s.cancel.reset();
  s.held = false;
  s.held_until.reset();
  s.consent_asked = 0;
}

void apply(DeviceUpdate& s, const AttemptEnded& e, const Recorded& r) {
  if (e.attempt != s.attempt) return;
  end_attempt(s);
  s.retry_count = e.retry_count;
  s.spared_retries = e.spared_retries;
  s.error_code = e.error_code;
  s.error_message = e.error_message;
  if (e.success) {
    s.status = UpdateStatus::kCompleted;
    s.progress_basis_points = progress_basis_points(UpdateStatus::kCompleted, 0);
    s.completed_at = r.time;
    s.without_download = e.without_download;
  } else if (e.retry_at) {
    s.status = UpdateStatus::kScheduled;
    s.progress_basis_points = 0;
    s.retry_at = e.retry_at;
  } else {
    s.status = UpdateStatus::kFailed;
    s.completed_at = r.time;
  }
}

void apply(DeviceUpdate& s, const GrantLapsed& e, const Recorded&) {
  if (e.attempt != s.attempt) return;
  end_attempt(s);
  s.status = UpdateStatus::kScheduled;
  s.progress_basis_points = 0;
  if (!e.retry) s.batch = 0;  // it has left its batch: the next one, whoever asks for it, is a first attempt again
}

void apply(DeviceUpdate& s, const UpdateSkipped& e, const Recorded& r) {
  if (s.created_at == Time{}) s.created_at = r.time;
  end_attempt(s);
  s.retry_at.reset();
  s.status = UpdateStatus::kCancelled;
  s.error_code = e.reason == SkipReason::kAlreadyThere   ? "already_there"
                 : e.reason == SkipReason::kIncompatible ? "incompatible"
                                                         : "unknown";
  s.error_message = e.fact;
  s.completed_at = r.time;
}

void apply(DeviceUpdate& s, const CancelRequested& e, const Recorded& r) {
  s.cancel = e;
  s.cancel_requested_at = r.time;
  s.cancel_refused = false;
  if (e.cause == CancelCause::kOperator) ++s.revision;
}

void apply(DeviceUpdate& s, const CancelRefused&, const Recorded&) {
  s.cancel.reset();
  s.cancel_refused = true;
}

void apply(DeviceUpdate& s, const UpdateCancelled& e, const Recorded& r) {
  if (s.created_at == Time{}) s.created_at = r.time;
  end_attempt(s);
  s.retry_at.reset();
  s.status = UpdateStatus::kCancelled;
  std::tie(s.error_code, s.error_message) = why_cancelled(e.cause);
  s.completed_at = r.time;
  if (e.cause == CancelCause::kOperator) ++s.revision;
}

void apply(DeviceUpdate& s, const RetryAsked& e, const Recorded& r) {
  if (e.plan) s.plan = *e.plan;
  s.status = UpdateStatus::kScheduled;
  s.progress_basis_points = 0;
  s.retry_count = e.retry_count;
  s.retry_at = r.time;
  s.completed_at.reset();
  ++s.revision;
}

void apply(DeviceUpdate& s, const LateReportRecorded& e, const Recorded&) {
  ++s.late_reports;
  s.last_late = fingerprint(e);
}

// Everything else is not an update's event, or changes nothing.
template <class Other>
void apply(DeviceUpdate&, const Other&, const Recorded&) {}

}  // namespace

std::pair<std::string, std::string> why_cancelled(CancelCause cause) {
  switch (cause) {
    case CancelCause::kOperator: return {"cancelled_by_operator", "an operator cancelled the update"};
    case CancelCause::kCampaignCancelled: return {"campaign_cancelled", "the campaign was cancelled"};
    case CancelCause::kCampaignAborted: return {"campaign_aborted", "the campaign was stopped or rolled back"};
    case CancelCause::kDeviceDeleted: return {"device_deleted", "the device was deleted"};
    case CancelCause::kUserDeleted: return {"user_deleted", "the device's owner was deleted"};
    case CancelCause::kDeclined: return {"declined", "the device or its user declined the update"};
    case CancelCause::kRecalled: return {"firmware_recalled", "the firmware was recalled"};
    case CancelCause::kPreempted: return {"preempted", "an emergency update took its place"};
    case CancelCause::kScheduledEnd: return {"scheduled_end", "the campaign's scheduled_end had passed"};
    case CancelCause::kFinished: return {"campaign_finished", "the campaign was finished before the device had begun"};
    case CancelCause::kSuperseded: return {"superseded", "the device runs something else by now"};
    case CancelCause::kNotSeen: return {"device_not_seen", "the device was not seen in time"};
  }
  return {};
}

std::uint32_t progress_basis_points(UpdateStatus phase, std::uint32_t phase_basis_points) {
  const std::uint32_t within = std::min(phase_basis_points, 10'000U);
  switch (phase) {
    case UpdateStatus::kInProgress: return 500;
    case UpdateStatus::kDownloading: return 500 + within * 45 / 100;
    case UpdateStatus::kVerifying: return 5'500;
    case UpdateStatus::kInstalling: return 6'000 + within * 30 / 100;
    case UpdateStatus::kRebooting: return 9'200;
    case UpdateStatus::kCompleted: return 10'000;
    default: return 0;
  }
}

std::uint64_t fingerprint(const LateReportRecorded& late) {
  std::uint64_t sum = 0xcbf29ce484222325ULL;
  const auto mix = [&sum](std::uint64_t byte) { sum = (sum ^ byte) * 0x100000001b3ULL; };
  mix(late.attempt);
  mix(static_cast<std::uint64_t>(late.reported));
  mix(late.code ? static_cast<std::uint64_t>(*late.code) + 1 : 0);
  for (const auto& line : late.details) {
    for (const char c : line) mix(static_cast<unsigned char>(c));
    mix(0x100);
  }
  return sum == 0 ? 1 : sum;
}

void evolve(DeviceUpdate& state, const Recorded& event) {
  state.exists = true;
  if (const auto* id = std::get_if<UpdateId>(&event.stream)) state.id = *id;
  if (event.device) state.device = *event.device;
  std::visit([&](const auto& e) { apply(state, e, event); }, event.event);
  state.updated_at = event.time;
  state.position = event.position;
}

}  // namespace ota::domain
