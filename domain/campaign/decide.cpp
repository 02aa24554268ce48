#include <algorithm>

#include <fmt/format.h>

#include "domain/campaign/campaign.hpp"

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

Decision on(const Campaign& s, const StartCampaign&, const Context&) {
  if (s.status == CampaignStatus::kInProgress) return Events{};
  if (s.status != CampaignStatus::kCreated) return cannot(s, "start", {"created"});
  return one(s, CampaignStarted{});
}

Decision on(const Campaign& s, const PauseCampaign& c, const Context&) {
  if (s.status == CampaignStatus::kPaused) return Events{};
  if (s.status != CampaignStatus::kInProgress) return cannot(s, "pause", {"in_progress"});
  return one(s, CampaignPaused{c.reason});
}

Decision on(const Campaign& s, const ResumeCampaign&, const Context&) {
  if (s.status == CampaignStatus::kInProgress) return Events{};
  if (s.status != CampaignStatus::kPaused) return cannot(s, "resume", {"paused"});
  return one(s, CampaignResumed{});
}

Decision on(const Campaign& s, const CancelCampaign& c, const Context&) {
  if (s.status == CampaignStatus::kCancelled) return Events{};
  if (is_terminal(s.status)) return cannot(s, "cancel", {"created", "scheduled", "in_progress", "paused"});
  return one(s, CampaignCancelled{c.reason});
}

// Enough of the open batch has settled, it is full, and there is somebody for the next one.
bool next_batch_is_due(const Campaign& s) {
  if (s.policy.strategy == Strategy::kImmediate || s.batch_granted < s.policy.batch_size) return false;
  if (std::uint64_t{s.batch_settled} * 100 < std::uint64_t{s.batch_granted} * s.policy.batch_settle_percent) {
    return false;
  }
  // Those that wait for a retry stand before no batch gate.
  return s.pending() > s.retries.size();
}

Events own_events(const Campaign& s) {
  if (!s.exists || s.closed) return {};
  const bool running = s.granted.cardinality() > 0;
  if (is_terminal(s.status)) {
    if (running || !s.untold.isEmpty()) return {};
    return one(s, CampaignClosed{s.status, s.verdict.value_or(verdict_at_end(s.counts(),
                                                                             s.policy.failure_threshold_percent))});
  }
  if (s.status != CampaignStatus::kInProgress && s.status != CampaignStatus::kPaused) return {};
  const auto& triggers = s.policy.rollback_triggers;
  if (s.policy.auto_rollback &&
      std::find(triggers.begin(), triggers.end(), RollbackTrigger::kFailureRate) != triggers.end()) {
    if (const auto verdict = abort_by_threshold(s.counts(), s.policy.failure_threshold_percent,
                                                s.policy.min_finished_for_verdict)) {
      return one(s, CampaignAborted{RollbackTrigger::kFailureRate, *verdict});
    }
  }
  if (!running && s.pending() == 0) {
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
  if (!is_terminal(s.status)) return due;
  const bool by_operator = s.status == CampaignStatus::kCancelled;
  const auto cause = by_operator                                 ? CancelCause::kCampaignCancelled
                     : s.status == CampaignStatus::kCompleted ? CancelCause::kFinished
                                                              : CancelCause::kCampaignAborted;
  const auto reach = by_operator ? CancelUpdate::Reach::kNotInstalling : CancelUpdate::Reach::kNotStarted;
  for (const std::uint32_t o : (s.granted | s.untold) - told) {
    if (due.size() == most) break;
    due.push_back({UpdateId::in_campaign(s.id, {o}), reach, cause});
  }
  return due;
}

}  // namespace

Due next(const Campaign& state, const Bitmap& told, std::size_t cancels_max, Time) {
  return {own_events(state), cancels(state, told, cancels_max)};
}

Decision decide(const Campaign& state, const CampaignCommand& command, const Context& context) {
  const bool creating = std::holds_alternative<CreateCampaign>(command) || std::holds_alternative<AddTargetPart>(command);
  if (!state.exists && !creating) {
    return not_found("Campaign", to_text(state.id));
  }
  return std::visit([&](const auto& c) { return on(state, c, context); }, command);
}

}  // namespace ota::domain
