#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "domain/limits.hpp"
#include "domain/update/update.hpp"
#include "domain/version.hpp"
#include "domain/window.hpp"

namespace ota::domain {
namespace {

constexpr std::string_view kTimeoutCode = "timeout";

// At most limits::kReportDetailBytes, in whole characters: half of one would not be text any more.
std::string cut(const std::string& text) {
  std::size_t n = std::min(text.size(), limits::kReportDetailBytes);
  while (n > 0 && n < text.size() && (static_cast<unsigned char>(text[n]) & 0xc0) == 0x80) --n;
  return text.substr(0, n);
}

std::vector<std::string> bounded_details(const std::vector<std::string>& given) {
  std::vector<std::string> lines;
  for (const auto& line : given) {
    if (lines.size() == limits::kReportDetailLines) break;
    if (line.empty()) continue;
    lines.push_back(cut(line));
  }
  return lines;
}

Events one(const DeviceUpdate& s, Event event) {
  // One of a campaign may be cancelled before anything says whose it is.
  const auto device = s.device.value.empty() ? std::nullopt : std::optional<DeviceId>(s.device);
  Events events;
  events.push_back({s.id, std::move(event), device});
  return events;
}

// The moment is over after which a device's report of its present attempt still counts.
bool is_late(const DeviceUpdate& s, std::uint32_t attempt) { return attempt != s.attempt || !s.in_progress(); }

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

Events end_failed(const DeviceUpdate& s, FailureKind kind, std::string code, std::string message,
                  bool firmware_recalled, const Context& context) {
  AttemptEnded end;
  end.attempt = s.attempt;
  end.success = false;
  end.kind = kind;
  end.error_code = std::move(code);
  end.error_message = std::move(message);
  end.batch = s.batch;
  end.retry = s.retry;
  end.retry_count = s.retry_count;
  end.spared_retries = s.spared_retries;
  // A device that was asked to stop is not asked to try again.
  // Nor is one whose installation may have gone wrong half-way: it is taken back (decision 27).
  end.takes_back =
      kind == FailureKind::kTimeout && s.plan.rollback_on_timeout && s.status >= UpdateStatus::kInstalling;
  // Nor is what was recalled installed once more.
  const bool may_retry = !s.cancel && !end.takes_back && !firmware_recalled;
  if (kind == FailureKind::kTransport || kind == FailureKind::kService) {
    if (may_retry && s.spared_retries < limits::kSparedRetries) {
      end.retry_at = next_retry_at(s.id, s.spared_retries, context.now, context.settings);
      ++end.spared_retries;
    }
  } else if (may_retry && s.retry_count < s.plan.max_retries) {
    end.retry_at = next_retry_at(s.id, s.retry_count, context.now, context.settings);
    ++end.retry_count;
  }
  return one(s, std::move(end));
}

AttemptStarted start_of(const DeviceUpdate& s, const Context& context) {
  return {s.attempt, context.now + std::chrono::minutes(s.plan.timeout_minutes)};
}

// It holds no more, and has its whole time for the installation.
AttemptStarted release_of(const DeviceUpdate& s, const Context& context) {
  auto started = start_of(s, context);
  started.released = true;
  return started;
}

// A report is also a sign that the attempt began, whatever became of the request that should have said so.
void begin_if_needed(const DeviceUpdate& s, const Context& context, Events& events) {
  if (!s.started_at) events.push_back({s.id, start_of(s, context), s.device});
}

UpdateStatus phase_of(const DeviceUpdate& s, const Report& r) {
  if (r.phase) return *r.phase;
  if (r.kind == Report::Kind::kNote) return s.status;
  if (s.status < UpdateStatus::kDownloading) return UpdateStatus::kDownloading;
  const bool holds = s.held && !s.released;  // it goes on waiting
  return s.status == UpdateStatus::kVerifying && !holds ? UpdateStatus::kInstalling : s.status;
}

void add_success(const DeviceUpdate& s, Events& events) {
  AttemptEnded e;
  e.attempt = s.attempt;
  e.success = true;
  e.batch = s.batch;
  e.retry = s.retry;
  e.retry_count = s.retry_count;
  e.spared_retries = s.spared_retries;
  events.push_back({s.id, std::move(e), s.device});
  const auto& rollback = s.plan.rollback;
  if (rollback && rollback->undoes) events.push_back({*rollback->undoes, UpdateUndone{s.id}, s.device});
}

// The maintenance window gates the install too (decision 14): closed, when does it open? Empty: nothing is in the way.
std::optional<Time> closed_until(const DeviceUpdate& s, const std::string& timezone, Time now) {
  const auto& window = s.plan.maintenance_window;
  if (!window || is_open(*window, timezone, now)) return std::nullopt;
  return opens_at(*window, timezone, now);
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
  Events events;
  begin_if_needed(s, context, events);
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
  begin_if_needed(s, context, events);
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
    case Report::Kind::kSuccess: add_success(s, end); break;
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

Decision on(const DeviceUpdate& s, const StartAttempt& c, const Context& context) {
  if (is_late(s, c.attempt) || s.started_at) return Events{};
  return one(s, start_of(s, context));
}

Decision on(const DeviceUpdate& s, const Report& r, const Context& context) {
  if (!s.exists || r.attempt > s.attempt) return not_found("Update", to_text(s.id));
  const bool on_the_way = r.kind == Report::Kind::kProgress || r.kind == Report::Kind::kNote;
  return on_the_way ? on_progress(s, r, context) : on_end(s, r, context);
}

// A campaign's updates are there before their first event; of a rollback that is no event yet only the campaign speaks.
bool waits_in_rollback(const DeviceUpdate& s) { return s.id.of_campaign && s.id.kind != UpdateId::kDeployment; }
DomainError waits_with_the_others(const DeviceUpdate& s, std::string_view requested) {
  auto error = wrong_state("update", to_text(s.status), requested, {});
  error.message = fmt::format("update {} waits in the rollback of its campaign, and ends with it", to_text(s.id));
  return error;
}

Decision on(const DeviceUpdate& s, const CancelUpdate& c, const Context& context) {
  if (!s.exists && waits_in_rollback(s)) return waits_with_the_others(s, "cancel");
  if (!s.exists && !s.id.of_campaign) return not_found("Update", to_text(s.id));
  if (s.status == UpdateStatus::kCancelled || (!s.exists && c.shown == UpdateStatus::kCancelled)) return Events{};
  if (is_terminal(s.status)) {
    if (c.reach != CancelUpdate::Reach::kAny) return Events{};  // a reaction came after the end
    return wrong_state("update", to_text(s.status), "cancel",
                       {"scheduled", "in_progress", "downloading", "verifying", "installing", "rebooting"});
  }
  if (c.cause == CancelCause::kNotSeen && !s.in_progress()) {
    AttemptEnded end;
    end.attempt = s.attempt;
    end.kind = FailureKind::kTimeout;
    std::tie(end.error_code, end.error_message) = why_cancelled(c.cause);
    end.batch = s.batch;
    end.retry = s.retry;
    end.retry_count = s.retry_count;
    end.spared_retries = s.spared_retries;
    return one(s, std::move(end));
  }
  if (!s.started_at || !s.in_progress()) {
    return one(s, UpdateCancelled{c.cause, s.in_progress() ? s.attempt : 0, s.batch, s.retry});
  }
  if (c.reach == CancelUpdate::Reach::kNotStarted) return Events{};
  if (c.reach == CancelUpdate::Reach::kNotInstalling && s.status >= UpdateStatus::kInstalling) return Events{};
  if (s.cancel) return Events{};
  // Asked once for a campaign's sake: it has answered, and its result stands (decision 24).
  if (s.cancel_refused && c.reach != CancelUpdate::Reach::kAny) return Events{};
  const Duration patience =
      std::min<Duration>(std::chrono::minutes(s.plan.timeout_minutes), context.settings.cancel_patience_max);
  return one(s, CancelRequested{c.cause, context.now + patience});
}

Decision on(const DeviceUpdate& s, const AnswerCancel& c, const Context&) {
  if (is_late(s, c.attempt) || !s.cancel) return Events{};
  if (c.accepted) return one(s, UpdateCancelled{s.cancel->cause, s.attempt, s.batch, s.retry});
  return one(s, CancelRefused{bounded_details(c.details)});
}

Decision on(const DeviceUpdate& s, const ConfirmVersion& c, const Context&) {
  if (is_late(s, c.attempt) || s.status != UpdateStatus::kRebooting || !s.plan.require_version_proof) return Events{};
  Events events;
  add_success(s, events);
  return events;
}

// Fresh time for the installation (design 4); once. A window that is closed holds on.
Decision on(const DeviceUpdate& s, const ReleaseHold& c, const Context& context) {
  if (!s.in_progress() || !s.hold || s.released || s.held_until) return Events{};
  if (const auto until = closed_until(s, c.timezone, context.now)) {
    return one(s, UpdateHeld{s.attempt, s.batch, s.retry, until});
  }
  return one(s, release_of(s, context));
}

Decision on(const DeviceUpdate& s, const AnswerConsent& c, const Context&) {
  if (s.exists && s.attempt > 0 && c.attempt == s.attempt) {  // it was granted on this consent, maybe a moment ago
    if (!s.plan.requires_consent) return not_found("Update that waits for consent", to_text(s.id));
    if (c.agreed || !s.in_progress()) return Events{};
    if (s.started_at) return wrong_state("update", to_text(s.status), "decline", {"scheduled", "in_progress"});
    return one(s, UpdateCancelled{CancelCause::kDeclined, s.attempt, s.batch, s.retry});
  }
  if (s.exists && is_terminal(s.status) && c.attempt == s.attempt + 1) {  // it was asked of this one, and is over
    if (!c.agreed && s.error_code == why_cancelled(CancelCause::kDeclined).first) return Events{};
    return wrong_state("update", to_text(s.status), c.agreed ? "confirm" : "decline", {"scheduled"});
  }
  if (!s.exists || s.consent_asked == 0) return not_found("Update that waits for consent", to_text(s.id));
  if (c.attempt != s.consent_asked || is_terminal(s.status)) return Events{};
  if (!c.agreed) return one(s, UpdateCancelled{CancelCause::kDeclined, 0, s.batch, s.retry});
  if (s.consented) return Events{};
  return one(s, ConsentGiven{c.attempt, bounded_details(c.details)});
}

Decision on(const DeviceUpdate& s, const DeadlineReached& c, const Context& context) {
  if (is_late(s, c.attempt)) return Events{};
  switch (c.deadline) {
    case UpdateDeadline::kStartBy:
      if (s.started_at || !s.start_by) return Events{};
      return one(s, GrantLapsed{s.attempt, s.batch, s.retry});
    case UpdateDeadline::kTimeout:
      if (!s.timeout_at) return Events{};
      // Asked to stop, and silent: it is taken as agreeing (decision 24).
      if (s.cancel) return one(s, UpdateCancelled{s.cancel->cause, s.attempt, s.batch, s.retry});
      return end_failed(s, FailureKind::kTimeout, std::string(kTimeoutCode),
                        fmt::format("no result within {} minutes", s.plan.timeout_minutes), c.firmware_recalled, context);
    case UpdateDeadline::kCancelGiveUp:
      if (!s.cancel) return Events{};
      return one(s, UpdateCancelled{s.cancel->cause, s.attempt, s.batch, s.retry});
    case UpdateDeadline::kWindowOpens: {
      if (!s.held || !s.held_until) return Events{};
      if (const auto until = closed_until(s, c.timezone, context.now)) {  // its zone is another one by now
        if (*until == *s.held_until) return Events{};
        return one(s, UpdateHeld{s.attempt, s.batch, s.retry, until});
      }
      return one(s, release_of(s, context));
    }
  }
  return Events{};
}

DomainError campaign_is_closed(UpdateStatus status, const std::string& campaign) {
  auto error = wrong_state("update", to_text(status), "retry", {"failed", "cancelled"});
  error.message = fmt::format("the update cannot be tried again: its campaign is {}; allowed while that is in_progress or "
                              "paused, and not finishing", campaign);
  return error;
}

Decision on(const DeviceUpdate& s, const RetryUpdate& c, const Context& context) {
  if (!s.exists && waits_in_rollback(s)) return waits_with_the_others(s, "retry");
  if (!s.exists && !s.id.of_campaign) return not_found("Update", to_text(s.id));
  const UpdateStatus status = s.exists ? s.status : c.shown.value_or(s.status);
  if (c.device_gone) {
    auto error = wrong_state("update", to_text(status), "retry", {});
    error.message = fmt::format("device {} was deleted: its updates are not retried", s.device.value);
    return error;
  }
  if (c.firmware_recalled) {
    auto error = wrong_state("update", to_text(status), "retry", {});
    error.message = fmt::format("the update cannot be tried again: its firmware {} is recalled",
                                c.plan ? c.plan->to_version : s.plan.to_version);
    return error;
  }
  if (c.pending_twin && status != UpdateStatus::kScheduled) {
    return DomainError{ErrorCode::kDuplicate,
                       fmt::format("device {} already has a pending update for this firmware: {}", s.device.value,
                                   to_text(*c.pending_twin)),
                       {}, {}, {}, {}};
  }
  // Of a campaign's update that never was granted only the campaign knows the plan.
  const std::optional<UpdatePlan> plan = s.attempt == 0 && s.id.of_campaign ? c.plan : s.plan;
  const std::uint32_t max_retries = plan ? plan->max_retries : s.plan.max_retries;
  if (status == UpdateStatus::kScheduled && s.retry_at) {
    if (*s.retry_at <= context.now) return Events{};
    if (!c.closed_campaign.empty()) return campaign_is_closed(status, c.closed_campaign);
    return one(s, RetryAsked{s.retry_count, s.attempt, std::nullopt, s.batch});  // while a retry waits, /retry means now
  }
  if (status != UpdateStatus::kFailed && status != UpdateStatus::kCancelled) {
    return wrong_state("update", to_text(status), "retry", {"failed", "cancelled"});
  }
  if (!c.closed_campaign.empty()) return campaign_is_closed(status, c.closed_campaign);
  if (s.retry_count >= max_retries) {
    auto error = wrong_state("update", to_text(status), "retry", {"failed", "cancelled"});
    error.message = fmt::format("Maximum retry attempts exceeded: {} of {}", s.retry_count, max_retries);
    return error;
  }
  return one(s, RetryAsked{s.retry_count + 1, s.attempt, plan, s.batch});
}

}  // namespace

Time next_retry_at(const UpdateId& id, std::uint32_t retries, Time now, const Settings& settings) {
  const auto doublings = std::min(retries, limits::kSparedBackoffDoublings);
  const Duration wait =
      std::min<Duration>(settings.retry_backoff_base * (std::int64_t{1} << doublings), settings.retry_backoff_max);
  // Devices that failed together must not come back together: the id spreads them over a quarter of the wait.
  std::uint64_t mix = 0xcbf29ce484222325ULL;
  for (const char c : to_binary(id)) mix = (mix ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  mix ^= mix >> 29;
  const auto jitter = Duration(static_cast<std::int64_t>(mix % 1024) * (wait.count() / 4) / 1024);
  return now + wait + jitter;
}

Decision decide(const DeviceUpdate& state, const UpdateCommand& command, const Context& context) {
  return std::visit([&](const auto& c) { return on(state, c, context); }, command);
}

}  // namespace ota::domain
