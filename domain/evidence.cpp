#include "domain/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

#include "domain/rollout.hpp"

namespace ota::domain {
namespace {

constexpr std::uint32_t kWhole = 10'000;           // basis points
constexpr std::uint32_t kRefusedMax = kWhole / 2;  // unless an operator sets more
constexpr std::uint32_t kAcceptedPart = 5;         // p0 = p1 / 5
constexpr double kErrorRate = 0.05;                // alpha = beta
constexpr std::uint32_t kFailuresInQuota = 3;
constexpr std::uint32_t kSlicePart = 10;    // of the fleet
constexpr std::uint32_t kCohortPart = 20;   // of the fleet: 5 %
constexpr std::uint32_t kCohortQuotas = 4;  // devices that may be asked for one that is needed
constexpr double kUnits =
    4'294'967'296.0;  // of a weight per 1: 2^32; 2^27 of the largest fit 63 bits

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// How many successes would bring a score down to the bound.
std::uint32_t successes_to_promote(const EvidenceTable& table, std::int64_t from) {
  return static_cast<std::uint32_t>(
      std::max<std::int64_t>(0, ceil_div(from - table.promote_at, table.success_weight)));
}

// Each bound holds because, whatever has been seen, the next device changes L (or 1/L) by an
// expected factor of at most 1 under p0 (or p1). Exact logarithms make both factors 1, so rounding
// would break one of them. Here the failure weight is a few units too small; of the success weights
// that keep both factors below 1 then, the middle one is taken. They are an interval of at least
// four units, so neither rounding nor the error of std::log matters.
void set_weights(EvidenceTable& table) {
  const double p0 = static_cast<double>(table.p0_basis_points) / kWhole;
  const double p1 = static_cast<double>(table.p1_basis_points) / kWhole;
  const double odds0 = p0 / (1 - p0);
  const double odds1 = p1 / (1 - p1);
  const double failure = std::log(p1 / p0) * kUnits;
  const double success = std::log((1 - p0) / (1 - p1)) * kUnits;
  table.failure_weight = std::llround(std::floor(failure - 4 / (odds1 - odds0)));
  const double missing = failure - static_cast<double>(table.failure_weight);
  table.success_weight = std::llround(success - missing * (odds0 + odds1) / 2);
  table.abort_at = std::llround(std::ceil(-std::log(kErrorRate) * kUnits));
  table.promote_at = -table.abort_at;
}

std::string percent(std::uint32_t basis_points) {
  if (basis_points % 100 == 0) return fmt::format("{} %", basis_points / 100);
  if (basis_points % 10 == 0)
    return fmt::format("{}.{} %", basis_points / 100, basis_points / 10 % 10);
  return fmt::format("{}.{:02} %", basis_points / 100, basis_points % 100);
}

EvidenceVerdict judge_slice(const EvidenceTable& table, const Evidence& e, bool exhausted) {
  EvidenceVerdict verdict{VerdictRule::kSlice, {}, e.failed(), e.count(), 0};
  if (e.failed() > 0) {
    verdict.decision = VerdictDecision::kAbort;
  } else if (e.known() >= table.slice) {
    verdict.decision = VerdictDecision::kPromote;
    verdict.counted = e.known();
  } else if (exhausted && e.known() == e.count()) {
    verdict.decision = VerdictDecision::kUndecided;
    verdict.more = table.slice - e.known();
  }
  return verdict;
}

}  // namespace

FailureRates failure_rates(std::uint32_t threshold_percent, std::uint32_t p0_basis_points,
                           std::uint32_t p1_basis_points) {
  FailureRates rates{p0_basis_points, p1_basis_points};
  if (rates.p1_basis_points == 0) {
    rates.p1_basis_points = std::min(threshold_percent * (kWhole / 100), kRefusedMax);
  }
  if (rates.p0_basis_points == 0) rates.p0_basis_points = rates.p1_basis_points / kAcceptedPart;
  return rates;
}

std::int64_t log_likelihood(const EvidenceTable& table, std::uint32_t failed, std::uint32_t count) {
  return table.failure_weight * failed - table.success_weight * (count - failed);
}

bool can_judge(std::uint32_t p0_basis_points, std::uint32_t p1_basis_points) {
  return p0_basis_points > 0 && p0_basis_points < p1_basis_points && p1_basis_points < kWhole;
}

EvidenceTable evidence_table(std::uint32_t threshold_percent, std::uint32_t p0_basis_points,
                             std::uint32_t p1_basis_points, std::uint32_t fleet_size) {
  const auto rates = failure_rates(threshold_percent, p0_basis_points, p1_basis_points);
  assert(can_judge(rates.p0_basis_points, rates.p1_basis_points));
  EvidenceTable table;
  table.p0_basis_points = rates.p0_basis_points;
  table.p1_basis_points = rates.p1_basis_points;
  set_weights(table);
  table.quota =
      kFailuresInQuota + successes_to_promote(table, kFailuresInQuota * table.failure_weight);
  if (table.quota > fleet_size / 2) {
    table.slice = std::max(1u, fleet_size / kSlicePart + (fleet_size % kSlicePart > 0 ? 1 : 0));
  }
  return table;
}

Evidence::Evidence(std::vector<Entry> sequence, std::uint32_t topped_up)
    : sequence_(std::move(sequence)), topped_up_(topped_up) {
  for (const auto& entry : sequence_) {
    if (entry.outcome != Outcome::kUnknown) ++known_;
    if (entry.outcome == Outcome::kFailed) ++failed_;
  }
  extend_prefix();
}

void Evidence::granted(Ordinal ordinal) {
  if (std::ranges::find(sequence_, ordinal, &Entry::ordinal) != sequence_.end()) return;
  sequence_.push_back({ordinal, Outcome::kUnknown});
}

void Evidence::ended(Ordinal ordinal, bool failed) {
  const auto entry = std::ranges::find(sequence_, ordinal, &Entry::ordinal);
  if (entry == sequence_.end() || entry->outcome != Outcome::kUnknown) return;
  entry->outcome = failed ? Outcome::kFailed : Outcome::kSucceeded;
  ++known_;
  if (failed) ++failed_;
  extend_prefix();
}

void Evidence::refuted(Ordinal ordinal) {
  const auto entry = std::ranges::find(sequence_, ordinal, &Entry::ordinal);
  if (entry == sequence_.end() || entry->outcome != Outcome::kSucceeded) return;
  entry->outcome = Outcome::kFailed;
  ++failed_;
  if (static_cast<std::uint32_t>(entry - sequence_.begin()) < prefix_) ++prefix_failed_;
}

void Evidence::left(Ordinal ordinal) {
  const auto entry = std::ranges::find(sequence_, ordinal, &Entry::ordinal);
  if (entry == sequence_.end() || entry->outcome != Outcome::kUnknown) return;
  sequence_.erase(entry);  // beyond the prefix, since it was unknown
  extend_prefix();
}

void Evidence::top_up(std::uint32_t devices) { topped_up_ += devices; }

void Evidence::extend_prefix() {
  for (; prefix_ < sequence_.size(); ++prefix_) {
    const auto outcome = sequence_[prefix_].outcome;
    if (outcome == Outcome::kUnknown) return;
    if (outcome == Outcome::kFailed) ++prefix_failed_;
  }
}

std::uint32_t canary_size(const EvidenceTable& table, std::uint32_t topped_up) {
  return table.slice > 0 ? table.slice : table.quota + topped_up;
}

std::uint64_t canary_cutoff(const CampaignId& campaign, const Bitmap& picked_targets,
                            const EvidenceTable& table, std::uint32_t topped_up) {
  const std::uint64_t n = picked_targets.cardinality();
  const std::uint64_t wanted = std::uint64_t{canary_size(table, 0)} + topped_up;
  const std::uint64_t count = std::max((n + kCohortPart - 1) / kCohortPart, kCohortQuotas * wanted);
  if (count >= n) return std::numeric_limits<std::uint64_t>::max();
  std::vector<std::uint64_t> ranks;
  ranks.reserve(n);
  for (const std::uint32_t ordinal : picked_targets)
    ranks.push_back(pick_rank(campaign, {ordinal}));
  const auto last = ranks.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::nth_element(ranks.begin(), last, ranks.end());
  return *last;
}

EvidenceVerdict judge(const EvidenceTable& table, const Evidence& e, bool exhausted) {
  assert(table.success_weight > 0);  // of a campaign that has a canary
  if (table.slice > 0) return judge_slice(table, e, exhausted);
  const std::int64_t all = log_likelihood(table, e.failed(), e.count());
  if (all >= table.abort_at) {
    return {VerdictRule::kEvidence, VerdictDecision::kAbort, e.failed(), e.count(), 0};
  }
  if (log_likelihood(table, e.prefix_failed(), e.prefix()) <= table.promote_at) {
    return {VerdictRule::kEvidence, VerdictDecision::kPromote, e.prefix_failed(), e.prefix(), 0};
  }
  const bool complete = exhausted || e.count() >= canary_size(table, e.topped_up());
  if (complete && e.known() == e.count()) {
    return {VerdictRule::kEvidence, VerdictDecision::kUndecided, e.failed(), e.count(),
            successes_to_promote(table, all)};
  }
  return {VerdictRule::kEvidence, {}, e.failed(), e.count(), 0};
}

std::string explain(const EvidenceTable& table, const EvidenceVerdict& v) {
  const bool slice = v.rule == VerdictRule::kSlice;
  auto seen = fmt::format("{} of {} canary devices failed", v.failed, v.counted);
  if (!v.decision) return seen + " so far: not decided yet";
  switch (*v.decision) {
    case VerdictDecision::kAbort:
      if (slice) return seen + ": in a fleet of this size every one must succeed";
      return fmt::format("{}: a failure rate of {} or less is ruled out at 95 %", seen,
                         percent(table.p0_basis_points));
    case VerdictDecision::kPromote:
      if (slice) return seen + ": every one succeeded, as it must in a fleet of this size";
      return fmt::format("{}: a failure rate of {} or more is ruled out at 95 %", seen,
                         percent(table.p1_basis_points));
    case VerdictDecision::kUndecided:
      return fmt::format("{}: canary undecided, {} more clean device{} would promote", seen, v.more,
                         v.more == 1 ? "" : "s");
    case VerdictDecision::kPass:
      break;  // the threshold rule's
  }
  return seen;
}

}  // namespace ota::domain
