#include "domain/campaign/grant.hpp"

#include "domain/campaign/gates.hpp"
#include "domain/device/gates.hpp"
#include "domain/rollout.hpp"
#include "domain/window.hpp"

namespace ota::domain {
namespace {

using campaign::Finding;
using campaign::Otherwise;
using campaign::Question;

UpdatePlan plan_of(const Campaign& s, const GrantAsk& ask) {
  UpdatePlan p;
  p.firmware = s.firmware;
  p.from_version = ask.facts.firmware_version;
  p.to_version = s.facts.version;
  p.priority = s.policy.priority;
  p.max_retries = s.policy.max_retries;
  p.timeout_minutes = s.policy.timeout_minutes;
  p.download_size = s.facts.file_size;
  p.firmware_number = s.facts.number;
  p.force_update = s.policy.force_update;
  p.pre_update_commands = s.policy.pre_update_commands;
  p.post_update_commands = s.policy.post_update_commands;
  p.maintenance_window = s.policy.maintenance_window;
  p.download_only = s.policy.download_only;
  p.requires_consent = s.policy.requires_device_confirmation;
  p.require_version_proof = s.policy.require_version_proof;
  p.rollback_on_timeout = s.has_trigger(RollbackTrigger::kTimeout);
  if (s.has_trigger(RollbackTrigger::kHealthCheck)) {
    p.health_window_minutes =
        s.policy.health_window_minutes > 0 ? s.policy.health_window_minutes : s.policy.timeout_minutes;
  }
  return p;
}

UpdatePlan rollback_plan_of(const Campaign& s, const GrantAsk& ask) {
  UpdatePlan p;
  p.firmware = ask.back.firmware;
  p.from_version = s.facts.version;
  p.to_version = ask.back.version;
  p.priority = Priority::kCritical;  // BR-OTA-033
  p.max_retries = s.policy.max_retries;
  p.timeout_minutes = s.policy.timeout_minutes;
  p.download_size = ask.back.facts.file_size;
  p.firmware_number = ask.back.facts.number;
  p.force_update = true;
  p.rollback = RollbackOf{s.rollback.trigger, s.rollback.reason, UpdateId::in_campaign(s.id, ask.ordinal),
                          s.facts.version};
  return p;
}

Time start_by(const Campaign& s, const GrantAsk& ask, const Context& context) {
  return context.now + start_patience(std::chrono::minutes(s.policy.timeout_minutes), ask.poll_sleep);
}

GrantDecision closed(const Campaign& s, const GrantAsk& ask, Finding f) {
  switch (f.otherwise) {
    case Otherwise::kSkipAlreadyThere: return UpdateSkipped{SkipReason::kAlreadyThere, std::move(f.fact)};
    case Otherwise::kSkipIncompatible: return UpdateSkipped{SkipReason::kIncompatible, std::move(f.fact)};
    case Otherwise::kSuperseded: return NoWayBack{rollback_plan_of(s, ask), ask.attempts, true, {}, std::move(f.fact)};
    case Otherwise::kNoWayBack:
      return NoWayBack{rollback_plan_of(s, ask), ask.attempts, false, std::move(f.error_code), std::move(f.fact)};
    case Otherwise::kAskConsent: return ConsentAsked{ask.attempts + 1, ask.action, plan_of(s, ask)};
    case Otherwise::kWait: break;
  }
  return Wait{f.gate, std::move(f.fact), f.until};
}

AttemptGranted rollback_grant(const Campaign& s, const GrantAsk& ask, const Context& context) {
  AttemptGranted granted;
  granted.attempt = ask.attempts + 1;
  granted.action = ask.action;
  granted.retry = ask.attempts > 0;
  granted.start_by = start_by(s, ask, context);
  if (ask.attempts == 0) granted.plan = rollback_plan_of(s, ask);
  return granted;
}

AttemptGranted deployment_grant(const Campaign& s, const GrantAsk& ask, const Context& context) {
  const bool retry = s.retries.contains(ask.ordinal.value);
  AttemptGranted granted;
  granted.attempt = ask.attempts + 1;
  granted.action = ask.action;
  granted.retry = retry;
  granted.batch = retry ? ask.batch : has_batches(s.policy.strategy) ? s.batch : 0;
  granted.start_by = start_by(s, ask, context);
  granted.hold = s.policy.strategy == Strategy::kBlueGreen && !s.switched && ask.facts.can_hold;
  // One that was cancelled before its first grant and asked for again has no plan yet; one that runs something else by now
  // would go back to a version that is not the one before.
  if (!retry || ask.attempts == 0 || ask.planned_from != ask.facts.firmware_version) granted.plan = plan_of(s, ask);
  granted.warnings = unknowns(ask.facts, s.facts);
  return granted;
}

}  // namespace

GrantDecision grant(const Campaign& s, const Reservations& reserved, const GrantAsk& ask, const Context& context) {
  const Question question{s, reserved, ask, context, false};
  if (auto finding = campaign::first_closed(question)) {
    // Skipping is deciding too: a campaign that does not run, or a device that is busy, leaves it for later.
    const bool skips = finding->otherwise == Otherwise::kSkipAlreadyThere || finding->otherwise == Otherwise::kSkipIncompatible;
    if (skips) {
      if (auto idle = campaign::not_acting(question)) finding = std::move(idle);
    }
    return closed(s, ask, std::move(*finding));
  }
  return ask.rollback > 0 ? rollback_grant(s, ask, context) : deployment_grant(s, ask, context);
}

Events events_of(const NoWayBack& none, const UpdateId& update, const DeviceId& device) {
  Events events;
  if (none.attempts == 0) events.push_back({update, UpdateRequested{none.plan}, device});
  if (none.superseded) {
    events.push_back({update, UpdateCancelled{CancelCause::kSuperseded, 0, 0, false}, device});
  } else {
    AttemptEnded failed;
    failed.attempt = none.attempts;
    failed.error_code = none.error_code;
    failed.error_message = none.fact;
    events.push_back({update, std::move(failed), device});
  }
  return events;
}

std::vector<GateState> gates(const Campaign& s, const Reservations& reserved, const GrantAsk& ask,
                             const Context& context) {
  std::vector<GateState> states;
  for (auto& f : campaign::all(Question{s, reserved, ask, context, true})) {
    states.push_back({f.gate, f.open, std::move(f.fact), f.until});
  }
  return states;
}

Room room(const Campaign& s, const Reservations& reserved, Time now) {
  if (!s.exists) return {};
  const bool place = campaign::has_place(s, reserved);
  if (s.status == CampaignStatus::kRollback) {
    const bool in_time = place && s.rollback.give_up_at > now;
    return {in_time, in_time, false, false};
  }
  if (s.status != CampaignStatus::kInProgress) return {};
  if (s.finished || s.firmware_recalled) return {};
  const auto& window = s.policy.maintenance_window;
  if (window && window->timezone != kDeviceZone && !is_open(*window, {}, now)) return {};
  return {place && campaign::batch_open(s, reserved), place, s.policy.requires_device_confirmation, s.content_pending};
}

}  // namespace ota::domain
