// What was recorded, played again: what came from outside at its moment, what a device did in an attempt as long after its
// grant as then. Where the record has nothing to play, the outcome is unknown.
#include <algorithm>
#include <utility>

#include "domain/campaign/replay.hpp"
#include "domain/update/attempt.hpp"

namespace ota::domain::campaign {
namespace {

constexpr std::string_view kUnknownCode = "unknown";
constexpr std::uint64_t kStarts = 1;        // what is drawn of an attempt
constexpr std::uint64_t kSucceeds = 2;
// An update of a campaign does not look at its firmware: the campaign does, and takes nobody any more.
constexpr bool kRecalledByItself = false;

// The operator's command behind an event of a campaign's own; empty: it came by itself, or with another one.
std::optional<CampaignCommand> command_behind(const Event& event, const Campaign& s) {
  if (std::holds_alternative<CampaignStarted>(event)) {
    return s.status == CampaignStatus::kScheduled ? std::nullopt : std::optional<CampaignCommand>(StartCampaign{});
  }
  if (std::holds_alternative<CampaignScheduled>(event)) return StartCampaign{};
  if (std::holds_alternative<CampaignResumed>(event)) return ResumeCampaign{};
  if (const auto* e = std::get_if<CampaignApproved>(&event)) return ApproveCampaign{e->approved, e->comment, e->conditions};
  if (const auto* e = std::get_if<CampaignCancelled>(&event)) return CancelCampaign{e->reason};
  if (const auto* e = std::get_if<CampaignPaused>(&event)) {
    return e->cause == PauseCause::kOperator ? std::optional<CampaignCommand>(PauseCampaign{e->reason}) : std::nullopt;
  }
  if (const auto* e = std::get_if<CampaignFinished>(&event)) {
    // One whose firmware is recalled finishes by itself (next.cpp).
    const bool by_itself = e->by_schedule || s.firmware_recalled;
    return by_itself ? std::nullopt : std::optional<CampaignCommand>(FinishCampaign{e->reason});
  }
  if (const auto* e = std::get_if<CanaryPromoted>(&event)) {
    return e->by_operator ? std::optional<CampaignCommand>(PromoteCampaign{e->reason}) : std::nullopt;
  }
  if (const auto* e = std::get_if<CampaignRollbackBegun>(&event)) {
    return e->trigger == RollbackTrigger::kManual ? std::optional<CampaignCommand>(RollbackCampaign{e->reason}) : std::nullopt;
  }
  return std::nullopt;
}

// The campaign told it to stop.
bool is_of_campaign(CancelCause cause) {
  return cause == CancelCause::kCampaignCancelled || cause == CancelCause::kCampaignAborted || cause == CancelCause::kRecalled ||
         cause == CancelCause::kScheduledEnd || cause == CancelCause::kFinished;
}

}  // namespace

// ---- from outside ----------------------------------------------------------------------------------------------

void Replay::step(const RecordedStep& step) {
  if (!std::holds_alternative<CampaignId>(step.stream)) {
    disturb();
    if (const auto* deleted = std::get_if<DeviceDeleted>(&step.event)) return delete_device(step, deleted->ordinal.value);
    return tally_.fold(step.stream, step.event, step.caller);
  }
  const auto command = command_behind(step.event, state());
  if (!command) return step_as_then(step);
  disturb();
  const auto decided = decide(state(), *command, {now(), step.caller, settings_});
  if (!decided) ++left_out_;
  if (decided) fold_all(decided.value(), step.caller);
}

// With its unfinished update, which may be another one here than then.
void Replay::delete_device(const RecordedStep& step, std::uint32_t ordinal) {
  const auto& s = state();
  const bool unfinished = s.granted.contains(ordinal) || s.retries.contains(ordinal) || s.lapsed.contains(ordinal);
  tally_.fold(step.stream, step.event, step.caller);
  if (!unfinished) return;
  const auto& d = device(ordinal);
  const std::uint32_t attempt = s.granted.contains(ordinal) ? d.attempts : 0;
  fold_update(ordinal, UpdateCancelled{CancelCause::kDeviceDeleted, attempt, d.batch, d.retry});
}

// It came at that moment whatever the campaign was about.
bool Replay::is_outside(const RecordedMove& move) const {
  if (move.of != UpdateId::kDeployment) return false;
  if (move.kind == MoveKind::kSkipped || move.kind == MoveKind::kRetryAsked || move.kind == MoveKind::kUndone) return true;
  if (move.kind != MoveKind::kCancelled || is_of_campaign(move.cancel_cause())) return false;
  return move.cancel_cause() != CancelCause::kDeclined || move.attempt == 0;
}

void Replay::outside(const RecordedMove& move) {
  if (!state().targets.contains(move.ordinal)) return;   // the rollout percentage leaves it out here
  disturb();
  auto& d = device(move.ordinal);
  switch (move.kind) {
    case MoveKind::kSkipped:
      if (state().is_remaining(move.ordinal)) fold_update(move.ordinal, event_of(record_, move));
      return;
    case MoveKind::kUndone: return fold_update(move.ordinal, UpdateUndone{});
    case MoveKind::kRetryAsked: return ask_again(move, d);
    default: return cancel_from_outside(move, d);
  }
}

void Replay::cancel_from_outside(const RecordedMove& move, Device& d) {
  const auto o = move.ordinal;
  const auto cause = move.cancel_cause();
  const bool granted = state().granted.contains(o);
  const bool only_granted = cause == CancelCause::kPreempted || cause == CancelCause::kSuperseded;
  if (granted && cause != CancelCause::kDeclined) {
    fold_update(o, UpdateCancelled{cause, d.attempts, d.batch, d.retry});
  } else if (!granted && !only_granted && state().is_remaining(o)) {
    fold_update(o, UpdateCancelled{cause, 0, d.batch, d.retry});
  } else if (cause == CancelCause::kOperator && !state().cancelled.contains(o)) {
    ++left_out_;
  }
}

// An operator wants one more attempt.
void Replay::ask_again(const RecordedMove& move, Device& d) {
  const auto& s = state();
  const auto o = move.ordinal;
  RetryUpdate retry;
  const bool open = !s.finished && (s.status == CampaignStatus::kInProgress || s.status == CampaignStatus::kPaused);
  if (!open) retry.closed_campaign = to_text(s.status);
  retry.device_gone = s.gone.contains(o);
  retry.firmware_recalled = s.firmware_recalled;
  const auto update = update_of(o, d);
  retry.plan = update.plan;
  const auto decided = decide(update, UpdateCommand(retry), {now(), {}, settings_});
  if (!decided) ++left_out_;
  if (!decided || decided.value().empty()) return;
  auto asked = std::get<RetryAsked>(decided.value().front().event);
  d.retry_count = asked.retry_count;
  d.retry_at = now();
  asked.plan.reset();
  fold_update(o, std::move(asked));
  while (d.next < d.moves.size() && d.moves[d.next].order <= move.order) ++d.next;
  plan_next_ask(o, d, &move, now(), true);
}

// As its own decisions take it.
DeviceUpdate Replay::update_of(std::uint32_t o, const Device& d) const {
  const auto& s = state();
  DeviceUpdate u;
  u.exists = true;
  u.id = UpdateId::in_campaign(record_.id, {o});
  u.status = s.granted.contains(o)     ? UpdateStatus::kInProgress
             : s.completed.contains(o) ? UpdateStatus::kCompleted
             : s.failed.contains(o)    ? UpdateStatus::kFailed
             : s.cancelled.contains(o) ? UpdateStatus::kCancelled
                                       : UpdateStatus::kScheduled;
  u.attempt = d.attempts;
  u.batch = d.batch;
  u.retry = d.retry;
  u.retry_count = d.retry_count;
  u.spared_retries = d.spared_retries;
  if (s.retries.contains(o)) u.retry_at = d.retry_at;
  u.plan.max_retries = policy_.max_retries;
  u.plan.rollback_on_timeout = s.has_trigger(RollbackTrigger::kTimeout);
  return u;
}

// ---- an attempt ------------------------------------------------------------------------------------------------

void Replay::begin_attempt(std::uint32_t o, Device& d) {
  ++d.attempts;
  d.started = d.held = d.asked_to_stop = false;
  d.granted_then = nullptr;
  d.retry_at.reset();
  d.granted_then = next_grant(d);
  if (!d.granted_then) {
    open_here();
    d.started = !options_.drawn || draws(o, d.attempts, kStarts);
    return plan_unknown_end(o, d, now() + usual_);
  }
  d.shift = now() - d.granted_then->at;
  d.next = static_cast<std::uint32_t>(d.granted_then - d.moves.data()) + 1;
  plan_script(o, d);
}

// The next thing that the device does by itself in this attempt. If something stopped it then, it had not ended by that time.
void Replay::plan_script(std::uint32_t o, Device& d) {
  Time alive = d.granted_then->at;
  for (; d.next < d.moves.size(); ++d.next) {
    const auto& move = d.moves[d.next];
    if (move.of != UpdateId::kDeployment || move.kind == MoveKind::kConsentAsked || move.kind == MoveKind::kUndone) continue;
    if (move.kind == MoveKind::kGranted || move.kind == MoveKind::kRetryAsked) break;
    if (is_outside(move)) {
      alive = move.at;
      break;
    }
    const auto order = d.shift == Duration{} ? move.order : made();
    queue_.push({move.at + d.shift, order, What::kScript, d.attempts, static_cast<std::uint64_t>(&move - record_.moves.data())});
    return;
  }
  plan_unknown_end(o, d, std::max(alive, d.granted_then->at + usual_) + d.shift);
}

// Nor is it known when it would have started, if it had not by then.
void Replay::plan_unknown_end(std::uint32_t o, Device& d, Time at) {
  if (!d.started) open_here();
  if (!d.started && d.granted_then && options_.drawn) d.started = draws(o, d.attempts, kStarts);
  queue_.push({std::max(at, now()), made(), What::kUnknownEnd, d.attempts, o});
}

void Replay::script(const RecordedMove& move) {
  const auto o = move.ordinal;
  auto& d = device(o);
  if (move.kind == MoveKind::kRefuted) return refute(move);
  if (!state().granted.contains(o)) return;   // it was stopped
  d.next = static_cast<std::uint32_t>(&move - d.moves.data()) + 1;
  switch (move.kind) {
    case MoveKind::kStarted: d.started = true; break;
    case MoveKind::kHeld:
      d.held = true;
      // What begins to hold when all is over would wait for ever.
      d.asked_to_stop = d.asked_to_stop || is_over_here();
      fold_update(o, UpdateHeld{d.attempts, d.batch, d.retry, move.for_window ? std::optional(move.at + d.shift) : std::nullopt});
      break;
    case MoveKind::kReleased: {
      d.held = false;
      AttemptStarted released;
      released.attempt = d.attempts;
      released.released = true;
      fold_update(o, released);
      break;
    }
    case MoveKind::kEnded: return end_as_recorded(move, d);
    case MoveKind::kLapsed:
      fold_update(o, GrantLapsed{d.attempts, d.batch, d.retry});
      if (!d.retry) d.batch = 0;
      return plan_next_ask(o, d, &move, now(), true);
    case MoveKind::kCancelled: return end_cancelled(move, d);
    default: break;
  }
  plan_script(o, d);
}

// It takes nobody any more, and lets nobody hold.
bool Replay::is_over_here() const {
  const auto& s = state();
  return is_terminal(s.status) || s.status == CampaignStatus::kRollback || s.firmware_recalled;
}

// In the record it was asked to stop in this attempt, as it is here.
bool Replay::was_asked_then(const Device& d, const RecordedMove& end) const {
  if (d.shift != Duration{}) return false;
  return std::any_of(stops_then_.begin(), stops_then_.end(),
                     [&](std::uint64_t stop) { return d.granted_then->order < stop && stop < end.order; });
}

// In the record it was asked by the campaign, and not by an operator: as all were, or since it held.
bool Replay::campaign_asked_then(const Device& d, const RecordedMove& end) const {
  const auto any_between = [&](const std::vector<std::uint64_t>& stops, std::uint64_t before) {
    return std::any_of(stops.begin(), stops.end(),
                       [&](std::uint64_t stop) { return d.granted_then->order < stop && stop < before; });
  };
  if (any_between(stop_all_then_, end.order)) return true;
  bool holds = false;
  for (const auto* move = d.granted_then; move < &end; ++move) {
    if (move->of != UpdateId::kDeployment) continue;
    if (move->kind == MoveKind::kHeld) holds = true;
    if (move->kind != MoveKind::kReleased || !holds) continue;
    if (any_between(stops_then_, move->order)) return true;
    holds = false;
  }
  return holds && any_between(stops_then_, end.order);
}

void Replay::end_as_recorded(const RecordedMove& move, Device& d) {
  const auto o = move.ordinal;
  if (d.asked_to_stop && !was_asked_then(d, move)) return end_unknown(o, d);
  // It failed since it was to stop, or had another attempt but for that.
  if (move.was_to_stop && !d.asked_to_stop && campaign_asked_then(d, move)) return end_unknown(o, d);
  if (!move.success) return fail(o, d, static_cast<FailureKind>(move.cause), record_.codes[move.code], &move);
  succeed(o, d);
  for (auto at = d.next; at < d.moves.size(); ++at) {
    const auto& later = d.moves[at];
    if (later.of != UpdateId::kDeployment || later.kind != MoveKind::kRefuted) continue;
    queue_.push({later.at + d.shift, d.shift == Duration{} ? later.order : made(), What::kScript, d.attempts,
                 static_cast<std::uint64_t>(&later - record_.moves.data())});
    return;
  }
}

// Declined by the device; or by the campaign, which may go on here.
void Replay::end_cancelled(const RecordedMove& move, Device& d) {
  const auto& s = state();
  const auto o = move.ordinal;
  if (!is_of_campaign(move.cancel_cause())) {
    fold_update(o, UpdateCancelled{move.cancel_cause(), d.attempts, d.batch, d.retry});
  } else if (is_over_here()) {
    fold_update(o, UpdateCancelled{cause_of_end(s), d.attempts, d.batch, d.retry});
  } else {
    plan_unknown_end(o, d, d.granted_then->at + d.shift + usual_);
  }
}

void Replay::end_unknown(std::uint32_t o, Device& d) {
  ++unknown_;
  open_here();
  const bool well = options_.drawn ? draws(o, d.attempts, kSucceeds) : options_.unknown == UnknownOutcomes::kSucceed;
  if (well) return succeed(o, d);
  fail(o, d, FailureKind::kDevice, std::string(kUnknownCode), nullptr);
}

void Replay::succeed(std::uint32_t o, Device& d) {
  Events events;
  update::add_success(update_of(o, d), events);
  fold_update(o, std::move(events.front().event));
}

void Replay::fail(std::uint32_t o, Device& d, FailureKind kind, const std::string& code, const RecordedMove* as) {
  auto update = update_of(o, d);
  if (as && as->takes_back) update.status = UpdateStatus::kInstalling;
  if (as ? as->was_to_stop : d.asked_to_stop) update.cancel.emplace();
  const Context context{now(), {}, settings_};
  auto end = std::get<AttemptEnded>(
      update::end_failed(update, kind, code, {}, kRecalledByItself, context).front().event);
  if (end.retry_at && as && as->may_retry()) end.retry_at = now() + (as->again - as->at);
  d.retry_count = end.retry_count;
  d.spared_retries = end.spared_retries;
  d.retry_at = end.retry_at;
  fold_update(o, std::move(end));
  if (d.retry_at) plan_next_ask(o, d, as, *d.retry_at, as && as->may_retry());
}

// It comes back after as much time as then. Where it did not: one that waited then until it was told to stop comes when those
// come that were never granted; one that had no reason to come, since its update was over, comes as soon as it may.
void Replay::plan_next_ask(std::uint32_t o, Device& d, const RecordedMove* then, Time earliest, bool waited_then) {
  const auto* granted = next_grant(d);
  // Where an operator opened it again before that, their word says when.
  for (auto at = d.next; waited_then && at < d.moves.size() && &d.moves[at] != granted; ++at) {
    if (d.moves[at].of == UpdateId::kDeployment && d.moves[at].kind == MoveKind::kRetryAsked) return;
  }
  const auto order = granted ? granted->order : made();
  if (granted && then && waited_then && options_.coming != Coming::kAtOnce) {
    queue_.push({std::max(earliest, now() + (granted->at - then->at)), order, What::kAsk, 0, o});
  } else if (granted || !waited_then || options_.coming == Coming::kAtOnce) {
    queue_.push({earliest, order, What::kAsk, 0, o});
  } else if (options_.coming == Coming::kLeftLater && left_come_at_) {
    queue_.push({std::max(earliest, *left_come_at_), order, What::kAsk, 0, o});
  }
}

// Bad health is only heard of where it is listened for.
void Replay::refute(const RecordedMove& move) {
  const bool by_health = static_cast<RefutedBy>(move.cause) == RefutedBy::kHealth;
  if (by_health && !state().has_trigger(RollbackTrigger::kHealthCheck)) return;
  if (state().completed.contains(move.ordinal)) fold_update(move.ordinal, event_of(record_, move));
}

// ---- what the campaign tells its updates (next.cpp) ------------------------------------------------------------

void Replay::cancel_untold() {
  const Bitmap untold = state().untold;
  for (const std::uint32_t o : untold) {
    const auto& d = device(o);
    fold_update(o, UpdateCancelled{cause_of_end(state()), 0, d.batch, d.retry});
  }
}

// What has not started ends at once. What has goes on; unless everything is to stop, or it holds: then it is asked, and how it
// answers is not known, but where it was asked then, too.
void Replay::stop_what_is_to_stop() {
  const auto& s = state();
  const bool ended = is_terminal(s.status) || s.status == CampaignStatus::kRollback;
  const bool news = (ended && !ended_) || (s.firmware_recalled && !recalled_);
  ended_ = ended;
  recalled_ = s.firmware_recalled;
  if (cancels_now(news)) {
    const bool stops_all = s.status == CampaignStatus::kCancelled || s.firmware_recalled;
    const Bitmap granted = s.granted;
    for (const std::uint32_t o : granted) {
      auto& d = device(o);
      if (!d.started) {
        fold_update(o, UpdateCancelled{cause_of_end(s), d.attempts, d.batch, d.retry});
      } else if (stops_all || d.held) {
        d.asked_to_stop = true;
      }
    }
  }
  if (!s.untold.isEmpty()) cancel_untold();
}

}  // namespace ota::domain::campaign
