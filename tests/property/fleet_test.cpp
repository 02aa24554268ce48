// Whole rollouts with random fleets, policies, outcomes and interference: see fleet.hpp for what is
// checked throughout.
#include "tests/property/fleet.hpp"

#include <doctest/doctest.h>

#include "tests/domain/samples.hpp"
#include "tests/property/generators.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

FleetOptions any_fleet() {
  FleetOptions options;
  options.devices = *rc::gen::inRange<std::uint32_t>(0, 40);
  options.policy = *any_policy();
  auto& p = options.policy;
  p.requires_approval = *rc::gen::inRange(0, 4) == 0;
  p.scheduled_start.reset();
  p.scheduled_end.reset();
  if (*rc::gen::inRange(0, 4) == 0) p.scheduled_start = kNow + minutes(*rc::gen::inRange(-10, 120));
  if (*rc::gen::inRange(0, 4) == 0) p.scheduled_end = kNow + minutes(*rc::gen::inRange(1, 2'000));
  p.require_version_proof = *rc::gen::inRange(0, 6) == 0;
  p.requires_device_confirmation = *rc::gen::inRange(0, 6) == 0;
  p.download_only = p.strategy != Strategy::kBlueGreen && *rc::gen::inRange(0, 8) == 0;
  p.error_threshold_count = *rc::gen::inRange<std::uint32_t>(1, 12);
  p.health_window_minutes = *rc::gen::inRange<std::uint32_t>(0, 30);
  p.rollback_triggers.clear();
  for (const auto trigger : {RollbackTrigger::kFailureRate, RollbackTrigger::kHealthCheck,
                             RollbackTrigger::kTimeout, RollbackTrigger::kErrorThreshold}) {
    if (*rc::gen::inRange(0, 2) == 0) p.rollback_triggers.push_back(trigger);
  }
  options.content_pending = *rc::gen::inRange(0, 4) == 0;
  options.seed = *rc::gen::arbitrary<std::uint32_t>();
  options.failing_percent = *rc::gen::inRange<std::uint32_t>(0, 101);
  options.transport_percent = *rc::gen::inRange<std::uint32_t>(0, 60);
  options.silent_percent = *rc::gen::inRange<std::uint32_t>(0, 60);
  return options;
}

}  // namespace

TEST_CASE("a rollout that nobody disturbs ends with every device in exactly one set") {
  CHECK(rc::check([] {
    Fleet fleet(any_fleet());
    fleet.run();
    const auto& s = fleet.campaign();
    RC_ASSERT(s.status == CampaignStatus::kCompleted || s.status == CampaignStatus::kFailed);
    if (s.status == CampaignStatus::kCompleted) {
      RC_ASSERT(s.failed.cardinality() * 100 <=
                (s.completed.cardinality() + s.failed.cardinality()) *
                    s.policy.failure_threshold_percent);
    }
  }));
}

TEST_CASE("a rollout without failures completes every device") {
  CHECK(rc::check([] {
    auto options = any_fleet();
    options.failing_percent = 0;
    options.silent_percent = 0;
    options.all_well = true;
    options.leaps = false;
    options.policy.timeout_minutes = 1'440;
    options.policy.scheduled_end.reset();
    Fleet fleet(options);
    fleet.run();
    RC_ASSERT(fleet.campaign().status == CampaignStatus::kCompleted);
    RC_ASSERT(fleet.campaign().completed == fleet.campaign().targets);
  }));
}

TEST_CASE(
    "a canary goes first, is judged by its evidence, and does not keep a rollout from its end") {
  CHECK(rc::check([] {
    auto options = any_fleet();
    options.devices = *rc::gen::inRange<std::uint32_t>(1, 120);
    options.policy.strategy = Strategy::kCanary;
    options.policy.max_concurrent_updates = *rc::gen::inRange<std::uint32_t>(4, 30);
    options.policy.failure_threshold_percent = *rc::gen::inRange<std::uint32_t>(5, 101);
    options.failing_percent = *rc::gen::inRange<std::uint32_t>(0, 40);
    options.operators = *rc::gen::arbitrary<bool>();
    options.deletions = *rc::gen::arbitrary<bool>();
    Fleet fleet(options);
    fleet.run();
    const auto& s = fleet.campaign();
    RC_ASSERT(s.canary.has_value());
    // Those outside the cohort were granted after the promotion only, or at an operator's wish.
    if (!s.promoted && !options.operators) RC_ASSERT((s.completed | s.failed).isSubset(s.cohort));
    RC_TAG(std::string(s.promoted ? "promoted" : "not promoted") +
           (s.canary->slice > 0 ? ", slice" : ", evidence"));
  }));
}

TEST_CASE("after a recall nobody is granted, and the rollout still comes to its end") {
  CHECK(rc::check([] {
    auto options = any_fleet();
    options.recalls = true;
    options.operators = *rc::gen::arbitrary<bool>();
    options.deletions = *rc::gen::arbitrary<bool>();
    Fleet(options).run();
  }));
}

TEST_CASE("pauses, cancellations and retries by operators do not keep a rollout from its end") {
  CHECK(rc::check([] {
    auto options = any_fleet();
    options.operators = true;
    Fleet(options).run();
  }));
}

TEST_CASE("devices that are deleted and return do not keep a rollout from its end") {
  CHECK(rc::check([] {
    auto options = any_fleet();
    options.deletions = true;
    Fleet(options).run();
  }));
}

TEST_CASE("rollbacks, in the middle, after the end and again, come to their end") {
  CHECK(rc::check([] {
    auto options = any_fleet();
    options.rollbacks = true;
    options.operators = *rc::gen::arbitrary<bool>();
    options.deletions = *rc::gen::arbitrary<bool>();
    options.directs = *rc::gen::arbitrary<bool>();
    options.failing_percent = *rc::gen::inRange<std::uint32_t>(0, 50);
    Fleet fleet(options);
    fleet.run();
    const auto& s = fleet.campaign();
    RC_TAG(s.rollback.number == 0 ? "none" : s.undone.isEmpty() ? "nobody taken back" : "taken back");
  }));
}

TEST_CASE("direct updates in between keep one active update per device") {
  CHECK(rc::check([] {
    auto options = any_fleet();
    options.directs = true;
    options.operators = true;
    options.deletions = true;
    Fleet(options).run();
  }));
}
