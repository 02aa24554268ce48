// When a campaign decides in a replay. What is decided here and not in the record has no moment of its own: it comes at once, or as
// late as the record's slowest (Deciding). Why bounds hold that know both ends:
//
// - What ends the granting (a stop, a schedule's end) is real at some moment between the two, or at none, if it was not due any more
//   when it was decided. Up to then the two replays go the same way, and on that way a device only comes nearer to its end: it
//   waits, is granted, starts, ends. So what becomes of it if all stops in between is what becomes of it at one of the ends, and
//   every count lies between what both have and what either has (of_both()).
// - Whatever makes devices be granted later (a batch, a promotion, a place that becomes free) blurs the moments behind it, by a
//   lag more with every grant that waited for another one. That changes no count unless the campaign can then be stopped, ended or
//   interfered with: a verdict that would be close if what lies within the blur came in another order, an operator's word, a
//   deletion. Then nothing but what was sure before the first such grant is (before_, open_here()).
#include <algorithm>

#include "domain/campaign/replay.hpp"

namespace ota::domain::campaign {
namespace {

bool is_close(const Event& event) { return std::holds_alternative<CampaignClosed>(event); }

bool stops(const Event& event) {
  return std::holds_alternative<CampaignRollbackBegun>(event) || std::holds_alternative<CampaignPaused>(event) ||
         std::holds_alternative<CampaignFinished>(event);
}

Either either(const Either& a, const Either& b) { return {a.sure & b.sure, a.possible | b.possible}; }

}  // namespace

ReplayOptions options_of(const Followed& followed, Coming coming) {
  ReplayOptions options;
  options.coming = coming;
  options.lag = followed.lag;
  if (coming == Coming::kAtOnce) return options;
  options.follow = followed.parting.value_or(Parting{Time::max(), UINT64_MAX});
  return options;
}

// ---- as in the record ------------------------------------------------------------------------------------------

void Replay::follow_until(const Happening& next) {
  if (!following_) return;
  const auto& end = *options_.follow;
  following_ = next.order < kMadeHere / 2 ? next.order < end.order : next.at < end.at;
}

// What the campaign decided there by itself.
void Replay::step_as_then(const RecordedStep& step) {
  if (!following_) return;
  const auto due = next(state(), {}, 0, now()).own;
  if (!due.empty() && due.front().event.index() == step.event.index()) return fold_all(due, {});
  if (is_own_decision(step.event)) tally_.fold(step.stream, step.event, step.caller);
}

// As long as all goes as it went, who was cancelled then is when it was.
bool Replay::cancels_now(bool news) {
  if (following_) return false;
  if (options_.deciding == Deciding::kAtOnce) return news;
  if (news && !cancels_at_) {
    cancels_at_ = now() + options_.lag;
    queue_.push({*cancels_at_, made(), What::kWake, 0, 0});
  }
  if (!cancels_at_ || *cancels_at_ > now()) return false;
  cancels_at_.reset();
  return true;
}

// ---- here ------------------------------------------------------------------------------------------------------

// Null: nothing is due.
bool Replay::is_time_for(const Event* due) {
  if (options_.deciding == Deciding::kAtOnce || (due && is_close(*due))) return due != nullptr;
  if (due_ && (!due || due->index() != *due_)) {
    // It was due and is not any more: whether it was decided nobody knows.
    due_.reset();
    if (!is_stop_due_ || due) open_here();
  }
  if (!due) return false;
  if (!before_) before_ = open_from_here();
  if (!due_) {
    due_ = due->index();
    due_since_ = now();
    is_stop_due_ = stops(*due);
    queue_.push({due_since_ + options_.lag, made(), What::kWake, 0, 0});
  }
  if (is_stop_due_) may_stop_until_ = due_since_ + options_.lag;
  const bool is_time = now() >= due_since_ + options_.lag;
  if (is_time) due_.reset();
  return is_time;
}

void Replay::note_decision(const Event& event) {
  if (is_close(event)) return;
  has_decided_ = true;
  if (!before_) before_ = open_from_here();
  if (blurred_ && stops(event)) return open_here();
  if (stops(event)) return;
  depth_ += 1;
  blur();
  // Evidence that came while it was promoted may have spoken against it.
  if (std::holds_alternative<CanaryPromoted>(event)) open_here();
}

void Replay::blur() {
  if (!before_) before_ = open_from_here();
  blurred_ = true;
}

// Whoever is not granted when it was then, and not just as it comes, waited for something whose moment is not known so well. So is
// a place that may have been taken by one that had not ended yet.
void Replay::note_grant(std::uint32_t ordinal, Device& d) {
  const auto* then = next_grant(d);
  const bool as_then = then && then->at == now();
  const bool from_the_start = options_.coming == Coming::kAtOnce && depth_ == 0 && !has_ended_one_;
  const bool comes = may_ask_now_ == ordinal;
  if (as_then || comes || from_the_start) {
    if (!comes) d.depth = 0;
    const auto since = std::lower_bound(touched_.begin(), touched_.end(), now() - options_.lag);
    const auto taken = state().granted.cardinality() + static_cast<std::uint64_t>(touched_.end() - since);
    if (!following_ && as_then && other_places_ && taken >= policy_.max_concurrent_updates) blur();
    return;
  }
  d.depth = std::max(d.depth, depth_ + 1);
  depth_max_ = std::max(depth_max_, d.depth);
  blur();
}

// Would a verdict be close, had everything within the blur come in another order?
void Replay::look_whether_it_could_stop() {
  const auto& s = state();
  if (s.takes_nobody() || s.closed) return;
  const auto since = std::lower_bound(touched_.begin(), touched_.end(), now() - 2 * (1 + depth_max_) * options_.lag);
  const auto blurred = static_cast<std::uint32_t>(touched_.end() - since);
  auto counts = s.counts();
  counts.in_progress -= std::min(counts.in_progress, blurred);
  const auto finished = policy_.min_finished_for_verdict - std::min(policy_.min_finished_for_verdict, blurred);
  const bool judges = s.has_trigger(RollbackTrigger::kFailureRate) || s.in_canary();
  if (s.in_canary() || (judges && abort_by_threshold(counts, policy_.failure_threshold_percent, finished))) open_here();
}

// Somebody interferes while it is not known how far all had come.
void Replay::disturb() {
  if (!following_ && before_ && !state().takes_nobody()) open_here();
}

// ---- of two ----------------------------------------------------------------------------------------------------

WhatIfBounds Replay::of_both(const Replay& at_once, const Replay& late) {
  const auto a = at_once.as_it_is();
  const auto b = late.as_it_is();
  Open open{either(a.granted, b.granted), either(a.completed, b.completed), either(a.failed, b.failed),
            either(a.cancelled, b.cancelled), Stopped::kNever, {}, {}};
  const auto first = at_once.tally_.outcome();
  const auto last = late.tally_.outcome();
  if (!first.stopped_at && !last.stopped_at) return open.bounds();
  if (!first.stopped_at || !(last.stopped_at || late.may_stop_until_)) return at_once.before_->bounds();
  open.stopped = last.stopped_at ? Stopped::kAlways : Stopped::kPerhaps;
  open.stopped_at = {*first.stopped_at, last.stopped_at ? last.stopped_at : late.may_stop_until_};
  const auto most = last.stopped_at ? last.granted_when_stopped : open.granted.count().max;
  open.granted_when_stopped = {std::min(first.granted_when_stopped, most), std::max(first.granted_when_stopped, most)};
  return open.bounds();
}

}  // namespace ota::domain::campaign
