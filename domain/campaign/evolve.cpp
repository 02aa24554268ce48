#include <algorithm>

#include <fmt/format.h>

#include "domain/campaign/campaign.hpp"
#include "domain/limits.hpp"
#include "domain/rollout.hpp"

namespace ota::domain {
namespace {

constexpr std::uint32_t kFirstBatch = 1;   // or the canary

struct Fold {
  Campaign& s;
  const Recorded& r;

  // The ordinal of the deployment of this campaign that the event is about; empty for other streams. An id can be made
  // up for any device, and rollbacks enter no counter (decision 10): neither may move the sets.
  std::optional<std::uint32_t> ordinal() const {
    const auto* id = std::get_if<UpdateId>(&r.stream);
    if (!id || !id->of_campaign || id->base != s.id.bytes || id->kind != UpdateId::kDeployment) return std::nullopt;
    return s.targets.contains(id->ordinal.value) ? std::optional<std::uint32_t>(id->ordinal.value) : std::nullopt;
  }
  // Nothing is known of its rollback any more.
  void forget_rollback(std::uint32_t o) {
    s.rollback.granted.remove(o);
    s.rollback.ended.remove(o);
    s.rollback.retries.erase(o);
  }
  void leave(std::uint32_t o) {
    s.granted.remove(o);
    s.completed.remove(o);
    s.failed.remove(o);
    s.cancelled.remove(o);
    s.retries.erase(o);
    s.lapsed.remove(o);
    s.own_faults.remove(o);
    s.held.remove(o);
    s.in_window.remove(o);
    s.released.remove(o);
    s.undone.remove(o);
    forget_rollback(o);
  }
  // The ordinal of an update of the present rollback that the event is about, if its device was completed here.
  std::optional<std::uint32_t> taken_back() const {
    const auto* id = std::get_if<UpdateId>(&r.stream);
    if (!id || !id->of_campaign || id->base != s.id.bytes || id->kind == UpdateId::kDeployment) return std::nullopt;
    const std::uint32_t o = id->ordinal.value;
    const bool of_this_one = id->kind == s.rollback.number && s.completed.contains(o) && !s.undone.contains(o);
    return of_this_one ? std::optional<std::uint32_t>(o) : std::nullopt;
  }
  // Nothing more happens in the present rollback's update of this device, or: it may be tried again then.
  void end_taking_back(std::uint32_t o, std::optional<Time> again = {}) {
    s.rollback.granted.remove(o);
    s.rollback.retries.erase(o);
    if (again) {
      s.rollback.retries[o] = *again;
    } else {
      s.rollback.ended.add(o);
    }
  }
  // The campaign ends early: whatever is pending is cancelled, which no event says one by one.
  void cancel_pending() {
    for (const auto& [o, at] : s.retries) s.untold.add(o);
    s.retries.clear();
    s.untold |= s.lapsed;
    s.lapsed = {};
    s.cancelled |= s.remaining();
  }

  // What an end says of the update itself: a link that broke or a service that failed says nothing.
  void judge_end(std::uint32_t o, const AttemptEnded& e) {
    const bool counts = e.success || e.kind == FailureKind::kDevice || e.kind == FailureKind::kTimeout;
    if (counts) {
      s.evidence.ended({o}, !e.success);
    } else {
      s.evidence.left({o});
    }
  }

  // Only where a rule reads it: one bitmap a code.
  void note_error(std::uint32_t o, const AttemptEnded& e) {
    if (!s.has_trigger(RollbackTrigger::kErrorThreshold) || e.error_code.empty()) return;
    if (e.kind == FailureKind::kTransport || e.kind == FailureKind::kService) return;  // not the update's
    if (s.error_devices.size() >= limits::kErrorCodesWatched && !s.error_devices.contains(e.error_code)) return;
    s.error_devices[e.error_code].add(o);
  }

  void operator()(const CampaignTargetPart& e) { s.targets |= bitmap_from_bytes(e.targets); }
  void operator()(const CampaignCreated& e) {
    s.exists = true;
    s.id = std::get<CampaignId>(r.stream);
    s.name = e.name;
    s.description = e.description;
    s.firmware = e.firmware;
    s.firmware_name = e.firmware_name;
    s.facts = e.facts;
    s.policy = e.policy;
    s.targets |= bitmap_from_bytes(e.targets);
    s.left_out = s.targets;
    s.targets = picked(s.id, s.targets, e.pick_cutoff);
    s.left_out -= s.targets;
    s.content_pending = e.content_pending;
    s.canary = e.canary;
    if (s.canary) s.cohort = picked(s.id, s.targets, e.canary_cutoff);
    s.cancelled = bitmap_from_bytes(e.withdrawn) & s.targets;
    s.gone = s.cancelled;
    s.created_by = r.caller;
    s.created_at = r.time;
    ++s.revision;
  }
  void operator()(const FirmwareContentStored&) { s.content_pending = false; }
  void operator()(const FirmwareRecalled&) { s.firmware_recalled = true; }
  void operator()(const CampaignApproved& e) {
    s.approved = e.approved;
    s.approved_by = r.caller;
    s.approval_comment = e.comment;
    s.approval_conditions = e.conditions;
    ++s.revision;
  }
  void operator()(const CampaignScheduled& e) {
    s.status = CampaignStatus::kScheduled;
    s.starts_at = e.start_at;
    ++s.revision;
  }
  void operator()(const CampaignFinished& e) {
    s.finished = true;
    s.ended_by_schedule = e.by_schedule;
    s.status_reason = e.reason;
    cancel_pending();
    ++s.revision;
  }
  void operator()(const CanaryPromoted& e) {
    s.promoted = true;
    s.verdict = e.verdict;
    s.batch = kFirstBatch + 1;
    s.batch_granted = 0;
    s.batch_settled = 0;
    ++s.revision;
  }
  void operator()(const CanaryToppedUp& e) {
    s.evidence.top_up(e.devices);
    s.cohort = picked(s.id, s.targets, e.cutoff);
    ++s.revision;
  }
  void operator()(const CampaignStarted&) {
    s.status = CampaignStatus::kInProgress;
    s.started_at = r.time;
    s.batch = kFirstBatch;
    ++s.revision;
  }
  void operator()(const CampaignPaused& e) {
    s.status = CampaignStatus::kPaused;
    s.status_reason = e.reason;
    s.pause_cause = e.cause;
    if (e.verdict) s.verdict = e.verdict;
    ++s.revision;
  }
  void operator()(const CampaignResumed&) {
    // After a pause of the operator's own nobody has been asked about failures.
    if (s.pause_cause != PauseCause::kOperator) s.judged_failed = static_cast<std::uint32_t>(s.failed.cardinality());
    s.status = CampaignStatus::kInProgress;
    s.status_reason.clear();
    ++s.revision;
  }
  void operator()(const CampaignCancelled& e) {
    s.status = CampaignStatus::kCancelled;
    s.status_reason = e.reason;
    cancel_pending();
    ++s.revision;
  }
  void operator()(const CampaignAborted& e) {
    s.status = CampaignStatus::kFailed;
    s.status_reason = sentence(e.verdict);
    s.verdict = e.verdict;
    cancel_pending();
    ++s.revision;
  }
  void operator()(const CampaignRollbackBegun& e) {
    s.status = CampaignStatus::kRollback;
    s.status_reason = e.reason;
    s.closed = false;
    s.ended_at.reset();
    if (e.verdict) s.verdict = e.verdict;
    cancel_pending();
    s.rollback = {e.number, e.trigger, e.reason, r.time, e.give_up_at, {}, {}, {}};
    s.rollback.ended = s.gone & s.completed;  // nobody will ask in their name
    s.rollback.ended -= s.undone;
    ++s.revision;
  }
  void operator()(const CampaignSwitched&) {
    s.switched = true;
    ++s.revision;
  }
  void operator()(const CampaignClosed& e) {
    s.status = e.outcome;
    s.closed = true;
    s.ended_at = r.time;
    cancel_pending();  // an operator's retry that was committed while this was being decided
    s.verdict = e.verdict;
    ++s.revision;
  }
  void operator()(const BatchOpened& e) {
    s.batch = e.batch;
    s.batch_granted = 0;
    s.batch_settled = 0;
  }

  void operator()(const AttemptGranted& e) {
    if (const auto back = taken_back()) {
      s.rollback.retries.erase(*back);
      s.rollback.ended.remove(*back);
      s.rollback.granted.add(*back);
    }
    const auto o = ordinal();
    if (!o) return;
    leave(*o);
    s.granted.add(*o);
    if (s.in_canary()) s.evidence.granted({*o});
    if (e.batch == s.batch && !e.retry) ++s.batch_granted;
  }
  // From now on its own stream knows of it.
  void operator()(const ConsentAsked&) {
    const auto o = ordinal();
    if (o && s.is_remaining(*o) && !s.retries.contains(*o)) s.lapsed.add(*o);
  }
  void operator()(const AttemptStarted& e) {
    const auto o = ordinal();
    if (!o || !e.released || !s.held.contains(*o)) return;
    s.held.remove(*o);
    if (!s.in_window.contains(*o)) s.released.add(*o);
    s.in_window.remove(*o);
  }
  void operator()(const UpdateHeld& e) {
    const auto o = ordinal();
    if (!o || !s.granted.contains(*o) || s.released.contains(*o)) return;
    if (e.until && !s.held.contains(*o)) s.in_window.add(*o);   // else the switch has let it go, into a window that is closed
    s.held.add(*o);
  }
  void operator()(const AttemptEnded& e) {
    if (const auto back = taken_back()) end_taking_back(*back, e.success ? std::nullopt : e.retry_at);
    const auto o = ordinal();
    if (!o) return;
    leave(*o);
    if (e.batch == s.batch && !e.retry) ++s.batch_settled;
    if (s.in_canary()) judge_end(*o, e);
    if (!e.success) note_error(*o, e);
    if (e.success) {
      s.completed.add(*o);
    } else if (!e.retry_at) {
      s.failed.add(*o);
      if (e.kind == FailureKind::kTransport || e.kind == FailureKind::kService) s.own_faults.add(*o);
    } else if (s.takes_nobody()) {
      s.cancelled.add(*o);
      s.untold.add(*o);
    } else {
      s.retries[*o] = *e.retry_at;
    }
  }
  void operator()(const GrantLapsed& e) {
    if (const auto back = taken_back()) {  // it may ask again at once; told that it is over when nobody waits any more
      s.rollback.granted.remove(*back);
      s.rollback.retries[*back] = r.time;
    }
    const auto o = ordinal();
    if (!o) return;
    leave(*o);
    if (e.batch == s.batch && !e.retry && s.batch_granted > 0) --s.batch_granted;
    s.evidence.left({*o});
    if (s.takes_nobody()) {
      s.cancelled.add(*o);
      s.untold.add(*o);
    } else if (e.retry) {
      s.retries[*o] = r.time;
    } else {
      s.lapsed.add(*o);
    }
  }
  void operator()(const UpdateSkipped&) {
    if (const auto o = ordinal()) {
      leave(*o);
      s.cancelled.add(*o);
    }
  }
  void operator()(const UpdateCancelled& e) {
    if (const auto back = taken_back()) end_taking_back(*back);
    const auto o = ordinal();
    if (!o) return;
    if (s.granted.contains(*o) && e.batch == s.batch && !e.retry) ++s.batch_settled;
    s.evidence.left({*o});
    leave(*o);
    s.untold.remove(*o);
    s.cancelled.add(*o);
  }
  // It had completed, and has failed after all: counters and verdict follow (decision 23).
  void operator()(const UpdateRefuted&) {
    const auto o = ordinal();
    if (!o || !s.completed.contains(*o) || s.undone.contains(*o)) return;
    leave(*o);
    s.failed.add(*o);
    if (s.in_canary()) s.evidence.refuted({*o});
    if (s.closed && s.status == CampaignStatus::kCompleted) {
      s.verdict = verdict_at_end(s.counts(), s.policy.failure_threshold_percent);
    }
  }
  void operator()(const UpdateUndone&) {
    const auto o = ordinal();
    if (!o || !s.completed.contains(*o)) return;
    forget_rollback(*o);
    s.undone.add(*o);
  }
  void operator()(const RetryAsked& e) {
    if (const auto back = taken_back(); back && s.status == CampaignStatus::kRollback) {
      s.rollback.ended.remove(*back);
      s.rollback.retries[*back] = r.time;
    }
    const auto o = ordinal();
    if (!o) return;
    leave(*o);
    if (s.takes_nobody()) {
      s.cancelled.add(*o);
      s.untold.add(*o);
    } else if (e.attempt > 0 && (e.batch > 0 || !has_batches(s.policy.strategy))) {
      s.retries[*o] = r.time;
    } else {
      s.lapsed.add(*o);  // none of its attempts counts in a batch: its next one is the first, with the batch before it
    }
  }
  // Its unfinished update, if it has one, is cancelled by an event of its own in the same append.
  void operator()(const DeviceDeleted& e) {
    const std::uint32_t o = e.ordinal.value;
    if (!s.exists || !s.targets.contains(o)) return;
    s.gone.add(o);
    if (s.is_to_take_back(o)) s.rollback.ended.add(o);
    if (s.is_remaining(o) && !s.retries.contains(o)) s.cancelled.add(o);
  }
  template <class Other>
  void operator()(const Other&) {}
};

}  // namespace

Counts Campaign::counts() const {
  return {total(), static_cast<std::uint32_t>(granted.cardinality()),
          static_cast<std::uint32_t>(completed.cardinality()), static_cast<std::uint32_t>(failed.cardinality()),
          static_cast<std::uint32_t>(cancelled.cardinality())};
}

std::uint32_t Campaign::pending() const {
  return static_cast<std::uint32_t>(targets.cardinality() - granted.cardinality() - completed.cardinality() -
                                    failed.cardinality() - cancelled.cardinality());
}

Bitmap Campaign::remaining() const {
  Bitmap left = targets;
  left -= granted;
  left -= completed;
  left -= failed;
  left -= cancelled;
  return left;
}

bool Campaign::is_remaining(std::uint32_t o) const {
  return targets.contains(o) && !granted.contains(o) && !completed.contains(o) && !failed.contains(o) &&
         !cancelled.contains(o);
}

Bitmap Campaign::to_undo() const {
  if (policy.download_only) return {};  // it installed nothing
  Bitmap left = completed;
  left -= undone;
  return left;
}

Bitmap Campaign::to_take_back() const {
  if (rollback.number == 0) return {};
  Bitmap left = to_undo();
  left -= rollback.granted;
  left -= rollback.ended;
  return left;
}

bool Campaign::is_to_take_back(std::uint32_t o) const {
  return rollback.number > 0 && !policy.download_only && completed.contains(o) && !undone.contains(o) && !rollback.granted.contains(o) &&
         !rollback.ended.contains(o);
}

std::uint32_t Campaign::to_take_back_count() const {
  if (rollback.number == 0 || policy.download_only) return 0;
  return static_cast<std::uint32_t>(completed.cardinality() - undone.cardinality() - rollback.granted.cardinality() -
                                    rollback.ended.cardinality());
}

bool Campaign::has_trigger(RollbackTrigger trigger) const {
  const auto& triggers = policy.rollback_triggers;
  return policy.auto_rollback && std::find(triggers.begin(), triggers.end(), trigger) != triggers.end();
}

std::string sentence(const Verdict& v) {
  if (v.rule != VerdictRule::kThreshold) {
    EvidenceTable rates;
    rates.p0_basis_points = v.p0_basis_points;
    rates.p1_basis_points = v.p1_basis_points;
    return explain(rates, {v.rule, v.decision, v.failed, v.counted, v.more});
  }
  const double rate = v.counted == 0 ? 0.0 : 100.0 * v.failed / v.counted;
  return fmt::format("{} of {} {} failed ({:.2f} %), {} the threshold of {} %", v.failed, v.counted,
                     v.of_total ? "devices in all" : "devices", rate,
                     v.decision == VerdictDecision::kAbort ? "more than" : "within", v.threshold_percent);
}

void evolve(Campaign& state, const Recorded& event) {
  std::visit(Fold{state, event}, event.event);
  state.updated_at = event.time;
  state.position = event.position;
}

}  // namespace ota::domain
