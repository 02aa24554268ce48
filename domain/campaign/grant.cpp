#include "domain/campaign/grant.hpp"

#include <fmt/format.h>

#include "domain/rollout.hpp"
#include "domain/version.hpp"
#include "domain/window.hpp"

namespace ota::domain {
namespace {

std::uint64_t places_taken(const Campaign& s, const Reservations& r) {
  return s.granted.cardinality() + r.ordinals.cardinality();
}
bool has_place(const Campaign& s, const Reservations& r) {
  return places_taken(s, r) < s.policy.max_concurrent_updates;
}
bool has_batches(const Campaign& s) { return s.policy.strategy != Strategy::kImmediate; }
bool batch_open(const Campaign& s, const Reservations& r) {
  if (s.in_canary()) return s.evidence.count() + r.in_batch < canary_size(*s.canary, s.evidence.topped_up());
  return !has_batches(s) || s.batch_granted + r.in_batch < s.policy.batch_size;
}

// Known and different; what is unknown goes on with a warning (decision 5).
std::optional<std::string> incompatible(const Campaign& s, const DeviceFacts& d) {
  const auto& f = s.facts;
  if (!d.model.empty() && d.model != f.device_model) {
    return fmt::format("the device is a {}, the firmware is for {}", d.model, f.device_model);
  }
  if (!d.hardware_version.empty() &&
      !in_hardware_range(d.hardware_version, f.min_hardware_version, f.max_hardware_version)) {
    return fmt::format("hardware {} is outside {}..{}", d.hardware_version,
                       f.min_hardware_version.empty() ? "any" : f.min_hardware_version,
                       f.max_hardware_version.empty() ? "any" : f.max_hardware_version);
  }
  return std::nullopt;
}

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
  return p;
}

}  // namespace

std::string_view to_text(Gate gate) {
  switch (gate) {
    case Gate::kKnown: return "known";
    case Gate::kTargeted: return "targeted";
    case Gate::kCompatible: return "compatible";
    case Gate::kNotThere: return "not_there_yet";
    case Gate::kBusy: return "not_busy";
    case Gate::kRunning: return "campaign_running";
    case Gate::kContent: return "content";
    case Gate::kWindow: return "window";
    case Gate::kConsent: return "consent";
    case Gate::kRetryTime: return "retry_time";
    case Gate::kBatch: return "batch";
    case Gate::kConcurrency: return "concurrency";
  }
  return "unknown";
}

GrantDecision grant(const Campaign& s, const Reservations& reserved, const GrantAsk& ask, const Context& context) {
  const std::uint32_t o = ask.ordinal.value;
  if (!s.is_remaining(o)) {
    return Wait{Gate::kTargeted, "the device is not, or no longer, waiting in this campaign", {}};
  }
  if (reserved.ordinals.contains(o)) return Wait{Gate::kBusy, "a grant for this device is being written", {}};
  if (s.status != CampaignStatus::kInProgress) {
    return Wait{Gate::kRunning, fmt::format("the campaign is {}", to_text(s.status)), {}};
  }
  if (s.finished) return Wait{Gate::kRunning, "the campaign is finishing", {}};
  if (s.firmware_recalled) return Wait{Gate::kContent, "the firmware is recalled", {}};
  if (const auto fact = incompatible(s, ask.facts)) return UpdateSkipped{SkipReason::kIncompatible, *fact};
  if (!s.policy.force_update && !ask.facts.firmware_version.empty() &&
      compare_versions(ask.facts.firmware_version, s.facts.version) >= 0) {
    return UpdateSkipped{SkipReason::kAlreadyThere,
                         fmt::format("the device runs {}, the campaign brings {}", ask.facts.firmware_version,
                                     s.facts.version)};
  }
  if (s.content_pending) return Wait{Gate::kContent, "the firmware's content is not here yet", {}};
  if (const auto& window = s.policy.maintenance_window; window && !is_open(*window, ask.facts.timezone, context.now)) {
    const auto opens = opens_at(*window, ask.facts.timezone, context.now);
    return Wait{Gate::kWindow,
                fmt::format("the maintenance window {} to {} ({}) is closed", minute_text(window->start_minute),
                            minute_text(window->end_minute), zone_of(*window, ask.facts.timezone)),
                opens};
  }
  const auto waiting = s.retries.find(o);
  const bool retry = waiting != s.retries.end();
  if (retry && waiting->second > context.now) {
    return Wait{Gate::kRetryTime, "the last attempt failed, the next one waits", waiting->second};
  }
  if (!retry && s.in_canary() && !s.cohort.contains(o)) {
    return Wait{Gate::kBatch, "the canary goes first, and the device is not in it", {}};
  }
  if (!retry && s.in_canary() && !batch_open(s, reserved)) {
    return Wait{Gate::kBatch, fmt::format("the canary is full: {} of {} granted", s.evidence.count() + reserved.in_batch,
                                          canary_size(*s.canary, s.evidence.topped_up())), {}};
  }
  if (!retry && !batch_open(s, reserved)) {
    return Wait{Gate::kBatch, fmt::format("batch {} is full: {} of {} granted", s.batch,
                                          s.batch_granted + reserved.in_batch, s.policy.batch_size), {}};
  }
  if (!has_place(s, reserved)) {
    return Wait{Gate::kConcurrency, fmt::format("{} of {} places are taken", places_taken(s, reserved),
                                                s.policy.max_concurrent_updates), {}};
  }
  AttemptGranted granted;
  granted.attempt = ask.attempts + 1;
  granted.action = ask.action;
  granted.retry = retry;
  granted.batch = retry ? ask.batch : has_batches(s) ? s.batch : 0;
  granted.start_by =
      context.now + start_patience(std::chrono::minutes(s.policy.timeout_minutes), ask.poll_sleep);
  // One that was cancelled before its first grant and asked for again has no plan yet.
  if (!retry || ask.attempts == 0) granted.plan = plan_of(s, ask);
  return granted;
}

Room room(const Campaign& s, const Reservations& reserved, Time now) {
  if (!s.exists || s.status != CampaignStatus::kInProgress || !has_place(s, reserved)) return {};
  if (s.finished || s.firmware_recalled || s.content_pending) return {};
  const auto& window = s.policy.maintenance_window;
  if (window && window->timezone != kDeviceZone && !is_open(*window, {}, now)) return {};
  return {batch_open(s, reserved), true};
}

}  // namespace ota::domain
