#include <algorithm>

#include <fmt/format.h>

#include "domain/campaign/shared.hpp"
#include "domain/limits.hpp"

namespace ota::domain {
namespace {

using campaign::canary_is_exhausted;
using campaign::lacks_approval;
using campaign::one;
using campaign::rollback_of;
using campaign::verdict_of;

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

Decision on(const Campaign& s, const StartCampaign&, const Context& context) {
  // Started already; one that was cancelled or has failed since is not answered as if it ran.
  const bool goes_well = s.status == CampaignStatus::kInProgress || s.status == CampaignStatus::kPaused ||
                         s.status == CampaignStatus::kCompleted;
  const bool waits = s.status == CampaignStatus::kScheduled;
  if ((s.started_at && goes_well) || (waits && !lacks_approval(s))) return Events{};
  if (s.status != CampaignStatus::kCreated && !waits) return cannot(s, "start", {"created"});
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
  if (is_terminal(s.status) || s.status == CampaignStatus::kRollback) return cannot(s, "cancel", {"created", "scheduled", "in_progress", "paused"});
  return one(s, CampaignCancelled{c.reason});
}

// Decision 10: of a campaign that runs, or ran; fifteen times at most, each for the devices still completed.
Decision on(const Campaign& s, const RollbackCampaign& c, const Context& context) {
  if (s.status == CampaignStatus::kRollback) return Events{};
  if (s.status == CampaignStatus::kCreated || s.status == CampaignStatus::kScheduled) {
    return cannot(s, "rollback", {"in_progress", "paused", "completed", "failed", "cancelled"});
  }
  if (c.reason.empty()) return invalid("reason", "a rollback needs a reason");
  if (s.rollback.number >= limits::kCampaignRollbacks) {
    auto error = cannot(s, "rollback", {});
    error.message = fmt::format("the campaign was rolled back {} times, which is as often as it can be",
                                s.rollback.number);
    return error;
  }
  if (s.policy.download_only || (s.closed && s.completed == s.undone)) {
    auto error = cannot(s, "rollback", {});
    error.message = s.policy.download_only ? "the campaign is download_only: it installed nothing, and there is nothing to roll back"
                    : s.completed.isEmpty() ? "no device completed the campaign: there is nothing to roll back"
                                          : "every device that completed the campaign was rolled back already";
    return error;
  }
  return one(s, rollback_of(s, RollbackTrigger::kManual, c.reason, context.now));
}

Decision on(const Campaign& s, const SwitchCampaign& c, const Context&) {
  if (s.policy.strategy != Strategy::kBlueGreen) {
    auto error = cannot(s, "switch", {});
    error.message = fmt::format("only a blue_green campaign has a switch; this one is {}", to_text(s.policy.strategy));
    return error;
  }
  if (s.switched) return Events{};
  if (s.status != CampaignStatus::kInProgress) return cannot(s, "switch", {"in_progress"});
  if (s.firmware_recalled) return recalled(s, "switch");
  return one(s, CampaignSwitched{false, c.reason});
}

}  // namespace

Decision decide(const Campaign& state, const CampaignCommand& command, const Context& context) {
  const bool creating = std::holds_alternative<CreateCampaign>(command) || std::holds_alternative<AddTargetPart>(command);
  if (!state.exists && !creating) {
    return not_found("Campaign", to_text(state.id));
  }
  return std::visit([&](const auto& c) { return on(state, c, context); }, command);
}

}  // namespace ota::domain
