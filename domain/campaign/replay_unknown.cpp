// What a replay does not know, and what holds all the same. Until the first attempt whose way is not in the record all replays
// of one way to come are alike; from there on any mixture of ends is possible, and each leads elsewhere: another verdict, other
// places, another order. So nothing is played for the bounds: each device is asked what may become of it at all.
#include <algorithm>

#include "domain/campaign/replay.hpp"

namespace ota::domain::campaign {
namespace {

// One attempt, and nothing that interferes with it: it ends so again whenever it is granted.
const RecordedMove* only_end(std::span<const RecordedMove> moves) {
  const RecordedMove* end = nullptr;
  std::size_t grants = 0;
  for (const auto& move : moves) {
    if (move.of != UpdateId::kDeployment || move.kind == MoveKind::kConsentAsked || move.kind == MoveKind::kStarted) continue;
    if (move.kind == MoveKind::kGranted && ++grants == 1) continue;
    if (move.kind != MoveKind::kEnded || end) return nullptr;
    end = &move;
  }
  return end;
}

bool changes_what_has_ended(const RecordedMove& move) {
  return move.kind == MoveKind::kRetryAsked || move.kind == MoveKind::kRefuted || move.kind == MoveKind::kUndone;
}

}  // namespace

Between<std::uint32_t> Either::count() const {
  return {static_cast<std::uint32_t>(sure.cardinality()), static_cast<std::uint32_t>(possible.cardinality())};
}

WhatIfBounds Open::bounds() const {
  return {granted.count(), completed.count(), failed.count(), cancelled.count(), stopped, stopped_at, granted_when_stopped};
}

// Where a decision before may have come at another moment it is open from there; unless nothing is granted any more since: then
// the same is looked at for every such moment (of_both).
void Replay::open_here() {
  if (any_mixture_ || only_succeeds_) return;
  is_open_before_ = !(has_decided_ && !blurred_ && state().takes_nobody());
  any_mixture_ = before_ && is_open_before_ ? *before_ : open_from_here();
}

std::optional<WhatIfBounds> Replay::any_mixture() const {
  if (any_mixture_) return any_mixture_->bounds();
  if (!is_spent()) return std::nullopt;
  return open_from_here().bounds();         // it did not come to its end
}

bool Replay::draws(std::uint32_t o, std::uint32_t attempt, std::uint64_t what) const {
  std::uint64_t x = *options_.drawn ^ (std::uint64_t{o} << 32) ^ (std::uint64_t{attempt} << 8) ^ what;
  for (int round = 0; round < 2; ++round) x = (x ^ (x >> 31)) * 0x9e37'79b9'7f4a'7c15U + what;
  return (x >> 63) != 0;
}

bool Replay::may_be_granted(std::span<const RecordedMove> moves) const {
  bool never_comes = false;
  for (const auto& move : moves) {
    if (move.of != UpdateId::kDeployment) continue;
    if (move.kind == MoveKind::kGranted || move.kind == MoveKind::kRetryAsked) return true;
    never_comes = never_comes || move.kind == MoveKind::kSkipped ||
                  (move.kind == MoveKind::kCancelled && move.cancel_cause() == CancelCause::kDeclined);
  }
  return !never_comes && options_.coming != Coming::kAsRecorded;
}

Replay::Fate Replay::fate_of(std::uint32_t o) const {
  const auto& s = state();
  const auto moves = record_.moves_of(o);
  Fate fate;
  const bool has_ended = !s.granted.contains(o) && !s.is_remaining(o);
  fate.settled = has_ended && std::none_of(moves.begin(), moves.end(), changes_what_has_ended);
  const bool was_granted = tally_.ever_granted().contains(o);
  fate.granted = was_granted || (!fate.settled && !s.takes_nobody() && may_be_granted(moves));
  fate.completes = fate.fails = fate.granted;
  // Who is asked to stop may end otherwise than then.
  const auto* end = stop_all_then_.empty() ? only_end(moves) : nullptr;
  if (!end) return fate;
  const bool final_failure = !end->success && !end->may_retry() && !end->was_to_stop && !end->takes_back && policy_.max_retries == 0;
  fate.fails = fate.fails && !end->success;
  fate.completes = fate.completes && !final_failure;
  const auto here = devices_.find(o);
  const bool has_started = s.granted.contains(o) && here != devices_.end() && here->second.started;
  fate.runs_on = has_started && !deleted_.contains(o) && fate.completes != fate.fails;
  return fate;
}

// A rollback, or a pause by a verdict.
bool Replay::can_stop() const {
  const auto by_hand = [](const RecordedStep& step) { return std::holds_alternative<CampaignRollbackBegun>(step.event); };
  return policy_.strategy == Strategy::kCanary || state().has_trigger(RollbackTrigger::kFailureRate) ||
         policy_.error_threshold_count <= state().total() || std::any_of(record_.steps.begin(), record_.steps.end(), by_hand);
}

// Everyone who comes has one attempt, which is known to succeed, and nobody interferes: whenever it decides, it decides the
// same, on the same devices. A canary with too few to be sure of anything is all that stops, and that behind the last of them.
bool Replay::can_only_succeed() const {
  const auto interferes = [](const RecordedStep& step) {
    return !is_own_decision(step.event) && !std::holds_alternative<CampaignStarted>(step.event);
  };
  if (policy_.scheduled_end || std::any_of(record_.steps.begin(), record_.steps.end(), interferes)) return false;
  const auto& targets = state().targets;
  return std::all_of(targets.begin(), targets.end(), [&](std::uint32_t ordinal) {
    const auto moves = record_.moves_of(ordinal);
    if (moves.empty()) return options_.coming == Coming::kAsRecorded;
    const auto* end = only_end(moves);
    return end && end->success;
  });
}

Open Replay::open_from_here() const {
  const auto& s = state();
  Open open;
  const auto note = [](Either& either, std::uint32_t o, bool is_sure, bool is, bool may_be) {
    if (is_sure && is) either.sure.add(o);
    if (is_sure ? is : may_be) either.possible.add(o);
  };
  open.granted.sure = tally_.ever_granted();
  for (const std::uint32_t o : s.targets) {
    const auto fate = fate_of(o);
    if (fate.granted) open.granted.possible.add(o);
    const bool is_sure = fate.settled || fate.runs_on;
    note(open.completed, o, is_sure, fate.settled ? s.completed.contains(o) : fate.completes, fate.completes);
    note(open.failed, o, is_sure, fate.settled ? s.failed.contains(o) : fate.fails, fate.fails);
    note(open.cancelled, o, is_sure, fate.settled && s.cancelled.contains(o), true);
  }
  const auto so_far = tally_.outcome();
  open.stopped = so_far.stopped_at ? Stopped::kAlways : can_stop() ? Stopped::kPerhaps : Stopped::kNever;
  if (so_far.stopped_at) {
    open.stopped_at = {*so_far.stopped_at, *so_far.stopped_at};
    open.granted_when_stopped = {so_far.granted_when_stopped, so_far.granted_when_stopped};
  } else if (can_stop()) {
    open.stopped_at = {now(), std::nullopt};
    open.granted_when_stopped = open.granted.count();
  }
  return open;
}

// Where nothing is open at the end.
Open Replay::as_it_is() const {
  if (any_mixture_) return *any_mixture_;
  const auto& s = state();
  const auto& granted = tally_.ever_granted();
  return {{granted, granted}, {s.completed, s.completed}, {s.failed, s.failed}, {s.cancelled, s.cancelled}, Stopped::kNever, {}, {}};
}

}  // namespace ota::domain::campaign
