#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "domain/update/attempt.hpp"

namespace ota::domain {
namespace update {
namespace {

Decision on(const DeviceUpdate& s, const StartAttempt& c, const Context& context) {
  if (is_late(s, c.attempt) || s.started_at) return Events{};
  return one(s, start_of(s, c.downloads_here, context));
}

// Once an attempt, and said by us: whoever asks for bytes downloads them, whatever it reports.
Decision on(const DeviceUpdate& s, const NoteArtifactRequest& c, const Context& context) {
  if (is_late(s, c.attempt) || s.artifact_requested) return Events{};
  Events events;
  if (!s.started_at) events.push_back({s.id, start_of(s, true, context), s.device});
  ProgressReported seen;
  seen.attempt = s.attempt;
  seen.phase = std::max(s.status, UpdateStatus::kDownloading);
  seen.phase_basis_points = seen.phase == s.status ? s.phase_basis_points : 0;
  seen.artifact_requested = true;
  events.push_back({s.id, std::move(seen), s.device});
  return events;
}

Decision on(const DeviceUpdate& s, const Report& r, const Context& context) { return on_report(s, r, context); }

// A campaign's updates are there before their first event; of a rollback that is no event yet only the campaign speaks.
bool is_of_rollback(const DeviceUpdate& s) { return s.id.of_campaign && s.id.kind != UpdateId::kDeployment; }
DomainError waits_with_the_others(const DeviceUpdate& s, std::string_view requested) {
  auto error = wrong_state("update", to_text(s.status), requested, {});
  error.message = fmt::format("update {} waits in the rollback of its campaign, and ends with it", to_text(s.id));
  return error;
}

Decision on(const DeviceUpdate& s, const CancelUpdate& c, const Context& context) {
  if (!s.exists && is_of_rollback(s)) return waits_with_the_others(s, "cancel");
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
  if (s.cancel_refused && c.reach != CancelUpdate::Reach::kAny) {
    Events events;
    end_in_time(s, c.cause, context, events);
    return events;
  }
  const Duration patience =
      std::min<Duration>(std::chrono::minutes(s.plan.timeout_minutes), context.settings.cancel_patience_max);
  return one(s, CancelRequested{c.cause, context.now + patience});
}

Decision on(const DeviceUpdate& s, const AnswerCancel& c, const Context& context) {
  if (is_late(s, c.attempt) || !s.cancel) return Events{};
  if (c.accepted) return one(s, UpdateCancelled{s.cancel->cause, s.attempt, s.batch, s.retry});
  auto events = one(s, CancelRefused{bounded_details(c.details)});
  end_in_time(s, s.cancel->cause, context, events);
  return events;
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
      if (!s.timeout_at || (s.extended && *s.timeout_at > context.now)) return Events{};  // it was put off since
      // Asked to stop, and silent: it is taken as agreeing (decision 24).
      if (s.cancel) return one(s, UpdateCancelled{s.cancel->cause, s.attempt, s.batch, s.retry});
      // Nor is it told of its update while its window is closed (decision 14): that silence is ours.
      if (const auto until = closed_until(s, c.timezone, context.now); until && !s.extended && s.status < UpdateStatus::kVerifying) {
        return one(s, extended_from(s, *until));
      }
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
  if (!s.exists && is_of_rollback(s)) return waits_with_the_others(s, "retry");
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
  if (is_of_rollback(s)) {
    auto error = wrong_state("update", to_text(status), "retry", {});
    error.message = fmt::format("update {} is the rollback of its campaign, and over; whoever is not back yet is taken back by "
                                "the next one", to_text(s.id));
    return error;
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
}  // namespace update

Decision decide(const DeviceUpdate& state, const UpdateCommand& command, const Context& context) {
  return std::visit([&](const auto& c) { return update::on(state, c, context); }, command);
}

}  // namespace ota::domain
