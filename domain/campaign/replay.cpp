// The loop of a replay: what comes next, what is due then, and who of those that ask is granted.
#include "domain/campaign/replay.hpp"

#include <algorithm>
#include <utility>

#include "domain/window.hpp"

namespace ota::domain::campaign {
namespace {

// Nobody is told: the replay itself stops what is to stop.
constexpr std::size_t kTellsMax = 0;
constexpr Duration kWithoutAny = std::chrono::minutes(1);   // an attempt takes so long if the record has none
// A happening leads to a few events: a replay that needs many times more than its record has goes round in a circle.
constexpr std::uint64_t kStepsAtLeast = 10'000;
constexpr std::uint64_t kStepsOfEach = 100;

bool ends_granting(const Event& event) {
  return std::holds_alternative<CampaignRollbackBegun>(event) || std::holds_alternative<CampaignCancelled>(event) ||
         std::holds_alternative<CampaignFinished>(event) || std::holds_alternative<CampaignAborted>(event) ||
         std::holds_alternative<CampaignClosed>(event);
}

bool asks_to_stop(const Event& event) {
  return std::holds_alternative<CampaignRollbackBegun>(event) || std::holds_alternative<CampaignCancelled>(event) ||
         std::holds_alternative<CampaignAborted>(event) || std::holds_alternative<FirmwareRecalled>(event);
}

bool asks_all_to_stop(const Event& event) {
  return std::holds_alternative<CampaignCancelled>(event) || std::holds_alternative<FirmwareRecalled>(event);
}

// The median of those that came to an end of their own.
Duration usual_time(const CampaignRecord& record) {
  std::vector<Duration> times;
  const RecordedMove* granted = nullptr;
  for (const auto& move : record.moves) {
    if (move.of != UpdateId::kDeployment) continue;
    if (move.kind == MoveKind::kGranted) granted = &move;
    const bool ends = move.kind == MoveKind::kEnded && granted && granted->ordinal == move.ordinal;
    if (ends) times.push_back(move.at - granted->at);
  }
  if (times.empty()) return kWithoutAny;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace

// ---- the beginning ---------------------------------------------------------------------------------------------

Replay::Replay(const CampaignRecord& record, const CampaignPolicy& policy, const Settings& settings,
               const ReplayOptions& options)
    : record_(record), policy_(policy), settings_(settings), options_(options), usual_(usual_time(record)), tally_(record.id) {
  window_ = policy.maintenance_window;
  for (const auto& part : record.parts) {
    tally_.set_time(part.time);
    tally_.fold(part.stream, part.event);
  }
  tally_.set_time(record.created.time);
  tally_.fold(record.created.stream, created_under(record, policy), record.created.caller);
  const auto happenings = record.moves.size() + record.steps.size() + state().total();
  steps_max_ = options.steps_max > 0 ? options.steps_max : kStepsAtLeast + kStepsOfEach * happenings;
  plan_record();
  only_succeeds_ = can_only_succeed();
  other_places_ = policy.max_concurrent_updates != std::get<CampaignCreated>(record.created.event).policy.max_concurrent_updates;
  following_ = options_.follow.has_value();
  if (following_) queue_.push({options_.follow->at, options_.follow->order, What::kWake, 0, 0});
}

void Replay::plan_record() {
  for (std::size_t i = 0; i < record_.steps.size(); ++i) {
    const auto& step = record_.steps[i];
    queue_.push({step.at, step.order, What::kStep, 0, i});
    if (!left_come_at_ && ends_granting(step.event)) left_come_at_ = step.at;
    if (const auto* deleted = std::get_if<DeviceDeleted>(&step.event)) deleted_.add(deleted->ordinal.value);
    if (asks_to_stop(step.event)) stops_then_.push_back(step.order);
    if (asks_all_to_stop(step.event)) stop_all_then_.push_back(step.order);
    if (content_order_ == 0 && std::holds_alternative<FirmwareContentStored>(step.event)) content_order_ = step.order;
  }
  for (std::size_t i = 0; i < record_.moves.size(); ++i) {
    const auto& move = record_.moves[i];
    if (is_outside(move)) queue_.push({move.at, move.order, What::kOutside, 0, i});
  }
  for (const std::uint32_t ordinal : state().targets) plan_first_ask(ordinal, record_.moves_of(ordinal));
  if (options_.coming == Coming::kLeftLater && left_come_at_) queue_.push({*left_come_at_, made(), What::kLeftCome, 0, 0});
}

void Replay::plan_first_ask(std::uint32_t ordinal, std::span<const RecordedMove> moves) {
  const RecordedMove* first = nullptr;
  bool reopened = false;                    // by an operator, before its first grant: it comes after that
  bool never_comes = false;                 // it was skipped when it came, or its user declined
  for (const auto& move : moves) {
    if (move.of != UpdateId::kDeployment) continue;
    if (move.kind == MoveKind::kGranted) {
      first = &move;
      break;
    }
    reopened = reopened || move.kind == MoveKind::kRetryAsked;
    never_comes = never_comes || move.kind == MoveKind::kSkipped ||
                  (move.kind == MoveKind::kCancelled && move.cancel_cause() == CancelCause::kDeclined);
  }
  if (never_comes || reopened) return;
  const auto behind_all = kMadeHere / 2 + ordinal;
  if (options_.coming == Coming::kAtOnce) {
    first_asks_.emplace(first ? first->order : behind_all, ordinal);
  } else if (first) {
    queue_.push({first->at, first->order, What::kAsk, 0, ordinal});
  } else if (options_.coming == Coming::kLeftLater) {
    left_.emplace(behind_all, ordinal);
  }
}

// ---- the loop --------------------------------------------------------------------------------------------------

WhatIfOutcome Replay::run() {
  for (;;) {
    while (!queue_.empty() && !is_spent()) {
      const Happening next = queue_.top();
      queue_.pop();
      ++handled_;
      tally_.set_time(std::max(now(), next.at));
      at_its_moment_.reset();
      follow_until(next);
      handle(next);
      settle();
    }
    if (is_spent() || state().status != CampaignStatus::kRollback) break;
    // Nothing runs any more: whoever is to go back does, and that is its end.
    tally_.end_ways_back();
    settle();
    if (state().status == CampaignStatus::kRollback) break;
  }
  auto outcome = tally_.outcome();
  outcome.unknown = unknown_;
  outcome.steps_left_out = left_out_;
  outcome.cut_short = is_spent();
  return outcome;
}

void Replay::handle(const Happening& happening) {
  depth_ = 0;
  may_ask_now_.reset();
  const auto of_this_attempt = [&](std::uint32_t ordinal) { return device(ordinal).attempts == happening.attempt; };
  switch (happening.what) {
    case What::kStep: return step(record_.steps[happening.which]);
    case What::kOutside: return outside(record_.moves[happening.which]);
    case What::kScript: {
      const auto& move = record_.moves[happening.which];
      depth_ = device(move.ordinal).depth;
      if (of_this_attempt(move.ordinal)) script(move);
      return;
    }
    case What::kUnknownEnd: {
      const auto ordinal = static_cast<std::uint32_t>(happening.which);
      depth_ = device(ordinal).depth;
      if (of_this_attempt(ordinal) && state().granted.contains(ordinal)) end_unknown(ordinal, device(ordinal));
      return;
    }
    case What::kAsk: {
      const auto ordinal = static_cast<std::uint32_t>(happening.which);
      const std::pair ask{happening.order, ordinal};
      depth_ = device(ordinal).depth;
      may_ask_now_ = ordinal;
      (state().retries.contains(ordinal) ? retry_asks_ : first_asks_).insert(ask);
      const auto* granted = next_grant(device(ordinal));
      if (granted && granted->order == happening.order && granted->at == happening.at) at_its_moment_ = ask;
      return;
    }
    case What::kLeftCome: return first_asks_.merge(left_);
    case What::kWake: return;
  }
}

// Until nothing is due and nobody who asks is granted any more.
void Replay::settle() {
  for (bool goes_on = true; goes_on && !is_spent();) {
    goes_on = false;
    stop_what_is_to_stop();
    goes_on = !following_ && decide_what_is_due();
    goes_on = serve() || goes_on;
  }
  if (blurred_ && !any_mixture_) look_whether_it_could_stop();
  wake_when_time_decides();
}

// True: something was decided.
bool Replay::decide_what_is_due() {
  bool decided = false;
  while (!is_spent()) {
    const auto own = next(state(), {}, kTellsMax, now()).own;
    if (own.empty()) {
      is_time_for(nullptr);
      break;
    }
    if (!is_time_for(&own.front().event)) break;
    note_decision(own.front().event);
    fold_all(own, {});
    stop_what_is_to_stop();
    decided = true;
  }
  return decided;
}

// A start or an end that is due once; and a window, but only for somebody who waits for it.
void Replay::wake_when_time_decides() {
  std::optional<Time> wake = state().status == CampaignStatus::kRollback ? std::nullopt : wakes_at(state(), now());
  const bool waits = state().status == CampaignStatus::kInProgress && !(first_asks_.empty() && retry_asks_.empty());
  if (waits && !window_is_open()) {
    const auto opens = opens_at(*window_, {}, now());
    if (!wake || opens < *wake) wake = opens;
  }
  if (!wake || wake == wake_) return;
  wake_ = wake;
  queue_.push({*wake, made(), What::kWake, 0, 0});
}

// Of each device's own zone nothing is in the record: where that decides, no other grants are asked about (why_no_what_if).
bool Replay::window_is_open() const {
  return !window_ || window_->timezone == kDeviceZone || is_open(*window_, {}, now());
}

std::optional<std::pair<std::uint64_t, std::uint32_t>> Replay::next_to_serve() {
  const auto free = room(state(), {}, now());
  if (!window_is_open()) {
    if (!at_its_moment_) return std::nullopt;
    const bool first = free.for_first_attempts && first_asks_.contains(*at_its_moment_);
    const bool retry = free.for_retries && retry_asks_.contains(*at_its_moment_);
    return first || retry ? at_its_moment_ : std::nullopt;
  }
  const bool first = free.for_first_attempts && !first_asks_.empty();
  const bool retry = free.for_retries && !retry_asks_.empty();
  if (first && retry) return std::min(*first_asks_.begin(), *retry_asks_.begin());
  if (first) return *first_asks_.begin();
  return retry ? std::optional(*retry_asks_.begin()) : std::nullopt;
}

// True: somebody was granted.
bool Replay::serve() {
  if (const auto gates = gates_now(); gates != gates_then_) {
    gates_then_ = gates;
    for (const auto& [order, ordinal] : beside_) {
      (state().retries.contains(ordinal) ? retry_asks_ : first_asks_).emplace(order, ordinal);
    }
    beside_.clear();
  }
  while (const auto ask = next_to_serve()) {
    const auto [order, ordinal] = *ask;
    const bool was_retry = retry_asks_.erase(*ask) > 0;
    if (!was_retry) first_asks_.erase(*ask);
    if (!state().is_remaining(ordinal)) continue;   // it has ended since
    if (const bool is_retry = state().retries.contains(ordinal); is_retry != was_retry) {
      (is_retry ? retry_asks_ : first_asks_).insert(*ask);
      continue;
    }
    if (grant_to(ordinal, order)) return true;
  }
  return false;
}

bool Replay::grant_to(std::uint32_t ordinal, std::uint64_t order) {
  auto& d = device(ordinal);
  auto ask = ask_of(state(), ordinal);
  ask.attempts = d.attempts;
  ask.batch = d.batch;
  ask.push = ask.content_elsewhere = content_order_ > 0 && order < content_order_;
  auto decision = grant(state(), {}, ask, {now(), {}, settings_});
  if (auto* granted = std::get_if<AttemptGranted>(&decision)) {
    note_grant(ordinal, d);
    d.batch = granted->batch;
    d.retry = granted->retry;
    granted->plan.reset();
    fold_update(ordinal, std::move(*granted));
    begin_attempt(ordinal, d);
    return true;
  }
  const auto* wait = std::get_if<Wait>(&decision);
  if (wait && wait->until && *wait->until > now()) {
    queue_.push({*wait->until, order, What::kAsk, 0, ordinal});
  } else {
    beside_.emplace(order, ordinal);
  }
  return false;
}

// ---- folding ---------------------------------------------------------------------------------------------------

Replay::Device& Replay::device(std::uint32_t ordinal) {
  const auto [at, is_new] = devices_.try_emplace(ordinal);
  if (is_new) at->second.moves = record_.moves_of(ordinal);
  return at->second;
}

const RecordedMove* Replay::next_grant(const Device& d) {
  for (auto at = d.next; at < d.moves.size(); ++at) {
    const auto& move = d.moves[at];
    if (move.of == UpdateId::kDeployment && move.kind == MoveKind::kGranted) return &move;
  }
  return nullptr;
}

void Replay::fold_update(std::uint32_t ordinal, Event event) {
  touched_.push_back(now());
  has_ended_one_ = has_ended_one_ || !std::holds_alternative<AttemptGranted>(event);
  tally_.fold(UpdateId::in_campaign(record_.id, {ordinal}), std::move(event));
}

void Replay::fold_all(const Events& events, Caller caller) {
  for (const auto& emitted : events) tally_.fold(emitted.stream, emitted.event, caller);
}

}  // namespace ota::domain::campaign
