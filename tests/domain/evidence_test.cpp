// Design 4, Evidence: a canary promotes or aborts by its evidence, and errs in one of twenty at
// most.
#include "domain/evidence.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <random>
#include <tuple>
#include <vector>

#include "domain/rollout.hpp"
#include "tests/domain/samples.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

constexpr std::uint32_t kFleet = 100'000;
const EvidenceTable kTable = evidence_table(20, 0, 0, kFleet);  // 4 % and 20 %

// One letter a device, in the order of their grants: . succeeded, x failed, ? unknown.
Evidence canary(std::string_view fates, std::uint32_t topped_up = 0) {
  Evidence e;
  for (std::uint32_t i = 0; i < fates.size(); ++i) e.granted({i});
  for (std::uint32_t i = 0; i < fates.size(); ++i) {
    if (fates[i] != '?') e.ended({i}, fates[i] == 'x');
  }
  e.top_up(topped_up);
  return e;
}

std::string times(std::size_t n, char fate) { return std::string(n, fate); }

EvidenceVerdict judged(std::string_view fates) { return judge(kTable, canary(fates)); }

EvidenceVerdict verdict(std::optional<VerdictDecision> decision, std::uint32_t failed,
                        std::uint32_t counted, std::uint32_t more = 0) {
  return {VerdictRule::kEvidence, decision, failed, counted, more};
}
constexpr auto kAbort = VerdictDecision::kAbort;
constexpr auto kPromote = VerdictDecision::kPromote;
constexpr auto kUndecided = VerdictDecision::kUndecided;

long double exact_log_likelihood(const EvidenceTable& table, std::uint32_t failed,
                           std::uint32_t counted) {
  const long double p0 = table.p0_basis_points / 10'000.0L;
  const long double p1 = table.p1_basis_points / 10'000.0L;
  return failed * std::log(p1 / p0) + (counted - failed) * std::log((1 - p1) / (1 - p0));
}

}  // namespace

TEST_CASE("rates are what the operator set, else min(threshold, 50 %) and a fifth of it") {
  CHECK(failure_rates(20, 0, 0) == FailureRates{400, 2000});
  CHECK(failure_rates(80, 0, 0) == FailureRates{1000, 5000});
  CHECK(failure_rates(1, 0, 0) == FailureRates{20, 100});
  CHECK(failure_rates(20, 0, 500) == FailureRates{100, 500});
  CHECK(failure_rates(20, 150, 0) == FailureRates{150, 2000});
  CHECK(failure_rates(20, 100, 500) == FailureRates{100, 500});
}

TEST_CASE("two rates can be told apart if the accepted one is the lower, and both are rates") {
  CHECK(can_judge(1, 2));
  CHECK(can_judge(400, 2000));
  CHECK(can_judge(9998, 9999));
  CHECK_FALSE(can_judge(0, 2000));
  CHECK_FALSE(can_judge(2000, 2000));
  CHECK_FALSE(can_judge(2001, 2000));
  CHECK_FALSE(can_judge(1, 10'000));
}

TEST_CASE("the quota is the number of devices at which three failures still promote: 46 at 20 %") {
  CHECK(kTable.quota == 46);
  CHECK(judged(times(3, 'x') + times(43, '.')).decision == kPromote);
  CHECK(judged(times(3, 'x') + times(42, '.')).decision != kPromote);
  CHECK(evidence_table(50, 0, 0, kFleet).quota == 17);
  CHECK(evidence_table(5, 0, 0, kFleet).quota == 193);
  CHECK(evidence_table(1, 0, 0, kFleet).quota == 976);
  CHECK(evidence_table(20, 1, 2, kFleet).quota < 51'000);
  CHECK(evidence_table(20, 4999, 5000, kFleet).quota < 51'000);
}

TEST_CASE("a clean canary promotes at the 17th device, long before its quota") {
  CHECK(judged(times(16, '.')) == verdict({}, 0, 16));
  CHECK(judged(times(17, '.')) == verdict(kPromote, 0, 17));
  CHECK(judged(times(17, '.') + times(20, '?')) == verdict(kPromote, 0, 17));
}

TEST_CASE("promoting reads no further than the first unknown device") {
  CHECK(judged(times(16, '.') + times(1, '?') + times(29, '.')) == verdict({}, 0, 46));
  CHECK(judged(times(1, '?') + times(45, '.')) == verdict({}, 0, 46));
  CHECK(judged(times(17, '.') + times(1, '?') + times(3, 'x')) == verdict(kPromote, 0, 17));
}

TEST_CASE("aborting counts unknown devices as not failed") {
  CHECK(judged("xx") == verdict(kAbort, 2, 2));
  CHECK(judged("xx.") == verdict(kAbort, 2, 3));
  CHECK(judged("xx?") == verdict(kAbort, 2, 3));
  CHECK(judged("xx??").decision != kAbort);
  CHECK(judged(times(39, '?') + times(7, 'x')) == verdict(kAbort, 7, 46));
  CHECK(judged(times(40, '?') + times(6, 'x')).decision != kAbort);
  // Where both bounds are crossed, by different devices.
  CHECK(judged(times(17, '.') + times(1, '?') + times(5, 'x')) == verdict(kAbort, 5, 23));
}

TEST_CASE("a bound that is reached is crossed, by the numbers of the table alone") {
  CHECK(kTable.abort_at == 12'866'572'143);  // ln 20 in 1/2^32, rounded up
  CHECK(kTable.promote_at == -kTable.abort_at);
  const EvidenceTable table{.p0_basis_points = 400,
                            .p1_basis_points = 2000,
                            .failure_weight = 10,
                            .success_weight = 1,
                            .abort_at = 19,
                            .promote_at = -3,
                            .quota = 50,
                            .slice = 0};
  CHECK(judge(table, canary("xx.")).decision == kAbort);
  CHECK(judge(table, canary("xx..")).decision == std::nullopt);
  CHECK(judge(table, canary("...")).decision == kPromote);
  CHECK(judge(table, canary("..")).decision == std::nullopt);
}

TEST_CASE("a canary that is complete and known without a verdict is undecided, and says what for") {
  const auto fates = times(5, '.') + times(4, 'x') + times(37, '.');
  CHECK(judged(fates) == verdict(kUndecided, 4, 46, 10));
  CHECK(judged(fates.substr(0, 45)).decision == std::nullopt);
  CHECK(judged(fates.substr(0, 45) + times(1, '?')).decision == std::nullopt);

  const auto resumed = [&](const std::string& more) {
    return judge(kTable, canary(fates + more, 10)).decision;
  };
  CHECK(resumed("") == std::nullopt);
  CHECK(resumed(times(9, '.')) == std::nullopt);
  CHECK(resumed(times(10, '.')) == kPromote);
  CHECK(resumed(times(9, '.') + times(1, 'x')) == kUndecided);
}

TEST_CASE("a canary that no other device can join is undecided before its quota") {
  const auto e = canary(times(8, '.'));
  CHECK(judge(kTable, e).decision == std::nullopt);
  CHECK(judge(kTable, e, true) == verdict(kUndecided, 0, 8, 9));
  CHECK(judge(kTable, canary(times(8, '.') + times(1, '?')), true).decision == std::nullopt);
  CHECK(judge(kTable, Evidence{}, true) == verdict(kUndecided, 0, 0, 17));
}

TEST_CASE("a device that leaves makes room and unblocks what came after it") {
  auto e = canary(times(10, '.') + times(1, '?') + times(7, '.'));
  CHECK(e.prefix() == 10);
  CHECK_FALSE(judge(kTable, e).decision);
  e.left({10});
  CHECK(e.count() == 17);
  CHECK(judge(kTable, e) == verdict(kPromote, 0, 17));

  e.granted({10});
  CHECK(e.sequence().back() == Evidence::Entry{{10}, Outcome::kUnknown});
}

TEST_CASE("a device counts once, by its first attempt") {
  auto e = canary("x.?");
  const auto before = e;
  e.granted({0});
  e.ended({0}, false);
  e.left({0});         // cancelled while it waited for its retry: it has failed all the same
  e.ended({9}, true);  // never granted
  e.left({9});
  CHECK(e == before);
  CHECK(e.failed() == 1);
  CHECK(e.known() == 2);
}

TEST_CASE("evidence read back from its sequence is the same") {
  const auto e = canary("..x.?x.?", 12);
  CHECK(Evidence(e.sequence(), e.topped_up()) == e);
  CHECK(e.prefix() == 4);
  CHECK(e.prefix_failed() == 1);
  CHECK(e.failed() == 2);
}

TEST_CASE("a fleet too small for the quota tries a slice, and every one of it must succeed") {
  CHECK(evidence_table(20, 0, 0, 92).slice == 0);
  CHECK(evidence_table(20, 0, 0, 91).slice == 10);
  CHECK(evidence_table(20, 0, 0, 30).slice == 3);
  CHECK(evidence_table(20, 0, 0, 1).slice == 1);
  CHECK(evidence_table(20, 0, 0, 0).slice == 1);

  const auto table = evidence_table(20, 0, 0, 30);
  const auto slice = [&](std::string_view fates, bool exhausted = false) {
    return judge(table, canary(fates), exhausted);
  };
  CHECK(slice("...") == EvidenceVerdict{VerdictRule::kSlice, kPromote, 0, 3, 0});
  CHECK(slice("?x") == EvidenceVerdict{VerdictRule::kSlice, kAbort, 1, 2, 0});
  CHECK(slice("..?").decision == std::nullopt);
  CHECK(slice("..").decision == std::nullopt);
  CHECK(slice("..", true) == EvidenceVerdict{VerdictRule::kSlice, kUndecided, 0, 2, 1});
  CHECK(judge(table, canary("...", 5)).decision == kPromote);
}

TEST_CASE("the size is the quota and what was topped up, or the slice") {
  CHECK(canary_size(kTable, 0) == 46);
  CHECK(canary_size(kTable, 10) == 56);
  CHECK(canary_size(evidence_table(20, 0, 0, 30), 10) == 3);
}

TEST_CASE("canaries are among the lowest max(5 %, 4 quotas) ranks of the picked targets") {
  const auto cohort = [](std::uint32_t fleet, std::uint32_t topped_up = 0) {
    Bitmap targets;
    targets.addRange(1, std::uint64_t{fleet} + 1);
    const auto table = evidence_table(20, 0, 0, fleet);
    return picked(kCampaign, targets, canary_cutoff(kCampaign, targets, table, topped_up));
  };
  CHECK(cohort(100'000).cardinality() == 5'000);
  CHECK(cohort(99'999).cardinality() == 5'000);
  CHECK(cohort(1'000).cardinality() == 184);
  CHECK(cohort(1'000, 10).cardinality() == 224);
  CHECK(cohort(1'000).isSubset(cohort(1'000, 10)));
  CHECK(cohort(100).cardinality() == 100);
  CHECK(cohort(30).cardinality() == 12);  // a slice of 3
  CHECK(cohort(1).cardinality() == 1);
  CHECK(cohort(0).isEmpty());

  Bitmap targets;
  targets.addRange(1, 1'001);
  const auto few = cohort(1'000);
  const auto rest = targets - few;
  const auto rank = [](std::uint32_t o) { return pick_rank(kCampaign, {o}); };
  std::uint64_t highest = 0;
  for (const auto o : few) highest = std::max(highest, rank(o));
  for (const auto o : rest) REQUIRE(rank(o) > highest);
}

TEST_CASE("a verdict is explained in a sentence") {
  const auto said = [](std::string_view fates) { return explain(kTable, judged(fates)); };
  CHECK(said(times(3, 'x') + times(43, '.')) ==
        "3 of 46 canary devices failed: a failure rate of 20 % or more is ruled out at 95 %");
  CHECK(said("xx.") ==
        "2 of 3 canary devices failed: a failure rate of 4 % or less is ruled out at 95 %");
  CHECK(said(times(5, '.') + times(4, 'x') + times(37, '.')) ==
        "4 of 46 canary devices failed: canary undecided, 10 more clean devices would promote");
  CHECK(said("..?") == "0 of 3 canary devices failed so far: not decided yet");

  const auto small = evidence_table(20, 0, 0, 20);
  CHECK(explain(small, judge(small, canary(".."))) ==
        "0 of 2 canary devices failed: every one succeeded, as it must in a fleet of this size");
  CHECK(explain(small, judge(small, canary(".x"))) ==
        "1 of 2 canary devices failed: in a fleet of this size every one must succeed");
  CHECK(explain(small, judge(small, canary("."), true)) ==
        "0 of 1 canary devices failed: canary undecided, 1 more clean device would promote");

  const auto fine = evidence_table(20, 25, 1210, kFleet);
  CHECK(explain(fine, judge(fine, canary("xx"))).find("of 0.25 % or less") != std::string::npos);
  CHECK(explain(fine, judge(fine, canary(times(60, '.')))).find("of 12.1 % or more") !=
        std::string::npos);
}

TEST_CASE("rounding spends none of the error: no device is expected to raise L or 1/L") {
  const long double unit = 1 / 4'294'967'296.0L;
  for (std::uint32_t p0 = 1; p0 < 9'999; p0 += p0 < 100 ? 1 : 61) {
    for (std::uint32_t p1 = p0 + 1; p1 <= 9'999; p1 += p1 < p0 + 20 || p1 > 9'980 ? 1 : 97) {
      const auto table = evidence_table(20, p0, p1, kFleet);
      const long double failure = std::expm1(table.failure_weight * unit);
      const long double success = std::expm1(-table.success_weight * unit);
      const long double failure_inverse = std::expm1(-table.failure_weight * unit);
      const long double success_inverse = std::expm1(table.success_weight * unit);
      const long double accepted = p0 / 10'000.0L;
      const long double refused = p1 / 10'000.0L;
      REQUIRE(accepted * failure + (1 - accepted) * success <= 0);
      REQUIRE(refused * failure_inverse + (1 - refused) * success_inverse <= 0);
      REQUIRE(table.failure_weight > 0);
      REQUIRE(table.success_weight > 0);
    }
  }
}

TEST_CASE("comparing integers says what comparing likelihoods says, but for ties") {
  CHECK(rc::check([] {
    const auto p1 = *rc::gen::inRange<std::uint32_t>(2, 6'000);
    const auto p0 = *rc::gen::inRange<std::uint32_t>(1, p1);
    const auto table = evidence_table(20, p0, p1, 10 * kFleet);
    RC_ASSERT(table.slice == 0);  // large enough for every pair of rates
    const auto counted = *rc::gen::inRange<std::uint32_t>(1, 1'000);
    // Around the failures at which the two rates explain as much.
    const auto middle = counted * ((p0 + p1) / 2) / 10'000;
    const auto failed = std::min(
        counted, *rc::gen::inRange<std::uint32_t>(middle > 20 ? middle - 20 : 0, middle + 20));
    const auto l = exact_log_likelihood(table, failed, counted);
    const auto bound = std::log(20.0L);
    RC_PRE(std::abs(std::abs(l) - bound) > 2e-5L * counted);
    const auto found = judge(table, canary(times(failed, 'x') + times(counted - failed, '.')));
    RC_ASSERT((found.decision == kAbort) == (l >= bound));
    RC_ASSERT((found.decision == kPromote) == (l <= -bound));
    if (found.decision == kUndecided) {
      const auto after = [&](std::uint32_t more) {
        return judge(table, canary(times(failed, 'x') + times(counted - failed + more, '.')));
      };
      RC_ASSERT(after(found.more).decision == kPromote);
      RC_ASSERT(after(found.more - 1).decision != kPromote);
    }
  }));
}

TEST_CASE("counts kept from event to event are those of the sequence") {
  CHECK(rc::check([](const std::vector<std::uint8_t>& steps) {
    Evidence e;
    for (const auto step : steps) {
      const Ordinal ordinal{step % 16u};
      switch (step / 64) {
        case 0:
          e.granted(ordinal);
          break;
        case 1:
          e.left(ordinal);
          break;
        default:
          e.ended(ordinal, step / 64 == 2);
          break;
      }
      RC_ASSERT(Evidence(e.sequence(), e.topped_up()) == e);
      RC_ASSERT(e.prefix() <= e.known());
      RC_ASSERT(e.known() <= e.count());
    }
  }));
}

namespace {

// How long an attempt takes.
struct Delays {
  std::uint32_t success_max;
  std::uint32_t failure_min;
  std::uint32_t failure_max;
};
constexpr Delays kLateFailures{10, 10, 80};
constexpr Delays kEarlyFailures{80, 1, 5};

struct Tally {
  std::uint32_t promoted = 0;
  std::uint32_t aborted = 0;
  std::uint32_t gave_up = 0;
  // Had only the known devices been looked at, whatever their place.
  std::uint32_t promoted_too_soon = 0;
  std::uint32_t aborted_too_soon = 0;
};

// Runs canaries of an update that fails on so many devices, thirty at a time, one in thirty of
// which leaves; whenever one is undecided, it is topped up. The evidence is looked at after every
// event.
Tally simulate(const EvidenceTable& table, std::uint32_t failing_basis_points, const Delays& delays,
               std::uint64_t seed) {
  constexpr std::uint32_t kRuns = 10'000;
  constexpr std::uint32_t kDevicesMax = 5'000;
  struct Attempt {
    std::uint32_t ends = 0;
    std::uint32_t ordinal = 0;
    bool failed = false;
    bool operator>(const Attempt& other) const {
      return std::tie(ends, ordinal) > std::tie(other.ends, other.ordinal);
    }
  };
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  Tally tally;
  for (std::uint32_t run = 0; run < kRuns; ++run) {
    Evidence e;
    std::priority_queue<Attempt, std::vector<Attempt>, std::greater<>> running;
    std::uint32_t next = 0;
    std::uint32_t now = 0;
    bool low = false;
    bool high = false;
    std::optional<VerdictDecision> decision;
    while (decision != kAbort && decision != kPromote && next < kDevicesMax) {
      if (running.size() < 30 && e.count() < canary_size(table, e.topped_up())) {
        const bool failed = below(10'000) < failing_basis_points;
        const auto delay = failed
                               ? delays.failure_min + below(delays.failure_max - delays.failure_min)
                               : 1 + below(delays.success_max);
        running.push({now + delay, next, failed});
        e.granted({next++});
      } else {
        const auto attempt = running.top();
        running.pop();
        now = attempt.ends;
        if (below(30) == 0) {
          e.left({attempt.ordinal});
        } else {
          e.ended({attempt.ordinal}, attempt.failed);
        }
      }
      const auto verdict = judge(table, e);
      if (verdict.decision == kUndecided) e.top_up(verdict.more);
      decision = verdict.decision;
      const auto known_score =
          table.failure_weight * e.failed() - table.success_weight * (e.known() - e.failed());
      low = low || known_score <= table.promote_at;
      high = high || known_score >= table.abort_at;
    }
    if (decision == kPromote)
      ++tally.promoted;
    else if (decision == kAbort)
      ++tally.aborted;
    else
      ++tally.gave_up;
    if (low) ++tally.promoted_too_soon;
    if (high) ++tally.aborted_too_soon;
  }
  return tally;
}

}  // namespace

TEST_CASE("an update that fails on 5 % of devices is promoted in at most one canary of twenty") {
  const auto table = evidence_table(5, 100, 500, kFleet);
  const auto late = simulate(table, 500, kLateFailures, 1);
  CHECK(late.promoted <= 600);
  CHECK(late.aborted >= 9'300);
  CHECK(late.promoted_too_soon > 1'000);  // why the order of grants matters
  CHECK(simulate(table, 500, kEarlyFailures, 2).promoted <= 600);
}

TEST_CASE("an update that fails on 1 % of devices is aborted in at most one canary of twenty") {
  const auto table = evidence_table(5, 100, 500, kFleet);
  const auto early = simulate(table, 100, kEarlyFailures, 3);
  CHECK(early.aborted <= 600);
  CHECK(early.promoted >= 9'300);
  CHECK(early.aborted_too_soon > 600);  // why unknown devices count as not failed
  CHECK(simulate(table, 100, kLateFailures, 4).aborted <= 600);
}
