// A campaign as a replay folds it, with what a what-if notes on the way: who was granted, and how far it had come when it was
// stopped. Inside campaign/ only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "domain/campaign/what_if.hpp"

namespace ota::domain::campaign {

class Tally {
 public:
  explicit Tally(CampaignId id) { state_.id = id; }

  const Campaign& state() const { return state_; }
  Time now() const { return now_; }
  const Bitmap& ever_granted() const { return ever_granted_; }
  std::uint64_t folds() const { return position_; }
  void set_time(Time at) { now_ = at; }
  void fold(const Stream& stream, Event event, Caller caller = {});
  // Whoever is still to be taken back is, somehow: a replay does not play that.
  void end_ways_back();
  // So far.
  WhatIfOutcome outcome() const;

 private:
  Campaign state_;
  Bitmap ever_granted_;
  Time now_{};
  std::uint64_t position_ = 0;
  bool way_back_left_out_ = false;
  WhatIfOutcome outcome_;
};

// Decided by the campaign itself: neither an operator's word nor what came with one.
bool is_own_decision(const Event& event);

// The record's steps and moves, as they stand in the log.
template <class OnStep, class OnMove>
void in_log_order(const CampaignRecord& record, OnStep on_step, OnMove on_move) {
  std::vector<std::uint32_t> in_order(record.moves.size());
  for (std::uint32_t i = 0; i < in_order.size(); ++i) in_order[i] = i;
  std::sort(in_order.begin(), in_order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return record.moves[a].order < record.moves[b].order; });
  auto step = record.steps.begin();
  for (const std::uint32_t i : in_order) {
    for (; step != record.steps.end() && step->order < record.moves[i].order; ++step) on_step(*step);
    on_move(record.moves[i]);
  }
  for (; step != record.steps.end(); ++step) on_step(*step);
}

// What became of it under its own policy, by its own events. `differing`, if given: how many of the campaign's own decisions the
// code would not take again.
WhatIfOutcome recount(const CampaignRecord& record, std::uint32_t* differing = nullptr);

}  // namespace ota::domain::campaign
