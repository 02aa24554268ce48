// A canary campaign for the tests: its creation, and how its devices fared.
#pragma once

#include <string_view>
#include <vector>

#include "domain/campaign/grant.hpp"
#include "domain/evidence.hpp"
#include "tests/domain/given.hpp"

namespace ota::domain::testing {

// Places for everybody, batches of five behind the canary. At a threshold of 20 % a rate of 4 % is
// accepted: 17 clean devices promote, 2 failures of 2 abort, 46 devices are tried.
inline CampaignPolicy canary_policy() {
  CampaignPolicy p;
  p.strategy = Strategy::kCanary;
  p.batch_size = 5;
  p.max_concurrent_updates = 10'000;
  return p;
}

// Of the devices 0, 1, ...: up to 184 of them may be canaries.
inline CampaignCreated created_canary(std::uint32_t devices,
                                      const CampaignPolicy& policy = canary_policy()) {
  Bitmap targets;
  targets.addRange(0, devices);
  auto record = created(targets, policy);
  record.canary = evidence_table(policy.failure_threshold_percent, policy.canary_p0_basis_points,
                                 policy.canary_p1_basis_points, devices);
  record.canary_cutoff = canary_cutoff(kCampaign, targets, *record.canary);
  return record;
}

// The devices from `first` on are granted, in this order, and fare so: '.' succeeds, 'x' fails for
// good, 'r' fails and waits for its retry, 't' does by a broken link, '?' runs.
inline std::vector<Fact> faring(std::string_view fates, std::uint32_t batch = 1,
                                std::uint32_t first = 0) {
  std::vector<Fact> facts;
  for (std::uint32_t i = 0; i < fates.size(); ++i)
    facts.push_back(of(first + i, first_grant(batch)));
  for (std::uint32_t i = 0; i < fates.size(); ++i) {
    auto end = succeeded();
    if (fates[i] == '?') continue;
    if (fates[i] == 'x') end = failed_for_good();
    if (fates[i] == 'r' || fates[i] == 't') end = failed_until(kNow + hours(1));
    if (fates[i] == 't') end.kind = FailureKind::kTransport;
    end.batch = batch;
    facts.push_back(of(first + i, end));
  }
  return facts;
}

inline std::vector<Fact> operator+(std::vector<Fact> facts, const std::vector<Fact>& more) {
  facts.insert(facts.end(), more.begin(), more.end());
  return facts;
}

inline std::string times(std::size_t n, char fate) { return std::string(n, fate); }

// A canary of a fleet of 100, all of which may be in it, that fared so.
inline std::vector<Fact> canary(std::string_view fates,
                                const CampaignPolicy& policy = canary_policy(),
                                std::uint32_t devices = 100) {
  return std::vector<Fact>{created_canary(devices, policy), CampaignStarted{}} + faring(fates);
}

inline CampaignPolicy without_rollback(CampaignPolicy policy) {
  policy.auto_rollback = false;
  return policy;
}

inline Verdict evidence(VerdictDecision decision, std::uint32_t failed, std::uint32_t counted,
                        std::uint32_t more = 0, VerdictRule rule = VerdictRule::kEvidence) {
  Verdict verdict{rule, decision, failed, counted, 20, false, 400, 2'000, more};
  if (rule == VerdictRule::kEvidence) {
    const auto table = evidence_table(20, 0, 0, 1'000);
    verdict.log_likelihood = log_likelihood(table, failed, counted);
    verdict.abort_at = table.abort_at;
    verdict.promote_at = table.promote_at;
  }
  return verdict;
}

inline Verdict threshold(VerdictDecision decision, std::uint32_t failed, std::uint32_t counted) {
  return {VerdictRule::kThreshold, decision, failed, counted, 20, false};
}

inline GrantAsk ask_of(std::uint32_t ordinal) {
  GrantAsk a;
  a.device = kDevice;
  a.ordinal = {ordinal};
  a.facts = {"SF-100", "2.0", "2.0.0", ""};
  a.action = kAction;
  a.poll_sleep = minutes(5);
  return a;
}

inline GrantDecision ask_for(const Given& scenario, const GrantAsk& ask,
                             const Reservations& reserved = {}) {
  return grant(scenario.campaign(), reserved, ask, scenario.context());
}

inline AttemptGranted is_granted(const GrantDecision& decision) {
  if (const auto* wait = std::get_if<Wait>(&decision)) {
    FAIL("waits at the gate " << to_text(wait->gate) << ": " << wait->fact);
  }
  REQUIRE(std::holds_alternative<AttemptGranted>(decision));
  return std::get<AttemptGranted>(decision);
}

inline Wait is_waiting(const GrantDecision& decision, Gate gate) {
  REQUIRE(std::holds_alternative<Wait>(decision));
  CHECK(to_text(std::get<Wait>(decision).gate) == to_text(gate));
  return std::get<Wait>(decision);
}

}  // namespace ota::domain::testing
