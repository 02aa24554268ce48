#include "domain/campaign/shared.hpp"

namespace ota::domain::campaign {

Events one(const Campaign& s, Event event) { return {{s.id, std::move(event), std::nullopt}}; }

bool lacks_approval(const Campaign& s) { return s.policy.requires_approval && !s.approved; }

Verdict verdict_of(const Campaign& s, const EvidenceVerdict& v) {
  Verdict verdict{v.rule, v.decision.value_or(VerdictDecision::kUndecided), v.failed, v.counted};
  verdict.threshold_percent = s.policy.failure_threshold_percent;
  verdict.p0_basis_points = s.canary->p0_basis_points;
  verdict.p1_basis_points = s.canary->p1_basis_points;
  verdict.more = v.more;
  if (v.rule == VerdictRule::kEvidence) {
    verdict.log_likelihood = log_likelihood(*s.canary, v.failed, v.counted);
    verdict.abort_at = s.canary->abort_at;
    verdict.promote_at = s.canary->promote_at;
  }
  return verdict;
}

bool canary_is_exhausted(const Campaign& s) {
  Bitmap left = s.cohort;
  left -= s.granted;
  left -= s.completed;
  left -= s.failed;
  left -= s.cancelled;
  return left.isEmpty();
}

CampaignRollbackBegun rollback_of(const Campaign& s, RollbackTrigger trigger, std::string reason, Time now) {
  CampaignRollbackBegun begun;
  begun.number = s.rollback.number + 1;
  begun.trigger = trigger;
  begun.reason = std::move(reason);
  begun.give_up_at = now + std::chrono::minutes(s.policy.rollback_deadline_minutes);
  return begun;
}

}  // namespace ota::domain::campaign
