#include "domain/campaign/tally.hpp"

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

bool is_decided_again(const Campaign& state, const Event& event, Time now) {
  const auto own = next(state, {}, kToldMax, now).own;
  return !own.empty() && own.front().event.index() == event.index();
}

}  // namespace

bool is_own_decision(const Event& event) {
  if (const auto* e = std::get_if<CampaignPaused>(&event)) return e->cause != PauseCause::kOperator;
  if (const auto* e = std::get_if<CampaignFinished>(&event)) return e->by_schedule;
  if (const auto* e = std::get_if<CanaryPromoted>(&event)) return !e->by_operator;
  if (const auto* e = std::get_if<CampaignRollbackBegun>(&event)) return e->trigger != RollbackTrigger::kManual;
  return std::holds_alternative<BatchOpened>(event) || std::holds_alternative<CampaignClosed>(event);
}

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
  const auto fold_step = [&](const RecordedStep& step) {
    tally.set_time(step.at);
    const bool checked = differing && std::holds_alternative<CampaignId>(step.stream) && is_own_decision(step.event);
    if (checked && !is_decided_again(tally.state(), step.event, tally.now())) ++*differing;
    tally.fold(step.stream, step.event, step.caller);
  };
  in_log_order(record, fold_step, [&](const RecordedMove& move) {
    tally.set_time(move.at);
    tally.fold(UpdateId::in_campaign(record.id, {move.ordinal}, move.of), event_of(record, move));
  });
  return tally.outcome();
}

}  // namespace ota::domain::campaign
