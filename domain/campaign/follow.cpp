#include "domain/campaign/follow.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "domain/rollout.hpp"

namespace ota::domain::campaign {
namespace {

constexpr std::size_t kTellsNobody = 0;

std::optional<Event> due_in(const Campaign& s, Time now) {
  auto own = next(s, {}, kTellsNobody, now).own;
  return own.empty() ? std::nullopt : std::optional(std::move(own.front().event));
}

bool are_alike(const std::optional<Event>& a, const std::optional<Event>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  const auto* closes = std::get_if<CampaignClosed>(&*a);
  return a->index() == b->index() && (!closes || closes->outcome == std::get<CampaignClosed>(*b).outcome);
}

bool ends_it(const Event& event) {
  return std::holds_alternative<CampaignRollbackBegun>(event) || std::holds_alternative<CampaignAborted>(event) ||
         std::holds_alternative<CampaignCancelled>(event);
}

// The record, folded under the policy that was and under the other one, side by side.
class Follower {
 public:
  Follower(const CampaignRecord& record, const CampaignPolicy& policy, const Settings& settings)
      : record_(record), policy_(policy), settings_(settings), then_(record.id), here_(record.id) {
    for (const auto& part : record.parts) fold(part.time, part.stream, part.event, part.event, part.caller);
    const auto& then = std::get<CampaignCreated>(record.created.event).policy;
    fold(record.created.time, record.created.stream, created_under(record, then), created_under(record, policy), record.created.caller);
    last_at_ = record.created.time;
    max_retries_differ_ = policy.max_retries != then.max_retries;
    // How many places were promised and not written yet is not in the record: how full it was is not known so well.
    if (policy.max_concurrent_updates < then.max_concurrent_updates || policy.rollout_percentage != then.rollout_percentage) {
      part({record.created.time, record.created.position.value});
    }
  }

  void step(const RecordedStep& step) {
    const bool own = std::holds_alternative<CampaignId>(step.stream) && is_own_decision(step.event);
    const bool closes = std::holds_alternative<CampaignClosed>(step.event);   // nothing hangs on when that is written
    if (own && !closes) measure(step);
    if (ends_it(step.event)) ended_at_ = step.at;
    const bool promotes = std::holds_alternative<CanaryPromoted>(step.event);
    if (promotes && then_.state().in_canary() != here_.state().in_canary()) part({step.at, step.order});
    if (own && !closes && !was_due(step)) part({step.at, step.order});   // why it was taken, the record does not say
    auto here = step.event;
    if (const auto due = own && !parting_ ? due_in(here_.state(), step.at) : std::nullopt; due && due->index() == here.index()) {
      here = *due;                          // with its own numbers
    }
    fold(step.at, step.stream, step.event, std::move(here), step.caller);
    compare(step.at, step.order);
  }

  void move(const RecordedMove& move) {
    if (move.of == UpdateId::kDeployment) look_at(move);
    auto event = event_of(record_, move);
    fold(move.at, UpdateId::in_campaign(record_.id, {move.ordinal}, move.of), event, event, {});
    compare(move.at, move.order);
  }

  Followed take() const {
    return {parting_, here_.outcome(), std::clamp(longest_, kLagMin, kLagMax)};
  }

 private:
  void fold(Time at, const Stream& stream, Event then, Event here, Caller caller) {
    then_.set_time(at);
    then_.fold(stream, std::move(then), caller);
    if (parting_) return;
    here_.set_time(at);
    here_.fold(stream, std::move(here), caller);
  }

  // A decision that was due before may have been taken, or another one in its place: it is open from when it was due.
  void part(Parting at) {
    if (!parting_) parting_ = due_ ? due_since_ : at;
  }

  void compare(Time at, std::uint64_t order) {
    auto due = due_in(then_.state(), at);
    if (!parting_ && !are_alike(due, due_in(here_.state(), at))) part({at, order});
    last_at_ = at;
    if (!due) return void(due_.reset());
    if (!due_ || due_->index() != due->index()) due_since_ = {at, order};
    last_due_[due->index()] = at;
    due_ = std::move(due);
  }

  // Now, or a short while ago: it may be decided on what was delivered, and written behind what came meanwhile.
  bool was_due(const RecordedStep& step) const {
    const auto due = due_in(then_.state(), step.at);
    if (due && due->index() == step.event.index()) return true;
    const auto last = last_due_.find(step.event.index());
    return last != last_due_.end() && step.at - last->second <= kLagMax;
  }

  void measure(const RecordedStep& step) {
    auto since = step.at;
    if (due_ && due_->index() == step.event.index()) {
      since = due_since_.at;
    } else if (const auto woken = wakes_at(then_.state(), last_at_)) {
      since = std::min(since, *woken);
    }
    longest_ = std::max(longest_, step.at - since);
  }

  void look_at(const RecordedMove& move) {
    if (move.kind == MoveKind::kGranted) started_.remove(move.ordinal);
    if (move.kind == MoveKind::kStarted) started_.add(move.ordinal);
    const bool late = move.kind == MoveKind::kCancelled && move.attempt > 0 && ended_at_ && !started_.contains(move.ordinal);
    if (late) longest_ = std::max(longest_, move.at - *ended_at_);
    if (parting_) return;
    const bool fails = move.kind == MoveKind::kEnded && !move.success;
    const bool other_end = (fails && (max_retries_differ_ || listen_otherwise(RollbackTrigger::kTimeout))) ||
                           (move.kind == MoveKind::kRetryAsked && max_retries_differ_);
    const bool not_heard = move.kind == MoveKind::kRefuted && listen_otherwise(RollbackTrigger::kHealthCheck);
    const bool refused = move.kind == MoveKind::kGranted && grants(then_, move) && !grants(here_, move);
    if (other_end || not_heard || refused) part({move.at, move.order});
  }

  bool listen_otherwise(RollbackTrigger trigger) const {
    return then_.state().has_trigger(trigger) != here_.state().has_trigger(trigger);
  }

  bool grants(const Tally& tally, const RecordedMove& move) const {
    auto ask = ask_of(tally.state(), move.ordinal);
    ask.batch = move.batch;
    ask.push = ask.content_elsewhere = true;
    const auto decision = grant(tally.state(), {}, ask, {move.at, {}, settings_});
    const auto* granted = std::get_if<AttemptGranted>(&decision);
    return granted && granted->retry == move.retry && (!has_batches(policy_.strategy) || granted->batch == move.batch);
  }

  const CampaignRecord& record_;
  const CampaignPolicy& policy_;
  const Settings& settings_;
  Tally then_;
  Tally here_;
  bool max_retries_differ_ = false;
  std::optional<Parting> parting_;
  std::optional<Event> due_;                // under the policy that was
  Parting due_since_{};
  std::map<std::size_t, Time> last_due_;    // by the kind of event
  Time last_at_{};
  std::optional<Time> ended_at_;
  Bitmap started_;
  Duration longest_{};
};

}  // namespace

Followed follow(const CampaignRecord& record, const CampaignPolicy& policy, const Settings& settings) {
  Follower follower(record, policy, settings);
  in_log_order(
      record, [&](const RecordedStep& step) { follower.step(step); }, [&](const RecordedMove& move) { follower.move(move); });
  return follower.take();
}

CampaignCreated created_under(const CampaignRecord& record, const CampaignPolicy& policy) {
  auto created = std::get<CampaignCreated>(record.created.event);
  const auto then = std::exchange(created.policy, policy);
  created.policy.maintenance_window.reset();
  const bool same_pick = then.rollout_percentage == policy.rollout_percentage;
  const bool same_canary = same_pick && then.strategy == policy.strategy &&
                           then.failure_threshold_percent == policy.failure_threshold_percent &&
                           then.canary_p0_basis_points == policy.canary_p0_basis_points &&
                           then.canary_p1_basis_points == policy.canary_p1_basis_points;
  if (same_canary) return created;
  Bitmap targets = bitmap_from_bytes(created.targets);
  for (const auto& part : record.parts) targets |= bitmap_from_bytes(std::get<CampaignTargetPart>(part.event).targets);
  if (!same_pick) {
    const auto pick = pick_percentage(record.id, targets, policy.rollout_percentage);
    created.picked = pick.count;
    created.pick_cutoff = pick.cutoff;
  }
  created.canary.reset();
  created.canary_cutoff = 0;
  if (policy.strategy != Strategy::kCanary || created.picked == 0) return created;
  created.canary = evidence_table(policy.failure_threshold_percent, policy.canary_p0_basis_points, policy.canary_p1_basis_points,
                                  created.picked);
  created.canary_cutoff = canary_cutoff(record.id, picked(record.id, targets, created.pick_cutoff), *created.canary);
  return created;
}

GrantAsk ask_of(const Campaign& state, std::uint32_t ordinal) {
  GrantAsk ask;
  ask.ordinal = {ordinal};
  ask.facts.model = state.facts.device_model;
  ask.consented = true;
  ask.owner_wants_beta = true;
  return ask;
}

}  // namespace ota::domain::campaign
