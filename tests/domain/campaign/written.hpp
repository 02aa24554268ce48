// A campaign of 40 devices as the log has it, for the tests of what-if: device n is granted in minute n, starts half a minute
// later and takes five minutes; 3, 13, 23 and 33 fail. What a test wants otherwise it says.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "domain/campaign/what_if.hpp"
#include "domain/rollout.hpp"

namespace ota::domain::testing {

inline const Time kWhatIfBegin = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);
inline constexpr CampaignId kReplayed{{0x77}};
inline constexpr std::uint32_t kReplayedFleet = 40;

inline CampaignPolicy immediate_policy() {
  CampaignPolicy policy;
  policy.strategy = Strategy::kImmediate;
  policy.max_concurrent_updates = 100;
  policy.max_retries = 0;
  return policy;
}

inline CampaignRollbackBegun rolled_back_for_failures() {
  CampaignRollbackBegun begun;
  begun.trigger = RollbackTrigger::kFailureRate;
  return begun;
}

class Written {
 public:
  explicit Written(CampaignPolicy policy, std::uint32_t devices = kReplayedFleet) : recorder_(kReplayed) {
    CampaignCreated created;
    created.name = "replayed";
    created.facts.version = "2.0.0";
    created.facts.device_model = "SF-100";
    created.policy = std::move(policy);
    Bitmap targets;
    targets.addRange(0, devices);
    created.targets = to_bytes(targets);
    const auto pick = pick_percentage(kReplayed, targets, created.policy.rollout_percentage);
    created.picked = pick.count;
    created.pick_cutoff = pick.cutoff;
    if (created.policy.strategy == Strategy::kCanary) {
      const auto& p = created.policy;
      created.canary = evidence_table(p.failure_threshold_percent, p.canary_p0_basis_points, p.canary_p1_basis_points, pick.count);
      created.canary_cutoff = canary_cutoff(kReplayed, targets, *created.canary);
    }
    own(Duration{}, created);
    own(Duration{}, CampaignStarted{});
  }
  // Those from `first` to before `end`, each in its minute.
  Written& usual(std::uint32_t first, std::uint32_t end) {
    for (std::uint32_t n = first; n < end; ++n) attempt(n, std::chrono::minutes(n), std::chrono::minutes(5), n % 10 != 3);
    return *this;
  }
  Written& granted(std::uint32_t n, Duration at, std::uint32_t attempt = 1, std::uint32_t batch = 0) {
    AttemptGranted grant;
    grant.attempt = attempt;
    grant.batch = batch;
    grant.retry = attempt > 1 && batch > 0;
    return update(n, at, grant);
  }
  Written& started(std::uint32_t n, Duration at, std::uint32_t attempt = 1) {
    AttemptStarted start;
    start.attempt = attempt;
    return update(n, at, start);
  }
  Written& ended(std::uint32_t n, Duration at, bool success, std::uint32_t attempt = 1, std::uint32_t batch = 0) {
    AttemptEnded end;
    end.attempt = attempt;
    end.success = success;
    end.batch = batch;
    if (!success) end.error_code = "E3";
    return update(n, at, end);
  }
  Written& attempt(std::uint32_t n, Duration at, Duration takes, bool success, std::uint32_t number = 1, std::uint32_t batch = 0) {
    granted(n, at, number, batch).started(n, at + std::chrono::seconds(30), number);
    return ended(n, at + takes, success, number, batch);
  }
  Written& update(std::uint32_t n, Duration at, Event event) {
    return tell(at, UpdateId::in_campaign(kReplayed, {n}), std::move(event));
  }
  Written& own(Duration at, Event event) { return tell(at, kReplayed, std::move(event)); }
  Written& tell(Duration at, Stream stream, Event event) {
    pending_.push_back({kWhatIfBegin + at, std::move(stream), std::move(event)});
    return *this;
  }
  CampaignRecord record() {
    std::stable_sort(pending_.begin(), pending_.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    std::uint64_t position = 0;
    for (auto& p : pending_) recorder_.add({{++position}, p.at, p.stream, p.event, std::nullopt, {}});
    return recorder_.take();
  }
  CampaignRecord closed(Duration at, CampaignStatus as = CampaignStatus::kCompleted) {
    own(at, CampaignClosed{as, {}});
    return record();
  }

 private:
  struct Pending {
    Time at{};
    Stream stream;
    Event event;
  };
  CampaignRecorder recorder_;
  std::vector<Pending> pending_;
};

// One of its scenarios; it must have been played.
inline const WhatIfOutcome& scenario_of(const WhatIf& answer, UnknownOutcomes unknown, DevicesCome come) {
  const auto found = std::find_if(answer.scenarios.begin(), answer.scenarios.end(), [&](const WhatIfScenario& s) {
    return s.unknown_outcomes == unknown && s.devices_come == come;
  });
  if (found == answer.scenarios.end()) throw std::logic_error("no such scenario");
  return found->outcome;
}
inline const WhatIfOutcome& as_recorded(const WhatIf& answer, UnknownOutcomes unknown = UnknownOutcomes::kSucceed) {
  return scenario_of(answer, unknown, DevicesCome::kAsRecorded);
}
inline const WhatIfOutcome& at_once(const WhatIf& answer, UnknownOutcomes unknown = UnknownOutcomes::kSucceed) {
  return scenario_of(answer, unknown, DevicesCome::kAtOnce);
}

}  // namespace ota::domain::testing
