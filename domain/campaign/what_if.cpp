#include "domain/campaign/what_if.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "domain/campaign/grant.hpp"
#include "domain/rollout.hpp"
#include "domain/update/attempt.hpp"

namespace ota::domain {
namespace {

// Nobody asks, and nothing is told: what is due is folded at once.
constexpr std::size_t kNobodyIsTold = 0;
// What the replay itself makes comes behind what was recorded of the same moment.
constexpr std::uint64_t kMadeHere = std::uint64_t{1} << 62;
constexpr Duration kWithoutAny = std::chrono::minutes(1);   // an attempt takes so long if the record has none
constexpr std::string_view kUnknownCode = "unknown";

bool ends_granting(const Event& event) {
  return std::holds_alternative<CampaignRollbackBegun>(event) || std::holds_alternative<CampaignCancelled>(event) ||
         std::holds_alternative<CampaignFinished>(event) || std::holds_alternative<CampaignAborted>(event) ||
         std::holds_alternative<CampaignClosed>(event);
}

// The operator's command behind an event of a campaign's own; empty: it came by itself, or with another one.
std::optional<CampaignCommand> command_behind(const Event& event, bool was_scheduled) {
  if (std::holds_alternative<CampaignStarted>(event)) {
    return was_scheduled ? std::nullopt : std::optional<CampaignCommand>(StartCampaign{});
  }
  if (std::holds_alternative<CampaignScheduled>(event)) return StartCampaign{};
  if (std::holds_alternative<CampaignResumed>(event)) return ResumeCampaign{};
  if (const auto* e = std::get_if<CampaignApproved>(&event)) return ApproveCampaign{e->approved, e->comment, e->conditions};
  if (const auto* e = std::get_if<CampaignCancelled>(&event)) return CancelCampaign{e->reason};
  if (const auto* e = std::get_if<CampaignPaused>(&event)) {
    return e->cause == PauseCause::kOperator ? std::optional<CampaignCommand>(PauseCampaign{e->reason}) : std::nullopt;
  }
  if (const auto* e = std::get_if<CampaignFinished>(&event)) {
    return e->by_schedule ? std::nullopt : std::optional<CampaignCommand>(FinishCampaign{e->reason});
  }
  if (const auto* e = std::get_if<CanaryPromoted>(&event)) {
    return e->by_operator ? std::optional<CampaignCommand>(PromoteCampaign{e->reason}) : std::nullopt;
  }
  if (const auto* e = std::get_if<CampaignRollbackBegun>(&event)) {
    return e->trigger == RollbackTrigger::kManual ? std::optional<CampaignCommand>(RollbackCampaign{e->reason}) : std::nullopt;
  }
  return std::nullopt;
}

// Its update was stopped by the campaign or by another one, not by its device: how it would have gone on nobody knows.
bool is_stopped_from_outside(const UpdateCancelled& e) {
  return e.cause != CancelCause::kDeclined && e.cause != CancelCause::kDeviceDeleted && e.cause != CancelCause::kUserDeleted &&
         e.cause != CancelCause::kOperator;
}

// The usual time of an attempt: the median.
Duration usual_time(const CampaignRecord& record) {
  std::vector<Duration> times;
  for (const auto& [ordinal, device] : record.devices) {
    for (const auto& attempt : device.attempts) {
      if (attempt.took) times.push_back(*attempt.took);
    }
  }
  if (times.empty()) return kWithoutAny;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

class Replay {
 public:
  Replay(const CampaignRecord& record, const CampaignPolicy& policy, const Settings& settings, bool unknown_succeed)
      : record_(record), settings_(settings), unknown_succeed_(unknown_succeed), usual_(usual_time(record)) {
    state_.id = record.id;
    for (const auto& part : record.parts) fold(part.time, part.stream, part.event, {});
    fold(record.created.time, record.created.stream, created_under(policy), record.created.caller);
    plan_steps();
    plan_asks();
  }

  WhatIfOutcome run() {
    while (!queue_.empty()) {
      const Happening next = *queue_.begin();
      queue_.erase(queue_.begin());
      now_ = std::max(now_, next.at);
      handle(next);
      settle();
    }
    outcome_.status = state_.status;
    outcome_.at_end = state_.counts();
    outcome_.granted = static_cast<std::uint32_t>(devices_.size());
    outcome_.ended_at = last_;
    return outcome_;
  }

 private:
  enum class What : std::uint8_t { kStep, kEnd, kRefute, kAsk, kWake };
  struct Happening {
    Time at{};
    std::uint64_t order = 0;
    What what = What::kWake;
    std::uint64_t which = 0;                // a step, or an ordinal
    auto operator<=>(const Happening&) const = default;
  };
  struct Device {
    DeviceUpdate update;
    std::size_t attempts = 0;               // that it had here
  };

  // ---- what is to come ----
  Event created_under(const CampaignPolicy& policy) const {
    auto created = std::get<CampaignCreated>(record_.created.event);
    Bitmap targets = bitmap_from_bytes(created.targets);
    for (const auto& part : record_.parts) targets |= bitmap_from_bytes(std::get<CampaignTargetPart>(part.event).targets);
    const auto pick = pick_percentage(record_.id, targets, policy.rollout_percentage);
    created.policy = policy;
    created.picked = pick.count;
    created.pick_cutoff = pick.cutoff;
    created.canary.reset();
    created.canary_cutoff = 0;
    if (policy.strategy == Strategy::kCanary && pick.count > 0) {
      created.canary = evidence_table(policy.failure_threshold_percent, policy.canary_p0_basis_points,
                                      policy.canary_p1_basis_points, pick.count);
      created.canary_cutoff = canary_cutoff(record_.id, picked(record_.id, targets, pick.cutoff), *created.canary);
    }
    return created;
  }
  void plan_steps() {
    for (std::size_t i = 0; i < record_.steps.size(); ++i) {
      queue_.insert({record_.steps[i].at, record_.steps[i].order, What::kStep, i});
    }
  }
  // Who was granted asks when it was; who never was, from the moment on when the record granted nobody any more.
  void plan_asks() {
    for (const auto& [ordinal, device] : record_.devices) {
      if (device.attempts.empty()) continue;
      queue_.insert({device.attempts.front().granted, device.attempts.front().order, What::kAsk, ordinal});
    }
    const auto end = std::find_if(record_.steps.begin(), record_.steps.end(),
                                  [](const RecordedStep& step) { return ends_granting(step.event); });
    if (end == record_.steps.end()) return;
    for (const std::uint32_t ordinal : state_.targets) {
      const auto found = record_.devices.find(ordinal);
      if (found == record_.devices.end() || found->second.attempts.empty()) {
        queue_.insert({end->at, kMadeHere, What::kAsk, ordinal});
      }
    }
  }
  void plan_end(std::uint32_t ordinal) {
    const auto* recorded = recorded_attempt(ordinal);
    const bool is_known = recorded && recorded->took && recorded->end;
    if (!is_known) ++outcome_.unknown;
    queue_.insert({now_ + (is_known ? *recorded->took : usual_), is_known ? recorded->end_order : kMadeHere + ++made_, What::kEnd,
                   ordinal});
  }
  // After as much time as it took to come back then; where it did not, as soon as it may.
  void plan_next_ask(std::uint32_t ordinal, Time from) {
    const auto& device = devices_.at(ordinal);
    const auto found = record_.devices.find(ordinal);
    auto order = kMadeHere + ++made_;
    auto at = from;
    if (found != record_.devices.end() && device.attempts < found->second.attempts.size()) {
      const auto& before = found->second.attempts[device.attempts - 1];
      const auto& next = found->second.attempts[device.attempts];
      if (before.took) at = std::max(from, now_ + (next.granted - (before.granted + *before.took)));
      order = next.order;
    }
    queue_.insert({at, order, What::kAsk, ordinal});
  }
  // The present attempt of a device, as it was recorded; null: it was never made.
  const RecordedAttempt* recorded_attempt(std::uint32_t ordinal) const {
    const auto found = record_.devices.find(ordinal);
    const auto index = devices_.at(ordinal).attempts - 1;
    return found != record_.devices.end() && index < found->second.attempts.size() ? &found->second.attempts[index] : nullptr;
  }

  // ---- what happens ----
  void handle(const Happening& next) {
    const auto ordinal = static_cast<std::uint32_t>(next.which);
    switch (next.what) {
      case What::kStep: return step(record_.steps[next.which]);
      case What::kEnd: return end(ordinal);
      case What::kRefute: return refute(ordinal);
      case What::kAsk: asking_.insert({next.order, ordinal}); return;
      case What::kWake: return;
    }
  }
  void step(const RecordedStep& step) {
    if (!std::holds_alternative<CampaignId>(step.stream)) return fold(now_, step.stream, step.event, step.caller);
    was_scheduled_ = was_scheduled_ || std::holds_alternative<CampaignScheduled>(step.event);
    const auto command = command_behind(step.event, was_scheduled_);
    if (!command) return;
    const auto decided = decide(state_, *command, {now_, step.caller, settings_});
    if (!decided) ++outcome_.steps_left_out;
    if (decided) fold_all(decided.value(), step.caller);
  }
  void end(std::uint32_t ordinal) {
    auto& device = devices_.at(ordinal);
    if (!device.update.in_progress()) return;   // its device was deleted
    const auto* recorded = recorded_attempt(ordinal);
    const Context context{now_, {}, settings_};
    if (!recorded || !recorded->took || !recorded->end) return end_attempt(ordinal, unknown_end(device.update, context));
    if (const auto* ended = std::get_if<AttemptEnded>(&*recorded->end)) {
      return end_attempt(ordinal, ended->success ? success_of(device.update, ended->without_download)
                                                 : failure_of(device.update, *ended, context));
    }
    const auto& u = device.update;
    if (std::holds_alternative<GrantLapsed>(*recorded->end)) return end_attempt(ordinal, GrantLapsed{u.attempt, u.batch, u.retry});
    end_attempt(ordinal, UpdateCancelled{std::get<UpdateCancelled>(*recorded->end).cause, u.attempt, u.batch, u.retry});
  }
  Event unknown_end(const DeviceUpdate& u, const Context& context) const {
    if (unknown_succeed_) return success_of(u, false);
    AttemptEnded failed;
    failed.error_code = kUnknownCode;
    return failure_of(u, failed, context);
  }
  static Event success_of(const DeviceUpdate& u, bool without_download) {
    Events events;
    update::add_success(u, events);
    auto end = std::get<AttemptEnded>(events.front().event);
    end.without_download = without_download;
    return end;
  }
  Event failure_of(const DeviceUpdate& u, const AttemptEnded& as, const Context& context) const {
    return update::end_failed(u, as.kind, as.error_code, as.error_message, state_.firmware_recalled, context).front().event;
  }
  void end_attempt(std::uint32_t ordinal, Event event) {
    const auto* ended = std::get_if<AttemptEnded>(&event);
    const bool lapsed = std::holds_alternative<GrantLapsed>(event);
    const bool success = ended && ended->success;
    const auto retry_at = ended ? ended->retry_at : std::nullopt;
    fold_update(ordinal, std::move(event));
    if (retry_at) plan_next_ask(ordinal, *retry_at);
    const auto found = record_.devices.find(ordinal);
    if (found == record_.devices.end()) return;
    if (lapsed && devices_.at(ordinal).attempts < found->second.attempts.size()) plan_next_ask(ordinal, now_);
    if (success && found->second.refuted) {
      queue_.insert({now_ + *found->second.refuted_after, kMadeHere + ++made_, What::kRefute, ordinal});
    }
  }
  void refute(std::uint32_t ordinal) {
    auto refuted = *record_.devices.at(ordinal).refuted;
    refuted.batch = devices_.at(ordinal).update.batch;
    refuted.retry = devices_.at(ordinal).update.retry;
    fold_update(ordinal, refuted);
  }

  // ---- what follows ----
  // Until nothing is due and nobody who asks is granted any more.
  void settle() {
    for (bool goes_on = true; goes_on;) {
      goes_on = false;
      for (auto own = next(state_, {}, kNobodyIsTold, now_).own; !own.empty();
           own = next(state_, {}, kNobodyIsTold, now_).own) {
        fold_all(own, {});
        goes_on = true;
      }
      goes_on = serve() || goes_on;
    }
    if (const auto wake = wakes_at(state_, now_); wake && (!wake_ || *wake != *wake_)) {
      wake_ = wake;
      queue_.insert({*wake, kMadeHere, What::kWake, 0});
    }
  }
  // What decides whether somebody who was not granted may be, beside the places.
  auto gates_now() const {
    return std::tuple(state_.batch, state_.promoted, state_.status, state_.cohort.cardinality(), state_.content_pending,
                      state_.approved);
  }
  // True: somebody was granted.
  bool serve() {
    if (gates_now() != gates_then_) {
      asking_.insert(beside_.begin(), beside_.end());
      beside_.clear();
      gates_then_ = gates_now();
    }
    for (auto at = asking_.begin(); at != asking_.end();) {
      const auto free = room(state_, {}, now_);
      if (!free.for_first_attempts && !free.for_retries) return false;
      const auto [order, ordinal] = *at;
      const bool is_retry = state_.retries.contains(ordinal);
      if (is_retry ? !free.for_retries : !free.for_first_attempts) {
        ++at;
        continue;
      }
      at = asking_.erase(at);
      if (grant_to(ordinal, order)) return true;
    }
    return false;
  }
  bool grant_to(std::uint32_t ordinal, std::uint64_t order) {
    const auto known = devices_.find(ordinal);
    GrantAsk ask;
    ask.ordinal = {ordinal};
    ask.facts.model = state_.facts.device_model;
    ask.consented = true;
    ask.attempts = known == devices_.end() ? 0 : known->second.update.attempt;
    ask.batch = known == devices_.end() ? 0 : known->second.update.batch;
    const auto recorded = record_.devices.find(ordinal);
    if (recorded != record_.devices.end() && !recorded->second.attempts.empty()) {
      ask.facts.firmware_version = recorded->second.attempts.front().from_version;
    }
    ask.planned_from = ask.attempts > 0 ? ask.facts.firmware_version : "";
    ask.owner_wants_beta = true;            // who was granted then had it
    auto decision = grant(state_, {}, ask, {now_, {}, settings_});
    if (auto* granted = std::get_if<AttemptGranted>(&decision)) {
      auto& device = devices_[ordinal];
      ++device.attempts;
      fold_update(ordinal, std::move(*granted));
      plan_end(ordinal);
      return true;
    }
    if (auto* skipped = std::get_if<UpdateSkipped>(&decision)) {
      fold(now_, UpdateId::in_campaign(record_.id, {ordinal}), std::move(*skipped), {});
      return true;
    }
    const auto* wait = std::get_if<Wait>(&decision);
    if (wait && wait->until && *wait->until > now_) {
      queue_.insert({*wait->until, order, What::kAsk, ordinal});
    } else {
      beside_.insert({order, ordinal});
    }
    return false;
  }

  // ---- folding ----
  void fold(Time at, const Stream& stream, Event event, Caller caller) {
    now_ = std::max(now_, at);
    last_ = now_;
    Recorded recorded{{++position_}, now_, stream, std::move(event), std::nullopt, caller};
    const bool was_stopped = outcome_.stopped_at.has_value();
    evolve(state_, recorded);
    if (const auto* update = std::get_if<UpdateId>(&stream)) {
      if (const auto device = devices_.find(update->ordinal.value); device != devices_.end()) {
        evolve(device->second.update, recorded);
      }
    }
    const auto* paused = std::get_if<CampaignPaused>(&recorded.event);
    const bool stops = std::holds_alternative<CampaignRollbackBegun>(recorded.event) || (paused && paused->verdict);
    if (!stops || was_stopped) return;
    outcome_.stopped_at = now_;
    outcome_.reason = state_.status_reason;
    outcome_.when_stopped = state_.counts();
    outcome_.granted_when_stopped = static_cast<std::uint32_t>(devices_.size());
  }
  void fold_update(std::uint32_t ordinal, Event event) {
    fold(now_, UpdateId::in_campaign(record_.id, {ordinal}), std::move(event), {});
  }
  void fold_all(const Events& events, Caller caller) {
    for (const auto& emitted : events) fold(now_, emitted.stream, emitted.event, caller);
  }

  const CampaignRecord& record_;
  const Settings& settings_;
  const bool unknown_succeed_;
  const Duration usual_;
  Campaign state_;
  std::map<std::uint32_t, Device> devices_;  // that were granted here
  std::set<Happening> queue_;
  std::set<std::pair<std::uint64_t, std::uint32_t>> asking_;  // by when they asked first
  std::set<std::pair<std::uint64_t, std::uint32_t>> beside_;  // a gate stands before them
  std::tuple<std::uint32_t, bool, CampaignStatus, std::uint64_t, bool, bool> gates_then_{};
  std::optional<Time> wake_;
  bool was_scheduled_ = false;
  Time now_{};
  Time last_{};
  std::uint64_t position_ = 0;
  std::uint64_t made_ = 0;
  WhatIfOutcome outcome_;
};

}  // namespace

// ---- the record -------------------------------------------------------------------------------------------------

CampaignRecorder::CampaignRecorder(CampaignId id) { record_.id = id; }

void CampaignRecorder::add(const Recorded& event) {
  const auto* campaign = std::get_if<CampaignId>(&event.stream);
  const auto* update = std::get_if<UpdateId>(&event.stream);
  if (campaign) {
    if (*campaign == record_.id) add_own(event);
  } else if (update) {
    if (update->campaign() == record_.id && update->kind == UpdateId::kDeployment) add_update(*update, event);
  } else if (!std::holds_alternative<UnknownEvent>(event.event)) {   // of its firmware, or of the fleet
    record_.steps.push_back({event.time, event.position.value, event.stream, event.event, event.caller});
  }
}

void CampaignRecorder::add_own(const Recorded& event) {
  if (std::holds_alternative<CampaignTargetPart>(event.event)) {
    record_.parts.push_back(event);
  } else if (std::holds_alternative<CampaignCreated>(event.event)) {
    record_.created = event;
    record_.steps.clear();                  // of its firmware, before: that is in the creation
  } else {
    record_.steps.push_back({event.time, event.position.value, event.stream, event.event, event.caller});
  }
}

void CampaignRecorder::add_update(const UpdateId& id, const Recorded& event) {
  auto& device = record_.devices[id.ordinal.value];
  if (const auto* granted = std::get_if<AttemptGranted>(&event.event)) {
    RecordedAttempt attempt;
    attempt.granted = event.time;
    attempt.order = event.position.value;
    if (granted->plan) attempt.from_version = granted->plan->from_version;
    device.attempts.push_back(std::move(attempt));
    return;
  }
  const auto* refuted = std::get_if<UpdateRefuted>(&event.event);
  if (device.attempts.empty()) return;
  auto& attempt = device.attempts.back();
  if (refuted && attempt.took) {
    device.refuted = *refuted;
    device.refuted_after = event.time - (attempt.granted + *attempt.took);
    return;
  }
  const auto* cancelled = std::get_if<UpdateCancelled>(&event.event);
  const bool ends = std::holds_alternative<AttemptEnded>(event.event) || std::holds_alternative<GrantLapsed>(event.event) ||
                    (cancelled && !is_stopped_from_outside(*cancelled));
  if (!ends || attempt.took) return;
  attempt.took = event.time - attempt.granted;
  attempt.end_order = event.position.value;
  attempt.end = event.event;
}

// ---- the question -----------------------------------------------------------------------------------------------

std::optional<std::string> why_no_what_if(const CampaignRecord& record, const CampaignPolicy& policy) {
  const auto& then = std::get<CampaignCreated>(record.created.event).policy;
  if (then.strategy == Strategy::kBlueGreen || policy.strategy == Strategy::kBlueGreen) {
    return "strategy: a rollout in two phases (blue_green) is not replayed: what its devices did while they held says nothing of another one";
  }
  const auto lasting = [](const CampaignPolicy& p) {
    return std::tuple(p.timeout_minutes, p.scheduled_start, p.scheduled_end, p.maintenance_window, p.download_only,
                      p.requires_device_confirmation, p.require_version_proof, p.requires_approval);
  };
  if (lasting(then) != lasting(policy)) {
    return "timeout, schedule, window, confirmation, version proof and approval stay as they were: what devices did, and when, follows from them";
  }
  return std::nullopt;
}

WhatIf what_if(const CampaignRecord& record, const CampaignPolicy& policy, const Settings& settings) {
  return {Replay(record, policy, settings, true).run(), Replay(record, policy, settings, false).run()};
}

}  // namespace ota::domain
