// The threshold rule (design, section 4): integers only, exact at the edges.
#include "domain/verdict.hpp"

#include <doctest/doctest.h>

using namespace ota::domain;

namespace {

constexpr std::uint32_t kThreshold = 20;
constexpr std::uint32_t kMinFinished = 20;

std::optional<Verdict> abort(const Counts& counts, std::uint32_t threshold = kThreshold,
                             std::uint32_t min_finished = kMinFinished) {
  return abort_by_threshold(counts, threshold, min_finished);
}

}  // namespace

TEST_CASE("S5/BR-OTA-041: more than the threshold aborts, exactly the threshold does not") {
  CHECK_FALSE(abort({.total = 1000, .in_progress = 0, .completed = 80, .failed = 20}));
  const auto verdict = abort({.total = 1000, .in_progress = 0, .completed = 79, .failed = 20});
  REQUIRE(verdict);
  CHECK(*verdict == Verdict{VerdictRule::kThreshold, VerdictDecision::kAbort, 20, 99, 20, false});
}

TEST_CASE("S5/BR-OTA-040: what runs counts as not failed until it ends") {
  CHECK_FALSE(abort({.total = 1000, .in_progress = 30, .completed = 50, .failed = 20}));
  const auto verdict = abort({.total = 1000, .in_progress = 29, .completed = 50, .failed = 20});
  REQUIRE(verdict);
  CHECK(verdict->counted == 99);
  CHECK_FALSE(verdict->of_total);
}

TEST_CASE("no verdict before enough have finished: min_finished_for_verdict, or all if fewer") {
  CHECK_FALSE(abort({.total = 1000, .in_progress = 0, .completed = 0, .failed = 19}));
  CHECK(abort({.total = 1000, .in_progress = 0, .completed = 0, .failed = 20}));
  CHECK(abort({.total = 1000, .in_progress = 0, .completed = 0, .failed = 5}, kThreshold, 5));
  CHECK_FALSE(abort({.total = 5, .in_progress = 0, .completed = 4, .failed = 1}));
  CHECK(abort({.total = 5, .in_progress = 0, .completed = 3, .failed = 2}));
  CHECK_FALSE(abort({.total = 0, .in_progress = 0, .completed = 0, .failed = 0}));
  CHECK_FALSE(abort({.total = 10, .in_progress = 10, .completed = 0, .failed = 0}, kThreshold, 0));
}

TEST_CASE("more than the threshold of all devices aborts however few have finished") {
  CHECK_FALSE(abort({.total = 50, .in_progress = 0, .completed = 0, .failed = 10}));
  const auto verdict = abort({.total = 50, .in_progress = 5, .completed = 0, .failed = 11});
  REQUIRE(verdict);
  CHECK(*verdict == Verdict{VerdictRule::kThreshold, VerdictDecision::kAbort, 11, 50, 20, true});
  CHECK(abort({.total = 1, .in_progress = 0, .completed = 0, .failed = 1}));
}

TEST_CASE("where both rates are over the threshold the nearer one is named") {
  const auto verdict = abort({.total = 30, .in_progress = 0, .completed = 13, .failed = 7});
  REQUIRE(verdict);
  CHECK(verdict->counted == 20);
  CHECK_FALSE(verdict->of_total);
}

TEST_CASE(
    "BR-OTA-019: a threshold of 100 % never aborts, one of 1 % at more than one in a hundred") {
  CHECK_FALSE(abort({.total = 30, .in_progress = 0, .completed = 0, .failed = 30}, 100));
  CHECK_FALSE(abort({.total = 200, .in_progress = 0, .completed = 99, .failed = 1}, 1));
  CHECK(abort({.total = 200, .in_progress = 0, .completed = 98, .failed = 1}, 1));
}

TEST_CASE("counts of millions do not overflow") {
  const Counts many{
      .total = 4'000'000'000, .in_progress = 0, .completed = 3'000'000'000, .failed = 750'000'001};
  REQUIRE(abort(many));
  CHECK(abort(many)->counted == 3'750'000'001);
}

TEST_CASE("decision 11: at the end the rate is failed of finished, and cancelled enter no rate") {
  const auto verdict = [](std::uint32_t completed, std::uint32_t failed) {
    return verdict_at_end(
        {.total = 1000, .in_progress = 0, .completed = completed, .failed = failed}, kThreshold);
  };
  CHECK(verdict(8, 2) ==
        Verdict{VerdictRule::kThreshold, VerdictDecision::kPass, 2, 10, 20, false});
  CHECK(verdict(7, 2) ==
        Verdict{VerdictRule::kThreshold, VerdictDecision::kAbort, 2, 9, 20, false});
  CHECK(verdict(0, 0).decision == VerdictDecision::kPass);
  CHECK(verdict(0, 1).decision == VerdictDecision::kAbort);
}

TEST_CASE("what is cancelled or skipped does not finish: enough is then all that may") {
  CHECK_FALSE(abort({.total = 10, .in_progress = 0, .completed = 1, .failed = 1, .cancelled = 7}));
  const auto verdict = abort({.total = 10, .in_progress = 0, .completed = 1, .failed = 1, .cancelled = 8});
  REQUIRE(verdict);
  CHECK(verdict->counted == 2);
  CHECK_FALSE(abort({.total = 10, .in_progress = 0, .completed = 0, .failed = 0, .cancelled = 10}));
}
