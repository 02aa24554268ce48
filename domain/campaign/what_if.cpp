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

// Some device that was granted might have been granted earlier. With fewer places, or batches that settle later, none; with
// smaller batches some, since they are full sooner.
bool admits_earlier(const CampaignRecord& record, const CampaignPolicy& policy) {
  const auto& then = policy_of(record);
  // A pause by a verdict held devices back.
  const auto paused = [](const RecordedStep& step) {
    const auto* e = std::get_if<CampaignPaused>(&step.event);
    return e && e->verdict;
  };
  if (std::any_of(record.steps.begin(), record.steps.end(), paused)) return true;
  if (policy.max_concurrent_updates > then.max_concurrent_updates || policy.max_retries < then.max_retries) return true;
  if (has_batches(policy.strategy) && policy.batch_settle_percent < then.batch_settle_percent) return true;
  auto same_but_slower = policy;
  same_but_slower.max_concurrent_updates = then.max_concurrent_updates;
  same_but_slower.max_retries = then.max_retries;
  same_but_slower.batch_settle_percent = then.batch_settle_percent;
  return pace_of(same_but_slower) != pace_of(then);
}

template <class Value>
void widen(Between<Value>& range, Value value, bool is_first) {
  if (is_first || value < range.min) range.min = value;
  if (is_first || range.max < value) range.max = value;
}

template <class Value>
void widen(std::optional<Between<Value>>& range, Value value) {
  const bool is_first = !range;
  if (is_first) range.emplace();
  widen(*range, value, is_first);
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
  return std::all_of(scenarios.begin(), scenarios.end(), [&](const WhatIfScenario& s) {
    return !s.outcome.cut_short && agree(s.outcome, scenarios.front().outcome);
  });
}

WhatIfBounds WhatIf::bounds() const {
  WhatIfBounds b;
  std::size_t stopped = 0;
  for (const auto& scenario : scenarios) {
    const auto& o = scenario.outcome;
    const bool is_first = &scenario == &scenarios.front();
    widen(b.granted, o.granted, is_first);
    widen(b.completed, o.at_end.completed, is_first);
    widen(b.failed, o.at_end.failed, is_first);
    widen(b.cancelled, o.at_end.cancelled, is_first);
    if (!o.stopped_at) continue;
    ++stopped;
    widen(b.stopped_at, *o.stopped_at);
    widen(b.granted_when_stopped, o.granted_when_stopped);
  }
  b.stopped = stopped == 0 ? Stopped::kNever : stopped == scenarios.size() ? Stopped::kAlways : Stopped::kInSome;
  return b;
}

std::optional<NoWhatIf> why_no_what_if(const CampaignRecord& record, const CampaignPolicy& policy) {
  const auto& then = policy_of(record);
  if (policy == then) return std::nullopt;
  if (then.strategy == Strategy::kBlueGreen || policy.strategy == Strategy::kBlueGreen) {
    return NoWhatIf{"deployment_strategy",
                    "a rollout in two phases (blue_green) is replayed under its own policy only: what its devices did while they "
                    "held says nothing of another one"};
  }
  const auto lasting = [](const CampaignPolicy& p) {
    return std::tuple(p.timeout_minutes, p.scheduled_start, p.scheduled_end, p.maintenance_window, p.download_only,
                      p.requires_device_confirmation, p.require_version_proof, p.requires_approval, p.force_update, p.allow_beta,
                      p.health_window_minutes);
  };
  if (lasting(then) != lasting(policy)) {
    return NoWhatIf{"policy",
                    "timeout, schedule, window, confirmation, version proof and approval stay as they were: what devices did, and "
                    "when, follows from them"};
  }
  const auto listens_anew = [&](RollbackTrigger trigger) { return listens_for(policy, trigger) && !listens_for(then, trigger); };
  if (listens_anew(RollbackTrigger::kHealthCheck)) {
    return NoWhatIf{"rollback_triggers", "health_check cannot be added: the campaign did not listen for its devices' health, so it is "
                                         "not in the record"};
  }
  if (listens_anew(RollbackTrigger::kTimeout)) {
    return NoWhatIf{"rollback_triggers", "timeout cannot be added: how far an attempt had come when its time was over is not in the "
                                         "record"};
  }
  const bool own_zones = then.maintenance_window && then.maintenance_window->timezone == kDeviceZone;
  if (own_zones && pace_of(policy) != pace_of(then)) {
    return NoWhatIf{"maintenance_window", "it is open by each device's own time zone, which is not in the record: when else a device "
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
  const auto play = [&](DevicesCome come, Coming coming) {
    const auto outcome = [&](UnknownOutcomes unknown) {
      return campaign::Replay(record, policy, settings, {unknown, coming}).run();
    };
    answer.scenarios.push_back({UnknownOutcomes::kSucceed, come, outcome(UnknownOutcomes::kSucceed)});
    const auto well = answer.scenarios.back().outcome;
    // Where nothing is unknown, both are the same.
    const auto badly = well.unknown > 0 || well.cut_short ? outcome(UnknownOutcomes::kFail) : well;
    answer.scenarios.push_back({UnknownOutcomes::kFail, come, badly});
  };
  play(DevicesCome::kAsRecorded, Coming::kAsRecorded);
  play(DevicesCome::kAtOnce, admits_earlier(record, policy) ? Coming::kAtOnce : Coming::kLeftLater);
  return answer;
}

}  // namespace ota::domain
