// What if, held against what would have been: rollouts that write in groups and decide late, as the service does, under one policy
// and under another one, of the same devices.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <fmt/format.h>

#include <random>

#include "domain/campaign/what_if.hpp"
#include "domain/rollout.hpp"
#include "tests/property/generators.hpp"
#include "tests/property/grouped_rollout.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;
using std::chrono::milliseconds;

namespace {

std::uint32_t drawn(std::uint32_t from, std::uint32_t to) { return *rc::gen::inRange(from, to + 1); }

GroupedWorld world_of(std::uint32_t devices, std::uint32_t seed, std::uint32_t failing, std::uint32_t within) {
  GroupedWorld world;
  world.devices.resize(devices);
  world.seed = seed;
  std::mt19937 random(seed);
  const auto number = [&](std::uint32_t most) { return static_cast<std::uint32_t>(random()) % (most + 1); };
  for (auto& device : world.devices) {
    device.comes = milliseconds(number(within));
    device.comes_again = milliseconds(number(5'000));
    for (int n = 0; n < 3; ++n) {
      const bool success = number(99) >= failing;
      device.attempts.push_back({milliseconds(number(300)), milliseconds(100 + number(8'000)), success,
                                 success ? "" : fmt::format("E{}", number(1))});
    }
  }
  return world;
}

GroupedWorld any_world() {
  const auto devices = drawn(1, 150);
  const auto seed = *rc::gen::arbitrary<std::uint32_t>();
  const auto group_max = drawn(1, 50);
  const auto failing = drawn(0, 60);
  auto world = world_of(devices, seed, failing, drawn(1, 30'000));
  world.group_max = group_max;
  return world;
}

// How a campaign is judged, and nothing of its pace.
void draw_verdicts(CampaignPolicy& p) {
  p.auto_rollback = drawn(0, 3) > 0;
  p.failure_threshold_percent = drawn(1, 60);
  p.min_finished_for_verdict = drawn(1, 20);
  p.rollback_triggers = {RollbackTrigger::kFailureRate};
  if (drawn(0, 2) == 0) p.rollback_triggers.push_back(RollbackTrigger::kErrorThreshold);
  p.error_threshold_count = drawn(2, 20);
}

void draw_pace(CampaignPolicy& p) {
  static const Strategy kStrategies[] = {Strategy::kImmediate, Strategy::kStaged, Strategy::kCanary};
  p.strategy = kStrategies[drawn(0, 2)];
  p.max_concurrent_updates = drawn(1, 200);
  p.batch_size = drawn(1, 40);
  p.batch_settle_percent = drawn(50, 100);
}

CampaignPolicy any_own(const GroupedWorld& world) {
  CampaignPolicy p;
  draw_verdicts(p);
  draw_pace(p);
  p.max_retries = drawn(0, 2);
  if (drawn(0, 2) == 0) p.scheduled_end = kNow + milliseconds(drawn(100, 60'000));
  if (world.devices.size() < 10) p.strategy = Strategy::kImmediate;
  return p;
}

CampaignRecord record_of(const GroupedTruth& truth) {
  CampaignRecorder recorder(kCampaign);
  for (const auto& event : truth.log) recorder.add(event);
  return recorder.take();
}

void check_holds(const WhatIf& answer, const GroupedTruth& truth) {
  const auto b = answer.bounds();
  const auto now = truth.campaign.counts();
  const auto says = [](const char* what, const Between<std::uint32_t>& range, std::uint64_t value) {
    return fmt::format("{}: {} to {}, and it was {}", what, range.min, range.max, value);
  };
  const auto holds = [&](const char* what, const Between<std::uint32_t>& range, std::uint64_t value) {
    if (range.min > value || value > range.max) RC_FAIL(says(what, range, value));
  };
  holds("granted", b.granted, truth.granted.cardinality());
  holds("completed", b.completed, now.completed);
  holds("failed", b.failed, now.failed);
  holds("cancelled", b.cancelled, now.cancelled);
  if (b.stopped == Stopped::kNever) RC_ASSERT(!truth.stopped_at);
  if (b.stopped == Stopped::kAlways) RC_ASSERT(truth.stopped_at.has_value());
  if (!truth.stopped_at) return;
  RC_ASSERT(b.stopped_at.has_value());
  const auto behind = [](Time at) { return (at - kNow) / milliseconds(1); };
  if (*truth.stopped_at < b.stopped_at->min) {
    RC_FAIL(fmt::format("stopped {} ms behind the start, not before {}", behind(*truth.stopped_at), behind(b.stopped_at->min)));
  }
  if (b.stopped_at->max && *b.stopped_at->max < *truth.stopped_at) {
    RC_FAIL(fmt::format("stopped {} ms behind the start, not behind {}", behind(*truth.stopped_at), behind(*b.stopped_at->max)));
  }
  holds("granted when stopped", *b.granted_when_stopped, truth.granted_when_stopped);
  if (answer.is_exact()) RC_ASSERT(answer.scenarios.front().outcome.stopped_at == truth.stopped_at);
}

}  // namespace

TEST_CASE("of a service that decides by groups and late, what was is answered exactly, and so is a change that cannot matter") {
  CHECK(rc::check([] {
    const auto world = any_world();
    const auto own = any_own(world);
    const auto truth = roll_out(world, own);
    if (!truth.is_over) return;
    const auto record = record_of(truth);
    auto neutral = own;
    if (own.strategy != Strategy::kCanary) neutral.canary_p0_basis_points = 300;
    if (!has_batches(own.strategy)) neutral.batch_size += 1;
    if (neutral == own) neutral.priority = Priority::kHigh;
    for (const auto& policy : {own, neutral}) {
      const auto answer = what_if(record, policy, {});
      RC_ASSERT(answer.is_exact());
      check_holds(answer, truth);
    }
  }));
}

TEST_CASE("judged otherwise, a rollout that decides by groups and late is never outside of what a what-if says") {
  CHECK(rc::check([] {
    const auto world = any_world();
    const auto own = any_own(world);
    auto other = own;
    draw_verdicts(other);
    // What a canary is judged by says also how many are in it.
    if (own.strategy == Strategy::kCanary) other.failure_threshold_percent = own.failure_threshold_percent;
    const auto truth = roll_out(world, own);
    if (!truth.is_over) return;
    const auto record = record_of(truth);
    if (why_no_what_if(record, other)) return;
    check_holds(what_if(record, other, {}), roll_out(world, other));
  }));
}

TEST_CASE("at another pace, a rollout that decides by groups and late is never outside of what a what-if says") {
  CHECK(rc::check([] {
    const auto world = any_world();
    auto own = any_own(world);
    own.strategy = Strategy::kImmediate;    // nobody waits for anything, and nobody is left
    own.max_concurrent_updates = 1'000;
    own.auto_rollback = false;
    own.scheduled_end.reset();
    auto other = own;
    draw_verdicts(other);
    draw_pace(other);
    // One more would be made of nobody knows what: how long it takes is not bounded.
    if (drawn(0, 3) == 0) other.max_retries = drawn(0, own.max_retries);
    const auto truth = roll_out(world, own);
    if (!truth.is_over) return;
    const auto record = record_of(truth);
    if (why_no_what_if(record, other)) return;
    check_holds(what_if(record, other, {}), roll_out(world, other));
  }));
}

TEST_CASE("of a fleet in which nothing fails every count is known, whatever the pace") {
  CHECK(rc::check([] {
    auto world = any_world();
    for (auto& device : world.devices) device.attempts.assign(1, {milliseconds(drawn(0, 300)), milliseconds(drawn(100, 8'000)), true});
    auto own = any_own(world);
    own.scheduled_end.reset();
    auto other = own;
    draw_verdicts(other);
    draw_pace(other);
    const auto truth = roll_out(world, own);
    const bool all_known = truth.granted.cardinality() == world.devices.size();
    if (!truth.is_over || !all_known) return;
    const auto record = record_of(truth);
    if (why_no_what_if(record, other)) return;
    const auto answer = what_if(record, other, {});
    const auto would_be = roll_out(world, other);
    check_holds(answer, would_be);
    const auto b = answer.bounds();
    // A canary may have too few devices to be sure of anything: then it is paused, whenever that is decided.
    const bool is_paused = would_be.stopped_at.has_value();
    RC_ASSERT(b.stopped == (is_paused ? Stopped::kAlways : Stopped::kNever));
    RC_ASSERT(b.failed.max == 0U);
    RC_ASSERT(b.granted.min == b.granted.max);
    RC_ASSERT(b.completed.min == b.granted.max);
    if (!is_paused) RC_ASSERT(b.granted.max == world.devices.size());
  }));
}

TEST_CASE("of three thousand devices no more is open than what came within the lag of a stop") {
  const auto world = world_of(3'000, 7, 25, 60'000);
  CampaignPolicy own;
  own.strategy = Strategy::kImmediate;
  own.max_concurrent_updates = 1'000;
  own.max_retries = 0;
  own.failure_threshold_percent = 22;
  const auto truth = roll_out(world, own);
  REQUIRE(truth.is_over);
  const auto record = record_of(truth);
  auto neutral = own;
  neutral.canary_p0_basis_points = 300;
  const auto same = what_if(record, neutral, {});
  CHECK(same.is_exact());
  CHECK(same.bounds().granted.min == truth.granted.cardinality());
  // Some 50 come in a second, and as many end; with 20 % the rate comes back under the threshold, and crosses it again much later.
  for (const auto& [threshold, most] : {std::pair(10U, 100U), std::pair(15U, 100U), std::pair(20U, 700U), std::pair(21U, 100U)}) {
    CAPTURE(threshold);
    auto strict = own;
    strict.failure_threshold_percent = threshold;
    const auto answer = what_if(record, strict, {});
    const auto b = answer.bounds();
    const auto was = roll_out(world, strict);
    CHECK_FALSE(answer.is_exact());
    CHECK(b.stopped == Stopped::kAlways);
    CHECK(b.granted.min <= was.granted.cardinality());
    CHECK(was.granted.cardinality() <= b.granted.max);
    CHECK(b.granted.max - b.granted.min <= most);
    CHECK(b.failed.max - b.failed.min <= most);
    CHECK(b.completed.max - b.completed.min <= most);
  }
}
