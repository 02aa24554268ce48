// Which scenarios an other policy asks for, and what they have in common.
#include "domain/campaign/what_if.hpp"

#include <algorithm>
#include <tuple>

#include "domain/campaign/replay.hpp"
#include "domain/rollout.hpp"
#include "domain/window.hpp"

namespace ota::domain {
namespace {

using campaign::Coming;

const CampaignPolicy& policy_of(const CampaignRecord& record) { return std::get<CampaignCreated>(record.created.event).policy; }

// A scheduled one is a staged one with a time to start at.
Strategy kind_of(const CampaignPolicy& p) { return p.strategy == Strategy::kScheduled ? Strategy::kStaged : p.strategy; }

bool listens_for(const CampaignPolicy& p, RollbackTrigger trigger) {
  return p.auto_rollback && std::find(p.rollback_triggers.begin(), p.rollback_triggers.end(), trigger) != p.rollback_triggers.end();
}

// When each is granted, beside when it comes.
auto pace_of(const CampaignPolicy& p) {
  const bool canary = p.strategy == Strategy::kCanary;
  const bool batches = has_batches(p.strategy);
  return std::tuple(kind_of(p), p.rollout_percentage, p.max_concurrent_updates, batches ? p.batch_size : 0,
                    batches ? p.batch_settle_percent : 0, p.max_retries, canary ? p.failure_threshold_percent : 0,
                    canary ? p.canary_p0_basis_points : 0, canary ? p.canary_p1_basis_points : 0);
}

// The first field that is another one, of those that stay as they were; empty: none.
std::string lasting_change(const CampaignPolicy& then, const CampaignPolicy& p) {
  if (p.timeout_minutes != then.timeout_minutes) return "timeout_minutes";
  if (p.scheduled_start != then.scheduled_start) return "scheduled_start";
  if (p.scheduled_end != then.scheduled_end) return "scheduled_end";
  if (p.maintenance_window != then.maintenance_window) return "maintenance_window";
  if (p.download_only != then.download_only) return "download_only";
  if (p.requires_device_confirmation != then.requires_device_confirmation) return "requires_device_confirmation";
  if (p.require_version_proof != then.require_version_proof) return "require_version_proof";
  if (p.requires_approval != then.requires_approval) return "requires_approval";
  if (p.force_update != then.force_update) return "force_update";
  if (p.allow_beta != then.allow_beta) return "allow_beta";
  return p.health_window_minutes != then.health_window_minutes ? "health_window_minutes" : "";
}

// Of those that may be others.
std::string first_change(const CampaignPolicy& then, const CampaignPolicy& p) {
  if (kind_of(p) != kind_of(then)) return "deployment_strategy";
  if (p.rollout_percentage != then.rollout_percentage) return "rollout_percentage";
  if (p.max_concurrent_updates != then.max_concurrent_updates) return "max_concurrent_updates";
  if (p.batch_size != then.batch_size) return "batch_size";
  if (p.batch_settle_percent != then.batch_settle_percent) return "batch_settle_percent";
  if (p.max_retries != then.max_retries) return "max_retries";
  if (p.failure_threshold_percent != then.failure_threshold_percent) return "failure_threshold_percent";
  if (p.canary_p0_basis_points != then.canary_p0_basis_points) return "canary_p0_percent";
  if (p.canary_p1_basis_points != then.canary_p1_basis_points) return "canary_p1_percent";
  if (p.auto_rollback != then.auto_rollback) return "auto_rollback";
  if (p.rollback_triggers != then.rollback_triggers) return "rollback_triggers";
  if (p.min_finished_for_verdict != then.min_finished_for_verdict) return "min_finished_for_verdict";
  return p.error_threshold_count != then.error_threshold_count ? "error_threshold_count" : "policy";
}

void widen(Between<std::uint32_t>& range, const Between<std::uint32_t>& by) {
  range = {std::min(range.min, by.min), std::max(range.max, by.max)};
}

// May it grant somebody earlier? With fewer places, or batches that settle later, nobody; with smaller batches some, since they are
// full sooner.
bool is_faster(const CampaignPolicy& then, const CampaignPolicy& policy) {
  if (policy.max_concurrent_updates > then.max_concurrent_updates || policy.max_retries < then.max_retries) return true;
  if (has_batches(policy.strategy) && policy.batch_settle_percent < then.batch_settle_percent) return true;
  auto same_but_slower = policy;
  same_but_slower.max_concurrent_updates = then.max_concurrent_updates;
  same_but_slower.max_retries = then.max_retries;
  same_but_slower.batch_settle_percent = then.batch_settle_percent;
  return pace_of(same_but_slower) != pace_of(then);
}

WhatIfBounds bounds_of(const WhatIfOutcome& o) {
  WhatIfBounds b;
  b.granted = {o.granted, o.granted};
  b.completed = {o.at_end.completed, o.at_end.completed};
  b.failed = {o.at_end.failed, o.at_end.failed};
  b.cancelled = {o.at_end.cancelled, o.at_end.cancelled};
  b.stopped = o.stopped_at ? Stopped::kAlways : Stopped::kNever;
  if (!o.stopped_at) return b;
  b.stopped_at = {*o.stopped_at, *o.stopped_at};
  b.granted_when_stopped = {o.granted_when_stopped, o.granted_when_stopped};
  return b;
}

void widen(WhatIfBounds& b, const WhatIfBounds& by) {
  widen(b.granted, by.granted);
  widen(b.completed, by.completed);
  widen(b.failed, by.failed);
  widen(b.cancelled, by.cancelled);
  if (b.stopped != by.stopped) b.stopped = Stopped::kPerhaps;
  if (!by.stopped_at) return;
  if (!b.stopped_at) {
    b.stopped_at = by.stopped_at;
    b.granted_when_stopped = by.granted_when_stopped;
    return;
  }
  b.stopped_at->min = std::min(b.stopped_at->min, by.stopped_at->min);
  b.stopped_at->max = b.stopped_at->max && by.stopped_at->max ? std::max(b.stopped_at->max, by.stopped_at->max) : std::nullopt;
  widen(*b.granted_when_stopped, *by.granted_when_stopped);
}

}  // namespace

bool agree(const WhatIfOutcome& a, const WhatIfOutcome& b) {
  const auto counts = [](const Counts& c) { return std::tuple(c.total, c.in_progress, c.completed, c.failed, c.cancelled); };
  const auto told = [&](const WhatIfOutcome& o) {
    return std::tuple(o.status, o.reason, o.stopped_at, counts(o.when_stopped), o.granted_when_stopped, counts(o.at_end), o.granted,
                      o.ended_at);
  };
  return told(a) == told(b);
}

bool WhatIf::is_exact() const {
  return open.empty() && std::all_of(scenarios.begin(), scenarios.end(), [&](const WhatIfScenario& s) {
    return !s.outcome.cut_short && agree(s.outcome, scenarios.front().outcome);
  });
}

WhatIfBounds WhatIf::bounds() const {
  auto b = bounds_of(scenarios.front().outcome);
  for (const auto& scenario : scenarios) widen(b, bounds_of(scenario.outcome));
  for (const auto& any_mixture : open) widen(b, any_mixture);
  return b;
}

bool admits_earlier(const CampaignRecord& record, const CampaignPolicy& policy) {
  // A pause by a verdict held devices back.
  const auto paused = [](const RecordedStep& step) {
    const auto* e = std::get_if<CampaignPaused>(&step.event);
    return e && e->verdict;
  };
  return is_faster(policy_of(record), policy) || std::any_of(record.steps.begin(), record.steps.end(), paused);
}

std::optional<NoWhatIf> why_no_what_if(const CampaignRecord& record, const CampaignPolicy& policy) {
  const auto& then = policy_of(record);
  if (policy == then) return std::nullopt;
  if (then.strategy == Strategy::kBlueGreen || policy.strategy == Strategy::kBlueGreen) {
    return NoWhatIf{first_change(then, policy),
                    "a rollout in two phases (blue_green) is replayed under its own policy only: what its devices did while they "
                    "held says nothing of another one"};
  }
  if (const auto field = lasting_change(then, policy); !field.empty()) {
    return NoWhatIf{field,
                    "timeout, schedule, window, confirmation, version proof and approval stay as they were: what devices did, and "
                    "when, follows from them"};
  }
  const auto listens_anew = [&](RollbackTrigger trigger) { return listens_for(policy, trigger) && !listens_for(then, trigger); };
  const std::string listening = policy.rollback_triggers == then.rollback_triggers ? "auto_rollback" : "rollback_triggers";
  if (listens_anew(RollbackTrigger::kHealthCheck)) {
    return NoWhatIf{listening, "health_check cannot be added: the campaign did not listen for its devices' health, so it is "
                               "not in the record"};
  }
  if (listens_anew(RollbackTrigger::kTimeout)) {
    return NoWhatIf{listening, "timeout cannot be added: how far an attempt had come when its time was over is not in the record"};
  }
  const bool own_zones = then.maintenance_window && then.maintenance_window->timezone == kDeviceZone;
  if (own_zones && pace_of(policy) != pace_of(then)) {
    return NoWhatIf{first_change(then, policy),
                    "the maintenance window is open by each device's own time zone, which is not in the record: when else a device "
                    "could have been granted is not known; only what stops the campaign can be another one"};
  }
  return std::nullopt;
}

WhatIf what_if(const CampaignRecord& record, const CampaignPolicy& policy, const Settings& settings) {
  WhatIf answer;
  if (policy == policy_of(record)) {
    answer.scenarios.push_back({UnknownOutcomes::kSucceed, DevicesCome::kAsRecorded, campaign::recount(record)});
    return answer;
  }
  const auto followed = campaign::follow(record, policy, settings);
  const bool earlier = admits_earlier(record, policy);
  if (!followed.parting) {                  // what held devices back then holds them back here
    answer.scenarios.push_back({UnknownOutcomes::kSucceed, DevicesCome::kAsRecorded, followed.outcome});
    if (!is_faster(policy_of(record), policy)) return answer;
    answer.scenarios.push_back({UnknownOutcomes::kFail, DevicesCome::kAsRecorded, followed.outcome});
  }
  const auto play = [&](DevicesCome come, Coming coming) {
    auto options = campaign::options_of(followed, coming);
    const auto replay_of = [&](UnknownOutcomes unknown) {
      options.unknown = unknown;
      return campaign::Replay(record, policy, settings, options);
    };
    auto at_once = replay_of(UnknownOutcomes::kSucceed);
    answer.scenarios.push_back({UnknownOutcomes::kSucceed, come, at_once.run()});
    if (const auto open = at_once.any_mixture()) {
      auto failing = replay_of(UnknownOutcomes::kFail);
      answer.scenarios.push_back({UnknownOutcomes::kFail, come, failing.run()});
      answer.open.push_back(*open);
    } else {
      // Where nothing is unknown, both are the same.
      answer.scenarios.push_back({UnknownOutcomes::kFail, come, answer.scenarios.back().outcome});
    }
    if (!at_once.has_decided() || at_once.is_open_before()) return;
    options.deciding = campaign::Deciding::kLate;
    auto late = replay_of(UnknownOutcomes::kSucceed);
    late.run();
    answer.open.push_back(campaign::Replay::of_both(at_once, late));
    if (const auto open = late.any_mixture()) answer.open.push_back(*open);
  };
  if (followed.parting) play(DevicesCome::kAsRecorded, Coming::kAsRecorded);
  play(DevicesCome::kAtOnce, earlier ? Coming::kAtOnce : Coming::kLeftLater);
  return answer;
}

}  // namespace ota::domain
