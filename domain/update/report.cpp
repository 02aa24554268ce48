// What a device says of its attempt: progress and ends, fenced by attempt and phase (decision 26).
#include <algorithm>

#include <fmt/format.h>

#include "domain/limits.hpp"
#include "domain/update/attempt.hpp"
#include "domain/version.hpp"

namespace ota::domain::update {
namespace {

// Each once, and not without end: a device may say the same for as long as it likes.
Events late(const DeviceUpdate& s, const Report& r, UpdateStatus reported) {
  LateReportRecorded late{r.attempt, reported, r.code, bounded_details(r.details)};
  if (s.late_reports >= limits::kLateReports || fingerprint(late) == s.last_late) return {};
  return one(s, std::move(late));
}

UpdateStatus status_of(Report::Kind kind) {
  switch (kind) {
    case Report::Kind::kSuccess: return UpdateStatus::kCompleted;
    case Report::Kind::kDeclined: return UpdateStatus::kCancelled;
    default: return UpdateStatus::kFailed;
  }
}

// The attempt ended with this very report: said again by a client that lost our answer.
bool was_taken(const DeviceUpdate& s, const Report& r) {
  if (r.attempt != s.attempt) return false;
  switch (r.kind) {
    case Report::Kind::kSuccess: return s.status == UpdateStatus::kCompleted;
    case Report::Kind::kDeclined: return s.status == UpdateStatus::kCancelled;  // or asked to stop, and it did
    default:
      return (s.status == UpdateStatus::kFailed || (s.status == UpdateStatus::kScheduled && s.retry_at)) &&
             s.error_code != kTimeoutCode;
  }
}

// A report is also a sign that the attempt began, whatever became of the request that should have said so.
void begin_if_needed(const DeviceUpdate& s, const Report& r, const Context& context, Events& events) {
  if (!s.started_at) events.push_back({s.id, start_of(s, r.downloads_here, context), s.device});
}

DomainError too_many_entries(const DeviceUpdate& s) {
  return {ErrorCode::kQuota,
          fmt::format("attempt {} of update {} has {} reports already; only its end is recorded from now on", s.attempt,
                      to_text(s.id), s.entries),
          {}, {}, {}, {}};
}

UpdateStatus phase_of(const DeviceUpdate& s, const Report& r) {
  if (r.phase) return *r.phase;
  if (r.kind == Report::Kind::kNote) return s.status;
  if (s.status < UpdateStatus::kDownloading) return UpdateStatus::kDownloading;
  const bool holds = s.held && !s.released;  // it goes on waiting
  return s.status == UpdateStatus::kVerifying && !holds ? UpdateStatus::kInstalling : s.status;
}

Decision on_progress(const DeviceUpdate& s, const Report& r, const Context& context) {
  const UpdateStatus phase = phase_of(s, r);
  if (is_late(s, r.attempt)) return late(s, r, phase);
  if (phase < s.status) return late(s, r, phase);
  ProgressReported p;
  p.attempt = s.attempt;
  p.phase = phase;
  const std::uint32_t before = phase == s.status ? s.phase_basis_points : 0;
  p.phase_basis_points = std::max(before, std::min(r.phase_basis_points.value_or(before), 10'000U));
  p.bytes_per_second = r.bytes_per_second;
  p.code = r.code;
  p.details = bounded_details(r.details);
  p.signature_verified = r.signature_verified;
  p.checksum_verified = r.checksum_verified;
  const bool news = phase != s.status || p.phase_basis_points >= before + limits::kProgressStepBasisPoints ||
                    (!p.details.empty() && p.details != s.details) ||
                    (r.signature_verified && r.signature_verified != s.signature_verified) ||
                    (r.checksum_verified && r.checksum_verified != s.checksum_verified);
  if (news && s.entries >= limits::kReportEntries) {
    // The phase still counts, so that the attempt goes on; words and steps do not any more.
    if (phase == s.status) return too_many_entries(s);
    p.details.clear();
  }
  Events events;
  begin_if_needed(s, r, context, events);
  if (s.held && phase >= UpdateStatus::kInstalling) {  // it does not wait any more, whoever let it go: its time runs
    events.push_back({s.id, release_of(s, context), s.device});
  }
  if (news) events.push_back({s.id, std::move(p), s.device});
  if (phase < UpdateStatus::kVerifying) return events;  // not downloaded yet
  if (s.plan.download_only) {
    add_success(s, events);
  } else if (phase >= UpdateStatus::kInstalling) {
    return events;  // past where it would have waited
  } else if (s.hold && !s.held && !s.released) {
    events.push_back({s.id, UpdateHeld{s.attempt, s.batch, s.retry}, s.device});
  } else if (const auto until = closed_until(s, r.timezone, context.now); until && !s.held) {
    events.push_back({s.id, UpdateHeld{s.attempt, s.batch, s.retry, until}, s.device});
  }
  return events;
}

Decision on_end(const DeviceUpdate& s, const Report& r, const Context& context) {
  if (was_taken(s, r)) return Events{};
  // Its word is not enough: it stays rebooting until its version is seen (decision 12).
  if (r.kind == Report::Kind::kSuccess && s.plan.require_version_proof && !s.plan.download_only &&
      !is_late(s, r.attempt) && !same_version(r.runs, s.plan.to_version)) {
    Report rebooting = r;
    rebooting.kind = Report::Kind::kProgress;
    rebooting.phase = UpdateStatus::kRebooting;
    return on_progress(s, rebooting, context);
  }
  if (is_late(s, r.attempt)) return late(s, r, status_of(r.kind));
  Events events;
  begin_if_needed(s, r, context, events);
  if (auto details = bounded_details(r.details); !details.empty() && details != s.details) {
    ProgressReported last;
    last.attempt = s.attempt;
    last.phase = s.status;
    last.phase_basis_points = s.phase_basis_points;
    last.code = r.code;
    last.details = std::move(details);
    events.push_back({s.id, std::move(last), s.device});
  }
  Events end;
  switch (r.kind) {
    case Report::Kind::kSuccess: add_success(s, events); break;
    case Report::Kind::kDeclined:
      end = one(s, UpdateCancelled{s.cancel ? s.cancel->cause : CancelCause::kDeclined, s.attempt, s.batch, s.retry});
      break;
    default: {
      std::string code = r.error_code;
      if (code.empty()) code = r.code ? fmt::format("device_{}", *r.code) : "device_failure";
      std::string message = r.error_message;
      if (message.empty() && !r.details.empty()) message = r.details.back();
      end = end_failed(s, r.failure, cut(code), cut(message), r.firmware_recalled, context);
      break;
    }
  }
  events.insert(events.end(), end.begin(), end.end());
  return events;
}

}  // namespace

Decision on_report(const DeviceUpdate& s, const Report& r, const Context& context) {
  if (!s.exists || r.attempt > s.attempt) {
    auto error = not_found("Update", to_text(s.id));
    if (s.exists) error.message = fmt::format("update {} has no attempt {} that has begun", to_text(s.id), r.attempt);
    return error;
  }
  const bool on_the_way = r.kind == Report::Kind::kProgress || r.kind == Report::Kind::kNote;
  return on_the_way ? on_progress(s, r, context) : on_end(s, r, context);
}

}  // namespace ota::domain::update
