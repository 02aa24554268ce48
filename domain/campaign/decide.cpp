#include <algorithm>

#include <fmt/format.h>

#include "domain/campaign/campaign.hpp"
#include "domain/window.hpp"

namespace ota::domain {
namespace {

Events one(const Campaign& s, Event event) { return {{s.id, std::move(event), std::nullopt}}; }

DomainError cannot(const Campaign& s, std::string_view what, std::vector<std::string> allowed) {
  return wrong_state("campaign", to_text(s.status), what, std::move(allowed));
}

Decision on(const Campaign& s, const CreateCampaign& c, const Context&) {
  if (s.exists) return Events{};
  return Events{{c.id, c.record, std::nullopt}};
}

Decision on(const Campaign& s, const AddTargetPart& c, const Context&) {
  if (s.exists) return Events{};
  return one(s, c.part);
}

DomainError recalled(const Campaign& s, std::string_view what) {
  auto error = cannot(s, what, {});
  error.message = fmt::format("the campaign cannot {}: its firmware {} {} is recalled", what, s.firmware_name,
                              s.facts.version);
  return error;
}

bool lacks_approval(const Campaign& s) { return s.policy.requires_approval && !s.approved; }

Decision on(const Campaign& s, const StartCampaign&, const Context& context) {
  if (s.status == CampaignStatus::kInProgress || s.status == CampaignStatus::kScheduled) return Events{};
  if (s.status != CampaignStatus::kCreated) return cannot(s, "start", {"created"});
  if (lacks_approval(s)) {
    auto error = cannot(s, "start", {"approved"});
    error.message = "the campaign cannot start: it requires approval, and is not approved";
    return error;
  }
  if (s.firmware_recalled) return recalled(s, "start");
  if (s.policy.scheduled_end && *s.policy.scheduled_end <= context.now) {
    auto error = cannot(s, "start", {});
    error.message = "the campaign cannot start: its scheduled_end has passed";
    return error;
  }
  if (s.policy.scheduled_start && *s.policy.scheduled_start > context.now) {
    return one(s, CampaignScheduled{*s.policy.scheduled_start});
  }
  return one(s, CampaignStarted{});
}

// Decision 19: not by the one who created it; a refusal may be followed by an approval.
Decision on(const Campaign& s, const ApproveCampaign& c, const Context& context) {
  if (s.status != CampaignStatus::kCreated && s.status != CampaignStatus::kScheduled) {
    return cannot(s, c.approved ? "approve" : "refuse", {"created", "scheduled"});
  }
  if (s.policy.requires_approval && (context.caller == Caller{} || context.caller == s.created_by)) {
    auto error = cannot(s, "approve", {});
    error.message = context.caller == Caller{}
                        ? "the approval needs an approver: who is asking is not known (X-User-Id)"
                        : "the approver must be another person than the one who created the campaign";
    return error;
  }
  const bool said = s.approved_by == context.caller && s.approved == c.approved &&
                    s.approval_comment == c.comment && s.approval_conditions == c.conditions;
  if (said) return Events{};
  return one(s, CampaignApproved{c.approved, c.comment, c.conditions});
}

Decision on(const Campaign& s, const PauseCampaign& c, const Context&) {
  if (s.status == CampaignStatus::kPaused) return Events{};
  if (s.status != CampaignStatus::kInProgress) return cannot(s, "pause", {"in_progress"});
  return one(s, CampaignPaused{c.reason, PauseCause::kOperator, {}});
}

Decision on(const Campaign& s, const ResumeCampaign&, const Context&) {
  if (s.status == CampaignStatus::kInProgress) return Events{};
  if (s.status != CampaignStatus::kPaused) return cannot(s, "resume", {"paused"});
  if (s.firmware_recalled) return recalled(s, "resume");
  auto events = one(s, CampaignResumed{});
  if (s.pause_cause == PauseCause::kCanary && s.in_canary()) {
    // As many devices more as could still promote; whatever the last verdict asked for.
    const std::uint32_t more = std::max(1U, s.verdict ? s.verdict->more : 1U);
    const auto cutoff = canary_cutoff(s.id, s.targets, *s.canary, s.evidence.topped_up() + more);
    events.push_back({s.id, CanaryToppedUp{more, cutoff}, std::nullopt});
  }
  return events;
}

Verdict verdict_of(const Campaign& s, const EvidenceVerdict& v) {
  Verdict verdict{v.rule, v.decision.value_or(VerdictDecision::kUndecided), v.failed, v.counted};
  verdict.threshold_percent = s.policy.failure_threshold_percent;
  verdict.p0_basis_points = s.canary->p0_basis_points;
  verdict.p1_basis_points = s.canary->p1_basis_points;
  verdict.more = v.more;
  return verdict;
}

// Nobody is left who could join the canary.
bool canary_is_exhausted(const Campaign& s) {
  Bitmap left = s.cohort;
  left -= s.granted;
  left -= s.completed;
  left -= s.failed;
  left -= s.cancelled;
  return left.isEmpty();
}

Decision on(const Campaign& s, const PromoteCampaign& c, const Context&) {
  if (!s.canary) {
    auto error = cannot(s, "promote", {});
    error.message = fmt::format("only a canary can be promoted; this campaign is {}", to_text(s.policy.strategy));
    return error;
  }
  if (s.promoted) return Events{};
  if (s.status != CampaignStatus::kInProgress && s.status != CampaignStatus::kPaused) {
    return cannot(s, "promote", {"in_progress", "paused"});
  }
  if (s.firmware_recalled) return recalled(s, "promote");
  const auto verdict = verdict_of(s, judge(*s.canary, s.evidence, canary_is_exhausted(s)));
  auto events = one(s, CanaryPromoted{verdict, true, c.reason});
  if (s.status == CampaignStatus::kPaused && s.pause_cause == PauseCause::kCanary) {
    events.push_back({s.id, CampaignResumed{}, std::nullopt});
  }
  return events;
}

Decision on(const Campaign& s, const FinishCampaign& c, const Context&) {
  if (s.finished || s.status == CampaignStatus::kCompleted) return Events{};
  if (s.status != CampaignStatus::kInProgress && s.status != CampaignStatus::kPaused &&
      s.status != CampaignStatus::kScheduled) {
    return cannot(s, "finish", {"scheduled", "in_progress", "paused"});
  }
  return one(s, CampaignFinished{c.reason, false});
}

Decision on(const Campaign& s, const CancelCampaign& c, const Context&) {
  if (s.status == CampaignStatus::kCancelled) return Events{};
  if (is_terminal(s.status)) return cannot(s, "cancel", {"created", "scheduled", "in_progress", "paused"});
  return one(s, CampaignCancelled{c.reason});
}

// Enough of the open batch has settled, it is full, and there is somebody for the next one.
bool next_batch_is_due(const Campaign& s) {
  if (s.policy.strategy == Strategy::kImmediate || s.in_canary() || s.batch_granted < s.policy.batch_size) return false;
  if (std::uint64_t{s.batch_settled} * 100 < std::uint64_t{s.batch_granted} * s.policy.batch_settle_percent) {
    return false;
  }
  // Those that wait for a retry stand before no batch gate.
  return s.pending() > s.retries.size();
}

// More than half of the failures are broken links or our own: nothing of that speaks against the update.
bool are_own_faults(const Campaign& s) { return s.own_faults.cardinality() * 2 > s.failed.cardinality(); }

Events pause(const Campaign& s, PauseCause cause, std::string reason, std::optional<Verdict> verdict = {}) {
  return one(s, CampaignPaused{std::move(reason), cause, std::move(verdict)});
}

Events abort(const Campaign& s, const Verdict& verdict) {
  if (are_own_faults(s)) {
    return pause(s, PauseCause::kOwnFaults,
                 fmt::format("{} of {} failures are transport or service failures, not the update's: {}",
                             s.own_faults.cardinality(), s.failed.cardinality(), sentence(verdict)),
                 verdict);
  }
  return one(s, CampaignAborted{RollbackTrigger::kFailureRate, verdict});
}

bool rolls_back_by_itself(const Campaign& s) {
  const auto& triggers = s.policy.rollback_triggers;
  return s.policy.auto_rollback &&
         std::find(triggers.begin(), triggers.end(), RollbackTrigger::kFailureRate) != triggers.end();
}

// During a canary only the evidence counts.
Events canary_events(const Campaign& s) {
  const auto found = judge(*s.canary, s.evidence, canary_is_exhausted(s));
  if (!found.decision) return {};
  const auto verdict = verdict_of(s, found);
  switch (*found.decision) {
    case VerdictDecision::kPromote: return one(s, CanaryPromoted{verdict, false, {}});
    case VerdictDecision::kAbort:
      if (rolls_back_by_itself(s)) return one(s, CampaignAborted{RollbackTrigger::kFailureRate, verdict});
      [[fallthrough]];
    default:
      if (s.status == CampaignStatus::kPaused) return {};
      return pause(s, PauseCause::kCanary, sentence(verdict), verdict);
  }
}

Events events_of_time(const Campaign& s, Time now) {
  if (s.policy.scheduled_end && *s.policy.scheduled_end <= now && !s.finished) {
    return one(s, CampaignFinished{"scheduled_end has passed", true});
  }
  // Refused after all, it waits for another approval.
  const bool may_start = s.status == CampaignStatus::kScheduled && !s.finished && !s.firmware_recalled &&
                         !lacks_approval(s);
  if (may_start && s.starts_at && *s.starts_at <= now) {
    return one(s, CampaignStarted{});
  }
  return {};
}

Events own_events(const Campaign& s, Time now) {
  if (!s.exists || s.closed) return {};
  const bool running = s.granted.cardinality() > 0;
  if (is_terminal(s.status)) {
    if (running || !s.untold.isEmpty()) return {};
    // An aborted one keeps the verdict that aborted it; a cancelled one says how far it came.
    const bool aborted = s.status == CampaignStatus::kFailed && s.verdict;
    return one(s, CampaignClosed{s.status, aborted ? *s.verdict
                                                   : verdict_at_end(s.counts(), s.policy.failure_threshold_percent)});
  }
  if (s.status == CampaignStatus::kCreated) return {};
  if (auto due = events_of_time(s, now); !due.empty()) return due;
  if (s.firmware_recalled && s.status == CampaignStatus::kInProgress) {
    return pause(s, PauseCause::kRecalled, fmt::format("firmware {} {} is recalled", s.firmware_name, s.facts.version));
  }
  if (s.status == CampaignStatus::kScheduled && !s.finished) return {};
  const bool at_the_end = !running && s.pending() == 0;
  if (s.in_canary() && !s.finished && !at_the_end) {
    if (auto due = canary_events(s); !due.empty()) return due;
  } else if (rolls_back_by_itself(s) && s.failed.cardinality() > s.judged_failed) {
    if (const auto verdict = abort_by_threshold(s.counts(), s.policy.failure_threshold_percent,
                                                s.policy.min_finished_for_verdict)) {
      // At the end, and in one that is paused, there is nothing left to hold.
      const bool nothing_to_hold = at_the_end || s.status == CampaignStatus::kPaused;
      if (!are_own_faults(s) || !nothing_to_hold) return abort(s, *verdict);
    }
  }
  if (at_the_end) {
    if (!s.untold.isEmpty()) return {};
    const auto verdict = verdict_at_end(s.counts(), s.policy.failure_threshold_percent);
    const bool failed = verdict.decision == VerdictDecision::kAbort;
    return one(s, CampaignClosed{failed ? CampaignStatus::kFailed : CampaignStatus::kCompleted, verdict});
  }
  if (s.status == CampaignStatus::kInProgress && next_batch_is_due(s)) return one(s, BatchOpened{s.batch + 1});
  return {};
}

// An ended campaign lets nothing hang: what has not started ends at once, what runs is asked or left to finish.
std::vector<CancelOf> cancels(const Campaign& s, const Bitmap& told, std::size_t most) {
  std::vector<CancelOf> due;
  if (!s.takes_nobody() && !s.firmware_recalled) return due;
  if (!is_terminal(s.status)) {
    // Recalled: what does not install yet is stopped. Finished: only what waits; what is granted runs to its end.
    const Bitmap to_tell = s.firmware_recalled ? s.granted | s.untold : s.untold;
    for (const std::uint32_t o : to_tell - told) {
      if (due.size() == most) break;
      due.push_back({UpdateId::in_campaign(s.id, {o}), CancelUpdate::Reach::kNotInstalling,
                     s.firmware_recalled ? CancelCause::kRecalled : CancelCause::kFinished});
    }
    return due;
  }
  const bool by_operator = s.status == CampaignStatus::kCancelled;
  const auto cause = by_operator                                 ? CancelCause::kCampaignCancelled
                     : s.firmware_recalled                       ? CancelCause::kRecalled
                     : s.status == CampaignStatus::kCompleted ? CancelCause::kFinished
                                                              : CancelCause::kCampaignAborted;
  const auto reach = by_operator || s.firmware_recalled ? CancelUpdate::Reach::kNotInstalling : CancelUpdate::Reach::kNotStarted;
  for (const std::uint32_t o : (s.granted | s.untold) - told) {
    if (due.size() == most) break;
    due.push_back({UpdateId::in_campaign(s.id, {o}), reach, cause});
  }
  return due;
}

}  // namespace

Due next(const Campaign& state, const Bitmap& told, std::size_t cancels_max, Time now) {
  return {own_events(state, now), cancels(state, told, cancels_max)};
}

std::optional<Time> wakes_at(const Campaign& s, Time now) {
  if (!s.exists || s.takes_nobody() || s.status == CampaignStatus::kCreated) return std::nullopt;
  std::optional<Time> first;
  const auto consider = [&](const std::optional<Time>& at) {
    if (at && *at > now && (!first || *at < *first)) first = at;
  };
  if (s.status == CampaignStatus::kScheduled) consider(s.starts_at);
  consider(s.policy.scheduled_end);
  // The offer opens and closes with a window of the campaign's own zone; a device's own it looks at when it asks.
  if (const auto& window = s.policy.maintenance_window; window && window->timezone != kDeviceZone) {
    consider(is_open(*window, {}, now) ? closes_at(*window, {}, now) : opens_at(*window, {}, now));
  }
  return first;
}

Decision decide(const Campaign& state, const CampaignCommand& command, const Context& context) {
  const bool creating = std::holds_alternative<CreateCampaign>(command) || std::holds_alternative<AddTargetPart>(command);
  if (!state.exists && !creating) {
    return not_found("Campaign", to_text(state.id));
  }
  return std::visit([&](const auto& c) { return on(state, c, context); }, command);
}

}  // namespace ota::domain
