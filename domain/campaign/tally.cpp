#include "domain/campaign/tally.hpp"

#include <algorithm>
#include <utility>

namespace ota::domain::campaign {
namespace {

// Nobody is told anything: only what the campaign itself decides is asked for.
constexpr std::size_t kToldMax = 0;

bool stops(const Event& event) {
  const auto* paused = std::get_if<CampaignPaused>(&event);
  return std::holds_alternative<CampaignRollbackBegun>(event) || std::holds_alternative<CampaignAborted>(event) ||
         (paused && paused->verdict);
}

// An operator's, or the campaign's in answer to one: next() does not say those.
bool is_own_decision(const Event& event) {
  if (const auto* e = std::get_if<CampaignPaused>(&event)) return e->cause != PauseCause::kOperator;
  if (const auto* e = std::get_if<CampaignFinished>(&event)) return e->by_schedule;
  if (const auto* e = std::get_if<CanaryPromoted>(&event)) return !e->by_operator;
  if (const auto* e = std::get_if<CampaignRollbackBegun>(&event)) return e->trigger != RollbackTrigger::kManual;
  return std::holds_alternative<BatchOpened>(event) || std::holds_alternative<CampaignClosed>(event);
}

bool is_decided_again(const Campaign& state, const Event& event, Time now) {
  const auto own = next(state, {}, kToldMax, now).own;
  return !own.empty() && own.front().event.index() == event.index();
}

}  // namespace

void Tally::fold(const Stream& stream, Event event, Caller caller) {
  const Recorded recorded{{++position_}, now_, stream, std::move(event), std::nullopt, caller};
  evolve(state_, recorded);
  const auto* update = std::get_if<UpdateId>(&stream);
  if (update && std::holds_alternative<AttemptGranted>(recorded.event) && update->kind == UpdateId::kDeployment &&
      state_.targets.contains(update->ordinal.value)) {
    ever_granted_.add(update->ordinal.value);
  }
  if (outcome_.stopped_at || !stops(recorded.event)) return;
  outcome_.stopped_at = now_;
  outcome_.reason = state_.status_reason;
  outcome_.when_stopped = state_.counts();
  outcome_.granted_when_stopped = static_cast<std::uint32_t>(ever_granted_.cardinality());
}

void Tally::end_ways_back() {
  way_back_left_out_ = true;
  state_.rollback.ended |= state_.to_take_back();
}

WhatIfOutcome Tally::outcome() const {
  auto outcome = outcome_;
  outcome.status = state_.status;
  outcome.at_end = state_.counts();
  outcome.granted = static_cast<std::uint32_t>(ever_granted_.cardinality());
  if (state_.closed && !way_back_left_out_) outcome.ended_at = state_.ended_at;
  return outcome;
}

WhatIfOutcome recount(const CampaignRecord& record, std::uint32_t* differing) {
  Tally tally(record.id);
  const auto fold = [&](const Recorded& event) {
    tally.set_time(event.time);
    tally.fold(event.stream, event.event, event.caller);
  };
  for (const auto& part : record.parts) fold(part);
  fold(record.created);
  std::vector<std::uint32_t> in_order(record.moves.size());
  for (std::uint32_t i = 0; i < in_order.size(); ++i) in_order[i] = i;
  std::sort(in_order.begin(), in_order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return record.moves[a].order < record.moves[b].order; });
  auto step = record.steps.begin();
  const auto fold_steps_before = [&](std::uint64_t order) {
    for (; step != record.steps.end() && step->order < order; ++step) {
      tally.set_time(step->at);
      const bool checked = differing && std::holds_alternative<CampaignId>(step->stream) && is_own_decision(step->event);
      if (checked && !is_decided_again(tally.state(), step->event, tally.now())) ++*differing;
      tally.fold(step->stream, step->event, step->caller);
    }
  };
  for (const std::uint32_t i : in_order) {
    const auto& move = record.moves[i];
    fold_steps_before(move.order);
    tally.set_time(move.at);
    tally.fold(UpdateId::in_campaign(record.id, {move.ordinal}, move.of), event_of(record, move));
  }
  fold_steps_before(UINT64_MAX);
  return tally.outcome();
}

}  // namespace ota::domain::campaign
