// What the design promises of a rollout, checked after every event and at the end.
#include <stdexcept>

#include "domain/codec/codec.hpp"
#include "tests/property/fleet.hpp"

namespace ota::domain::testing {

void Fleet::check(bool holds, const std::string& what) const {
  if (!holds)
    throw std::runtime_error(what + " (position " + std::to_string(position_.value) + ")");
}

// What must not even be asked to be written.
void Fleet::check_before(const Emitted& emitted) const {
  if (const auto* granted = std::get_if<AttemptGranted>(&emitted.event)) {
    const auto& id = std::get<UpdateId>(emitted.stream);
    if (id.of_campaign) {
      check(campaign_.status == CampaignStatus::kInProgress,
            "a grant is written behind the gate's closing");
    }
    for (const auto& device : devices_) {
      if (device.id == *emitted.device)
        check(!device.active(), "a second update becomes active on a device");
    }
    const auto last = last_actions_.find(emitted.device->value);
    const auto action = granted->action.value;
    check(last == last_actions_.end() || action > last->second,
          "the actions of a device do not increase");
    const auto digits = std::to_string(action);
    check(digits.find_first_not_of('0', 1) != std::string::npos, "an action is d x 10^k");
    if (const auto update = updates_.find(id); update != updates_.end()) {
      check(granted->attempt == update->second.attempt + 1,
            "an attempt is skipped or granted twice");
    }
    check(id.of_campaign && !granted->retry ? granted->plan.has_value() : true,
          "a first grant has no plan");
  }
  if (const auto* opened = std::get_if<BatchOpened>(&emitted.event)) {
    check(opened->batch == campaign_.batch + 1, "a batch is skipped");
    const auto book = batches_.find(campaign_.batch);
    check(book != batches_.end() && book->second.granted == options_.policy.batch_size,
          "a batch opens before the last is full");
    check(book->second.settled * 100 >= book->second.granted * options_.policy.batch_settle_percent,
          "a batch opens before the last has settled");
  }
}

// Counts the batches anew from the events: first attempts that were granted and did not lapse, and
// those that ended.
void Fleet::keep_book(const Recorded& event) {
  const auto* id = std::get_if<UpdateId>(&event.stream);
  if (!id) return;
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

void Fleet::check_campaign() const {
  const auto& s = campaign_;
  const auto c = s.counts();
  check(c.in_progress <= options_.policy.max_concurrent_updates, "more in progress than may be");
  const bool batches = options_.policy.strategy != Strategy::kImmediate;
  check(!batches || s.batch_granted <= options_.policy.batch_size, "a batch is too big");
  const auto all = s.granted | s.completed | s.failed | s.cancelled;
  const auto sum = c.in_progress + c.completed + c.failed + s.cancelled.cardinality();
  check(all.cardinality() == sum, "a device is in two sets");
  check(all.isSubset(s.targets), "a device that is no target is in a set");
  check(s.pending() + sum == s.total(), "the counts do not add up to the total");
  check(!s.closed || (s.granted.isEmpty() && s.pending() == 0), "closed with somebody unfinished");
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
    if (s.completed.contains(o))
      check(status == UpdateStatus::kCompleted, "completed here, not there");
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
