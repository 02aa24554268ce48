// Whole rollouts with random fleets, policies, outcomes and interference: see fleet.hpp for what is
// checked throughout.
#include "tests/property/fleet.hpp"

#include <doctest/doctest.h>

#include "tests/property/generators.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

FleetOptions any_fleet() {
  FleetOptions options;
  options.devices = *rc::gen::inRange<std::uint32_t>(0, 40);
  options.policy = *any_policy();
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
    options.leaps = false;
    options.policy.timeout_minutes = 1'440;
    Fleet fleet(options);
    fleet.run();
    RC_ASSERT(fleet.campaign().status == CampaignStatus::kCompleted);
    RC_ASSERT(fleet.campaign().completed == fleet.campaign().targets);
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

TEST_CASE("direct updates in between keep one active update per device") {
  CHECK(rc::check([] {
    auto options = any_fleet();
    options.directs = true;
    options.operators = true;
    options.deletions = true;
    Fleet(options).run();
  }));
}
