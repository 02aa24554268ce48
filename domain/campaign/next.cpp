// What is due in a campaign, whatever led to it: verdicts, batches, ends, and what its updates must be told.
#include <algorithm>

#include <fmt/format.h>

#include "domain/campaign/shared.hpp"
#include "domain/limits.hpp"
#include "domain/rollout.hpp"
#include "domain/window.hpp"

namespace ota::domain {
namespace {

using campaign::canary_is_exhausted;
using campaign::lacks_approval;
using campaign::one;
using campaign::rollback_of;
using campaign::verdict_of;

// Enough of the open batch has settled, it is full, and there is somebody for the next one.
bool next_batch_is_due(const Campaign& s) {
  if (!has_batches(s.policy.strategy) || s.in_canary() || s.batch_granted < s.policy.batch_size) return false;
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

Events roll_back_for(const Campaign& s, const Verdict& verdict, Time now) {
  auto begun = rollback_of(s, RollbackTrigger::kFailureRate, sentence(verdict), now);
  begun.verdict = verdict;
  return one(s, std::move(begun));
}

Events abort(const Campaign& s, const Verdict& verdict, Time now) {
  if (are_own_faults(s)) {
    return pause(s, PauseCause::kOwnFaults,
                 fmt::format("{} of {} failures are transport or service failures, not the update's: {}",
                             s.own_faults.cardinality(), s.failed.cardinality(), sentence(verdict)),
                 verdict);
  }
  return roll_back_for(s, verdict, now);
}

bool rolls_back_by_itself(const Campaign& s) { return s.has_trigger(RollbackTrigger::kFailureRate); }

// One error on too many devices (decision 27).
Events events_of_errors(const Campaign& s, Time now) {
  for (const auto& [code, devices] : s.error_devices) {
    const auto count = static_cast<std::uint32_t>(devices.cardinality());
    if (count < s.policy.error_threshold_count) continue;
    auto begun = rollback_of(s, RollbackTrigger::kErrorThreshold,
                             fmt::format("error {} on {} devices, the threshold is {}", code, count,
                                         s.policy.error_threshold_count), now);
    begun.error_code = code;
    begun.error_devices = count;
    return one(s, std::move(begun));
  }
  return {};
}

// Every device holds or has ended. One that cannot hold never does: a fleet that has such devices is switched by an operator,
// or at switch_at.
bool all_hold_or_ended(const Campaign& s) {
  return !s.held.isEmpty() && s.pending() == 0 && s.held.cardinality() == s.granted.cardinality();
}

// During a canary only the evidence counts.
Events canary_events(const Campaign& s, Time now) {
  const auto found = judge(*s.canary, s.evidence, canary_is_exhausted(s));
  if (!found.decision) return {};
  const auto verdict = verdict_of(s, found);
  switch (*found.decision) {
    case VerdictDecision::kPromote: return one(s, CanaryPromoted{verdict, false, {}});
    case VerdictDecision::kAbort:
      if (rolls_back_by_itself(s)) return roll_back_for(s, verdict, now);
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

// Every device is back, or has failed to come back: also who was not seen in time, each by an event.
Events end_of_rollback(const Campaign& s) {
  if (s.to_take_back_count() > 0 || !s.rollback.granted.isEmpty()) return {};
  if (!s.granted.isEmpty() || !s.untold.isEmpty()) return {};
  const bool asked_for = s.rollback.trigger == RollbackTrigger::kManual;
  // The verdict that began it is kept; what another trigger began says how far the campaign had come.
  const bool by_verdict = s.rollback.trigger == RollbackTrigger::kFailureRate && s.verdict;
  return one(s, CampaignClosed{asked_for ? CampaignStatus::kCancelled : CampaignStatus::kFailed,
                               by_verdict ? *s.verdict : verdict_at_end(s.counts(), s.policy.failure_threshold_percent)});
}

// It completed, and then too many of those who had completed failed after all: bad health or their old version came to
// light (decision 23).
Events after_the_end(const Campaign& s, Time now) {
  if (s.status != CampaignStatus::kCompleted) return {};
  const auto verdict = verdict_at_end(s.counts(), s.policy.failure_threshold_percent);
  if (verdict.decision != VerdictDecision::kAbort) return {};
  const bool goes_back = rolls_back_by_itself(s) && !are_own_faults(s) && !s.to_undo().isEmpty() &&
                         s.rollback.number < limits::kCampaignRollbacks;
  if (goes_back) return roll_back_for(s, verdict, now);
  return one(s, CampaignClosed{CampaignStatus::kFailed, verdict});
}

// Decision 2: paused with the reason, and what is not granted yet is cancelled: there is no way back from a recall.
Events events_of_recall(const Campaign& s) {
  const auto why = fmt::format("firmware {} {} is recalled", s.firmware_name, s.facts.version);
  if (s.status == CampaignStatus::kInProgress) return pause(s, PauseCause::kRecalled, why);
  const bool waits = s.status == CampaignStatus::kPaused || s.status == CampaignStatus::kScheduled;
  return waits && !s.finished ? one(s, CampaignFinished{why, false}) : Events{};
}

Events own_events(const Campaign& s, Time now) {
  if (!s.exists) return {};
  if (s.closed) return after_the_end(s, now);
  const bool running = s.granted.cardinality() > 0;
  if (is_terminal(s.status)) {
    if (running || !s.untold.isEmpty()) return {};
    // An aborted one keeps the verdict that aborted it; a cancelled one says how far it came.
    const bool aborted = s.status == CampaignStatus::kFailed && s.verdict && s.verdict->decision == VerdictDecision::kAbort;
    return one(s, CampaignClosed{s.status, aborted ? *s.verdict
                                                   : verdict_at_end(s.counts(), s.policy.failure_threshold_percent)});
  }
  if (s.status == CampaignStatus::kCreated) return {};
  if (s.status == CampaignStatus::kRollback) return end_of_rollback(s);
  if (auto due = events_of_time(s, now); !due.empty()) return due;
  if (s.firmware_recalled) {
    if (auto due = events_of_recall(s); !due.empty()) return due;
  }
  if (s.status == CampaignStatus::kScheduled && !s.finished) return {};
  const bool at_the_end = !running && s.pending() == 0;
  const bool judged_by_canary = s.in_canary() && (!s.finished || s.firmware_recalled);
  if (judged_by_canary && !at_the_end) {
    if (auto due = canary_events(s, now); !due.empty()) return due;
  } else if (rolls_back_by_itself(s) && s.failed.cardinality() > s.judged_failed) {
    if (const auto verdict = abort_by_threshold(s.counts(), s.policy.failure_threshold_percent,
                                                s.policy.min_finished_for_verdict)) {
      // At the end, and in one that is paused, there is nothing left to hold.
      const bool nothing_to_hold = at_the_end || s.status == CampaignStatus::kPaused;
      if (!are_own_faults(s) || !nothing_to_hold) return abort(s, *verdict, now);
    }
  }
  if (auto due = events_of_errors(s, now); !due.empty()) return due;
  if (at_the_end) {
    if (!s.untold.isEmpty()) return {};
    const auto verdict = verdict_at_end(s.counts(), s.policy.failure_threshold_percent);
    const bool failed = verdict.decision == VerdictDecision::kAbort;
    return one(s, CampaignClosed{failed ? CampaignStatus::kFailed : CampaignStatus::kCompleted, verdict});
  }
  if (s.status != CampaignStatus::kInProgress) return {};
  if (next_batch_is_due(s)) return one(s, BatchOpened{s.batch + 1});
  const bool waits_for_switch = s.policy.strategy == Strategy::kBlueGreen && !s.switched;
  if (waits_for_switch && s.policy.switch_at && *s.policy.switch_at <= now) {
    return one(s, CampaignSwitched{true, "switch_at has passed"});
  }
  if (waits_for_switch && all_hold_or_ended(s)) {
    return one(s, CampaignSwitched{false, "every device holds the update, or has ended"});
  }
  return {};
}

// An ended campaign lets nothing hang: what has not started ends at once, what runs is asked or left to finish. One that
// has switched lets its holders go.
class Tells {
 public:
  Tells(const Campaign& s, const Bitmap& told, std::size_t most) : s_(s), told_(told), most_(most) {}

  void cancel(const Bitmap& updates, CancelUpdate::Reach reach, CancelCause cause) {
    for (const std::uint32_t o : updates - told_) tell(UpdateId::in_campaign(s_.id, {o}), CancelUpdate{cause, reach});
  }
  void release(const Bitmap& updates) {
    for (const std::uint32_t o : updates - told_) tell(UpdateId::in_campaign(s_.id, {o}), ReleaseHold{});
  }
  // Of the present rollback.
  void give_up(const std::map<std::uint32_t, Time>& waiting) {
    for (const auto& [o, at] : waiting) {
      if (told_.contains(o)) continue;
      tell(UpdateId::in_campaign(s_.id, {o}, static_cast<std::uint8_t>(s_.rollback.number)),
           CancelUpdate{CancelCause::kNotSeen, CancelUpdate::Reach::kNotStarted});
    }
  }
  std::vector<Tell> take() { return std::move(due_); }

 private:
  void tell(UpdateId update, UpdateCommand command) {
    if (due_.size() < most_) due_.push_back({update, std::move(command)});
  }

  const Campaign& s_;
  const Bitmap& told_;
  const std::size_t most_;
  std::vector<Tell> due_;
};

std::vector<Tell> tells(const Campaign& s, const Bitmap& told, std::size_t most, Time now) {
  using Reach = CancelUpdate::Reach;
  Tells due(s, told, most);
  const bool ended = is_terminal(s.status) || s.status == CampaignStatus::kRollback;
  if (!ended) {
    // Recalled: what does not install yet is stopped. Finished: only what waits; what is granted runs to its end.
    if (s.firmware_recalled) {
      due.cancel(s.granted | s.untold, Reach::kNotInstalling, cause_of_end(s));
    } else if (s.finished) {
      due.cancel(s.untold, Reach::kNotInstalling, cause_of_end(s));
    }
    if (s.switched && !s.firmware_recalled) due.release(s.held);
    return due.take();
  }
  const bool stops_all = s.status == CampaignStatus::kCancelled || s.firmware_recalled;
  const auto cause = cause_of_end(s);
  // Those that hold would wait for ever.
  due.cancel(s.held, Reach::kNotInstalling, cause);
  due.cancel((s.granted - s.held) | s.untold, stops_all ? Reach::kNotInstalling : Reach::kNotStarted, cause);
  if (s.status == CampaignStatus::kRollback && s.rollback.give_up_at <= now) due.give_up(s.rollback.retries);
  return due.take();
}

}  // namespace

CancelCause cause_of_end(const Campaign& s) {
  if (s.status == CampaignStatus::kCancelled) return CancelCause::kCampaignCancelled;
  if (s.firmware_recalled) return CancelCause::kRecalled;
  const bool goes_well = !is_terminal(s.status) && s.status != CampaignStatus::kRollback;
  if (!goes_well && s.status != CampaignStatus::kCompleted) return CancelCause::kCampaignAborted;
  return s.ended_by_schedule ? CancelCause::kScheduledEnd : CancelCause::kFinished;
}

Due next(const Campaign& state, const Bitmap& told, std::size_t tells_max, Time now) {
  return {own_events(state, now), tells_max > 0 ? tells(state, told, tells_max, now) : std::vector<Tell>{}};
}

std::optional<Time> wakes_at(const Campaign& s, Time now) {
  if (s.status == CampaignStatus::kRollback) {
    return s.rollback.give_up_at > now ? std::optional(s.rollback.give_up_at) : std::nullopt;
  }
  if (!s.exists || is_terminal(s.status) || (s.finished && !s.policy.switch_at) || s.status == CampaignStatus::kCreated) return std::nullopt;
  std::optional<Time> first;
  const auto consider = [&](const std::optional<Time>& at) {
    if (at && *at > now && (!first || *at < *first)) first = at;
  };
  if (!s.switched) consider(s.policy.switch_at);
  if (s.finished) return first;
  if (s.status == CampaignStatus::kScheduled) consider(s.starts_at);
  consider(s.policy.scheduled_end);
  // The offer opens and closes with a window of the campaign's own zone; a device's own it looks at when it asks.
  if (const auto& window = s.policy.maintenance_window; window && window->timezone != kDeviceZone) {
    consider(is_open(*window, {}, now) ? closes_at(*window, {}, now) : opens_at(*window, {}, now));
  }
  return first;
}

}  // namespace ota::domain
