// What the design promises of a rollout, checked after every event and at the end.
#include <algorithm>
#include <stdexcept>

#include "domain/codec/codec.hpp"
#include "domain/rollout.hpp"
#include "tests/property/fleet.hpp"

namespace ota::domain::testing {

void Fleet::check(bool holds, const std::string& what) const {
  if (!holds)
    throw std::runtime_error(what + " (position " + std::to_string(position_.value) + ", " +
                             std::string(to_text(campaign_.status)) + " " +
                             campaign_.status_reason + ")");
}

// What must not even be asked to be written.
void Fleet::check_before(const Emitted& emitted) const {
  if (const auto* granted = std::get_if<AttemptGranted>(&emitted.event)) {
    const auto& id = std::get<UpdateId>(emitted.stream);
    if (id.of_campaign) check_grant(*granted, id);
    for (const auto& device : devices_) {
      if (device.id == *emitted.device)
        check(!device.active(), "a second update becomes active on a device");
    }
    check_action(emitted.device->value, granted->action, id);
    if (const auto update = updates_.find(id); update != updates_.end()) {
      check(granted->attempt == update->second.attempt + 1,
            "an attempt is skipped or granted twice");
    }
    check(id.of_campaign && !granted->retry ? granted->plan.has_value() : true,
          "a first grant has no plan");
  }
  if (const auto* asked = std::get_if<ConsentAsked>(&emitted.event)) {
    const auto& id = std::get<UpdateId>(emitted.stream);
    check_action(emitted.device->value, asked->action, id);
    check(campaign_.status == CampaignStatus::kInProgress, "consent is asked of a campaign that does not run");
  }
  if (const auto* opened = std::get_if<BatchOpened>(&emitted.event)) {
    check(opened->batch == campaign_.batch + 1, "a batch is skipped");
    const auto book = batches_.find(campaign_.batch);
    check(book != batches_.end() && book->second.granted == options_.policy.batch_size,
          "a batch opens before the last is full");
    check(book->second.settled * 100 >= book->second.granted * options_.policy.batch_settle_percent,
          "a batch opens before the last has settled");
    check(!campaign_.in_canary(), "a batch opens during the canary");
  }
  check_verdict(emitted.event);
}

// They increase; a grant keeps the one that its device's user has agreed to.
void Fleet::check_action(const std::string& device, ActionId action, const UpdateId& id) const {
  const auto digits = std::to_string(action.value);
  check(digits.find_first_not_of('0', 1) != std::string::npos, "an action is d x 10^k");
  const auto update = updates_.find(id);
  const bool agreed_to = update != updates_.end() && update->second.consented && update->second.action == action;
  const auto last = last_actions_.find(device);
  check(agreed_to || last == last_actions_.end() || action.value > last->second,
        "the actions of a device do not increase");
}

// One list of gates decides and explains.
void Fleet::check_gates(const GrantAsk& ask, const GrantDecision& decision) const {
  const auto all = gates(campaign_, reserved_, ask, context());
  const auto closed = std::find_if(all.begin(), all.end(), [](const auto& gate) { return !gate.open; });
  for (const auto& gate : all) check(!gate.fact.empty(), "a gate without a fact");
  if (std::holds_alternative<AttemptGranted>(decision)) {
    check(closed == all.end(), "granted through a closed gate");
    return;
  }
  check(closed != all.end(), "not granted though every gate is open");
  if (const auto* wait = std::get_if<Wait>(&decision)) {
    // Nobody is skipped before the campaign and the device are ready to act: then another closed gate is named.
    const bool would_skip = closed->gate == Gate::kCompatible || closed->gate == Gate::kNotThere;
    if (would_skip && wait->gate != closed->gate) {
      const auto named = std::find_if(all.begin(), all.end(), [&](const auto& gate) { return gate.gate == wait->gate; });
      check(named != all.end() && !named->open && named->fact == wait->fact, "the gate that is named is not closed");
      return;
    }
    check(wait->gate == closed->gate && wait->fact == closed->fact && wait->until == closed->until,
          "the gate that is named is not the first that is closed");
  } else if (std::holds_alternative<ConsentAsked>(decision)) {
    check(closed->gate == Gate::kConsent, "consent is asked before another gate");
  } else if (std::holds_alternative<UpdateSkipped>(decision)) {
    check(closed->gate == Gate::kCompatible || closed->gate == Gate::kNotThere, "skipped for another reason");
  } else {
    const bool too_late = closed->gate == Gate::kRunning && campaign_.rollback.give_up_at <= now_;
    check(too_late || closed->gate == Gate::kNotThere || closed->gate == Gate::kContent, "no way back for another reason");
  }
}

void Fleet::check_grant(const AttemptGranted& granted, const UpdateId& id) const {
  const auto& s = campaign_;
  if (id.kind != UpdateId::kDeployment) {
    check(s.status == CampaignStatus::kRollback && s.rollback.number == id.kind,
          "a rollback is granted outside of its campaign's");
    check(s.is_to_take_back(id.ordinal.value), "taken back though there is nothing to take back");
    return;
  }
  check(s.status == CampaignStatus::kInProgress && !s.finished,
        "a grant is written behind the gate's closing");
  check(!s.firmware_recalled, "a grant of recalled firmware");
  check(!s.content_pending, "a grant of firmware that is not here");
  if (!s.in_canary() || granted.retry) return;
  check(s.cohort.contains(id.ordinal.value), "a first grant to a device outside the canary");
}

// During a canary only the evidence decides, afterwards only the threshold.
void Fleet::check_verdict(const Event& event) const {
  const auto& s = campaign_;
  const bool at_the_end = s.granted.isEmpty() && s.pending() == 0;
  const bool by_evidence = s.in_canary() && (!s.finished || s.firmware_recalled) && !at_the_end;
  if (const auto* begun = std::get_if<CampaignRollbackBegun>(&event)) {
    const bool by_itself = begun->trigger != RollbackTrigger::kManual;
    check(!by_itself || s.policy.auto_rollback, "rolled back against the policy");
    check(!begun->verdict || (begun->verdict->rule != VerdictRule::kThreshold) == by_evidence,
          "rolled back by the rule that does not count now");
  }
  if (const auto* promoted = std::get_if<CanaryPromoted>(&event)) {
    check(s.in_canary(), "promoted without a canary");
    check(promoted->by_operator || promoted->verdict.decision == VerdictDecision::kPromote,
          "promoted without a reason");
  }
  if (const auto* paused = std::get_if<CampaignPaused>(&event)) {
    check(paused->cause != PauseCause::kRecalled || s.firmware_recalled, "paused without a recall");
    check(paused->cause != PauseCause::kCanary || by_evidence, "paused without a canary");
    check(paused->cause != PauseCause::kOwnFaults ||
              s.own_faults.cardinality() * 2 > s.failed.cardinality(),
          "paused for faults that are not our own");
  }
  if (std::holds_alternative<CampaignResumed>(event)) {
    check(!s.firmware_recalled, "resumed with recalled firmware");
  }
}

// Counts the batches anew from the events: first attempts that were granted and did not lapse, and
// those that ended.
void Fleet::keep_book(const Recorded& event) {
  const auto* id = std::get_if<UpdateId>(&event.stream);
  if (!id || id->kind != UpdateId::kDeployment) return;
  keep_canary_book(event, id->ordinal.value);
  if (const auto* granted = std::get_if<AttemptGranted>(&event.event)) {
    if (!granted->retry) ++batches_[granted->batch].granted;
    check(granted->retry || granted->batch == 0 || granted->batch == campaign_.batch,
          "a first grant in a closed batch");
  } else if (const auto* ended = std::get_if<AttemptEnded>(&event.event)) {
    if (!ended->retry) ++batches_[ended->batch].settled;
  } else if (const auto* lapsed = std::get_if<GrantLapsed>(&event.event)) {
    if (!lapsed->retry) --batches_[lapsed->batch].granted;
  } else if (const auto* cancelled = std::get_if<UpdateCancelled>(&event.event)) {
    if (!cancelled->retry && cancelled->attempt > 0) ++batches_[cancelled->batch].settled;
  }
}

// Who joined the canary by a first grant; retries may join again beyond its size.
void Fleet::keep_canary_book(const Recorded& event, std::uint32_t ordinal) {
  const auto* granted = std::get_if<AttemptGranted>(&event.event);
  if (!granted || !campaign_.in_canary()) return;
  const bool in =
      std::any_of(campaign_.evidence.sequence().begin(), campaign_.evidence.sequence().end(),
                  [&](const auto& entry) { return entry.ordinal.value == ordinal; });
  if (!granted->retry) {
    joined_first_.add(ordinal);
  } else if (!in) {
    joined_first_.remove(ordinal);
  }
}

void Fleet::check_canary() const {
  const auto& s = campaign_;
  if (!s.in_canary()) return;
  std::uint32_t first = 0;
  for (const auto& entry : s.evidence.sequence()) {
    if (joined_first_.contains(entry.ordinal.value)) ++first;
  }
  check(first <= canary_size(*s.canary, s.evidence.topped_up()), "the canary is too big");
  check(s.evidence.known() <= s.evidence.count(), "the evidence does not add up");
}

void Fleet::check_campaign() const {
  const auto& s = campaign_;
  const auto c = s.counts();
  const auto for_the_switch = s.held - s.in_window;
  const auto places = s.granted.cardinality() - for_the_switch.cardinality() - s.released.cardinality() +
                      s.rollback.granted.cardinality();
  check(places <= options_.policy.max_concurrent_updates, "more in progress than may be");
  check_sets();
  const bool batches = has_batches(options_.policy.strategy);
  const bool of_canary = s.canary && s.batch <= 1;  // sized by the evidence, see check_grant
  check(!batches || of_canary || s.batch_granted <= options_.policy.batch_size,
        "a batch is too big");
  check(!s.finished || s.pending() == 0, "finished, and somebody waits");
  check(s.own_faults.isSubset(s.failed), "a fault of our own that is no failure");
  check_canary();
  const auto all = s.granted | s.completed | s.failed | s.cancelled;
  const auto sum = c.in_progress + c.completed + c.failed + s.cancelled.cardinality();
  check(all.cardinality() == sum, "a device is in two sets");
  check(all.isSubset(s.targets), "a device that is no target is in a set");
  check(s.pending() + sum == s.total(), "the counts do not add up to the total");
  check(!s.closed || (s.granted.isEmpty() && s.pending() == 0), "closed with somebody unfinished");
}

void Fleet::check_sets() const {
  const auto& s = campaign_;
  const auto disjoint = [&](const Bitmap& a, const Bitmap& b, const char* what) {
    check((a & b).isEmpty(), what);
  };
  check(s.held.isSubset(s.granted), "held and not granted");
  check(s.in_window.isSubset(s.held), "waits for its window and is not held");
  check(s.released.isSubset(s.granted), "released and not granted");
  disjoint(s.held, s.released, "held and released");
  check(s.undone.isSubset(s.completed), "undone and not completed");
  const auto& r = s.rollback;
  check(r.granted.isSubset(s.completed) && r.ended.isSubset(s.completed), "taken back and not completed");
  disjoint(r.granted, r.ended, "its rollback runs and has ended");
  disjoint(r.granted, s.undone, "undone while its rollback runs");
  disjoint(r.ended, s.undone, "undone, and its rollback failed");
  for (const auto& [o, at] : r.retries) {
    check(s.completed.contains(o) && !s.undone.contains(o) && !r.granted.contains(o) && !r.ended.contains(o),
          "a rollback waits for a retry and is over");
  }
  check(s.status == CampaignStatus::kRollback || r.granted.isEmpty(), "a rollback runs outside of its campaign's");
}

void Fleet::check_progress(const DeviceUpdate& before, const DeviceUpdate& after) const {
  if (before.attempt != after.attempt || !before.in_progress() ||
      after.status == UpdateStatus::kScheduled)
    return;
  check(after.progress_basis_points >= before.progress_basis_points,
        "progress goes down within an attempt");
  if (after.in_progress())
    check(after.status >= before.status, "a phase goes back within an attempt");
}

// Exactly three edges leave an end, each its own event (decision 23).
void Fleet::check_edge(const DeviceUpdate& before, const DeviceUpdate& after, const Event& event) const {
  using enum UpdateStatus;
  if (!before.exists || !is_terminal(before.status) || after.status == before.status) return;
  const bool refuted = before.status == kCompleted && after.status == kFailed && std::holds_alternative<UpdateRefuted>(event);
  const bool undone = before.status == kCompleted && after.status == kRollback && std::holds_alternative<UpdateUndone>(event);
  const bool opened = (before.status == kCancelled || before.status == kFailed) && after.status == kScheduled &&
                      std::holds_alternative<RetryAsked>(event);
  check(refuted || undone || opened, "an end is left by another edge: " + std::string(to_text(before.status)) + " to " +
                                         std::string(to_text(after.status)));
}

void Fleet::check_end() const {
  const auto& s = campaign_;
  check(s.closed && is_terminal(s.status), "the campaign is not closed");
  check(s.completed.cardinality() + s.failed.cardinality() + s.cancelled.cardinality() == s.total(),
        "a device has not ended");
  for (const std::uint32_t o : s.targets) {
    const auto found = updates_.find(UpdateId::in_campaign(s.id, {o}));
    const bool exists = found != updates_.end() && found->second.exists;
    if (!exists) {
      check(s.cancelled.contains(o), "an update without events is not cancelled");
      continue;
    }
    const auto status = found->second.status;
    if (s.completed.contains(o)) {
      const bool undone = s.undone.contains(o);
      check(status == (undone ? UpdateStatus::kRollback : UpdateStatus::kCompleted), "completed here, not there");
    }
    if (s.failed.contains(o)) check(status == UpdateStatus::kFailed, "failed here, not there");
    if (s.cancelled.contains(o))
      check(status == UpdateStatus::kCancelled, "cancelled here, not there");
  }
  for (const auto& device : devices_) {
    for (const auto& [id, u] : device.updates) {
      check(!id.of_campaign, "a device still waits for the campaign");
    }
  }
}

}  // namespace ota::domain::testing
