// evolve is total: whatever the log says, a fold neither fails nor breaks what a state promises of
// itself.
#include <doctest/doctest.h>

#include "domain/campaign/grant.hpp"
#include "tests/domain/given.hpp"
#include "tests/property/generators.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

// One event after another, somewhere in the streams that the aggregate follows.
class Log {
 public:
  Recorded record(Event event, Stream stream) {
    position_.value += 1;
    time_ += seconds(1);
    return {position_, time_, std::move(stream), std::move(event), kDevice, {}};
  }

 private:
  Position position_;
  Time time_ = kBefore;
};

Recorded any_record(Log& log) {
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
      return log.record(*any_campaign_event(), kCampaign);
    case 1:
      return log.record(*any_device_event(), kDevice);
    case 2:
      return log.record(*any_firmware_event(), kFirmware);
    default:
      return log.record(*any_update_event(), *any_update_id());
  }
}

Campaign created_campaign(Log& log) {
  Campaign s;
  s.id = kCampaign;
  auto record = with_canary(created({0, 1, 2, 3, 4, 5}, *any_policy()));
  record.content_pending = *rc::gen::inRange(0, 4) == 0;
  evolve(s, log.record(record, kCampaign));
  return s;
}

void check_sets(const Campaign& s) {
  const Bitmap* sets[] = {&s.granted, &s.completed, &s.failed, &s.cancelled};
  std::uint64_t sum = 0;
  Bitmap all;
  for (const auto* set : sets) {
    RC_ASSERT(set->isSubset(s.targets));
    sum += set->cardinality();
    all |= *set;
  }
  RC_ASSERT(sum == all.cardinality());  // disjoint
  const auto c = s.counts();
  RC_ASSERT(s.total() ==
            s.pending() + c.in_progress + c.completed + c.failed + s.cancelled.cardinality());
  RC_ASSERT(s.remaining().cardinality() == s.pending());
  for (const auto& [o, at] : s.retries) RC_ASSERT(s.is_remaining(o));
  RC_ASSERT(s.own_faults.isSubset(s.failed));
  RC_ASSERT(s.cohort.isSubset(s.targets));
  if (!s.canary) RC_ASSERT(s.evidence.count() == 0u);
  for (const auto& entry : s.evidence.sequence())
    RC_ASSERT(s.targets.contains(entry.ordinal.value));
}

GrantAsk any_ask() {
  GrantAsk ask;
  ask.device = kDevice;
  ask.ordinal = {*rc::gen::inRange<std::uint32_t>(0, 8)};
  ask.attempts = *rc::gen::inRange<std::uint32_t>(0, 3);
  ask.facts.firmware_version = *rc::gen::element<std::string>("", "2.0.0", "2.1.0");
  ask.action = kAction;
  return ask;
}

}  // namespace

TEST_CASE("a campaign's sets stay disjoint subsets of its targets, and add up to the total") {
  CHECK(rc::check([] {
    Log log;
    auto s = created_campaign(log);
    const auto events = *rc::gen::inRange(0, 60);
    for (int i = 0; i < events; ++i) {
      evolve(s, any_record(log));
      check_sets(s);
    }
  }));
}

TEST_CASE("nothing is granted or skipped unless the campaign is in progress") {
  CHECK(rc::check([] {
    Log log;
    auto s = created_campaign(log);
    const auto events = *rc::gen::inRange(0, 40);
    const Settings settings;
    for (int i = 0; i < events; ++i) {
      evolve(s, any_record(log));
      const auto decision = grant(s, {}, any_ask(), {kNow, {}, settings});
      if (s.status != CampaignStatus::kInProgress || s.firmware_recalled || s.finished)
        RC_ASSERT(std::holds_alternative<Wait>(decision));
      if (s.content_pending) RC_ASSERT(!std::holds_alternative<AttemptGranted>(decision));
      const auto* granted = std::get_if<AttemptGranted>(&decision);
      if (granted && !granted->retry && s.in_canary()) {
        RC_ASSERT(s.evidence.count() < canary_size(*s.canary, s.evidence.topped_up()));
      }
    }
  }));
}

TEST_CASE(
    "room() never says no where grant() says yes, and a yes means that only the device can stop "
    "it") {
  CHECK(rc::check([] {
    Log log;
    auto s = created_campaign(log);
    evolve(s, log.record(CampaignStarted{}, kCampaign));
    const auto events = *rc::gen::inRange(0, 30);
    for (int i = 0; i < events; ++i) evolve(s, log.record(*any_update_event(), *any_update_id()));
    Reservations reserved;
    reserved.ordinals = set_of({*rc::gen::inRange<std::uint32_t>(0, 8)}) & s.remaining();
    reserved.in_batch = static_cast<std::uint32_t>((reserved.ordinals & s.targets).cardinality());
    const auto space = room(s, reserved, kNow);
    const Settings settings;
    const auto ask = any_ask();
    const auto decision = grant(s, reserved, ask, {kNow, {}, settings});
    if (const auto* granted = std::get_if<AttemptGranted>(&decision)) {
      RC_ASSERT((granted->retry ? space.for_retries : space.for_first_attempts));
      RC_ASSERT(granted->attempt == ask.attempts + 1);
      RC_ASSERT(granted->plan.has_value() || granted->retry);
    }
    if (const auto* wait = std::get_if<Wait>(&decision)) {
      const bool retry = s.retries.contains(ask.ordinal.value);
      if (wait->gate == Gate::kConcurrency)
        RC_ASSERT(!space.for_first_attempts && !space.for_retries);
      const bool in_cohort = !s.in_canary() || s.cohort.contains(ask.ordinal.value);
      if (wait->gate == Gate::kBatch) {
        RC_ASSERT(!retry);
        // Whether it can hold only the device knows.
        const bool cannot_hold = s.policy.strategy == Strategy::kBlueGreen && !s.switched && !ask.facts.can_hold;
        RC_ASSERT((cannot_hold || !in_cohort || !space.for_first_attempts));
      }
    }
  }));
}

TEST_CASE("reactions are total, and what a campaign does of its own accord leads somewhere") {
  CHECK(rc::check([] {
    Log log;
    auto s = created_campaign(log);
    const auto events = *rc::gen::inRange(0, 40);
    for (int i = 0; i < events; ++i) evolve(s, any_record(log));
    const auto most = *rc::gen::inRange<std::size_t>(0, 4);
    RC_ASSERT(next(s, {}, most, kNow).tells.size() <= most);
    int steps = 0;
    for (auto due = next(s, {}, 0, kNow); !due.own.empty(); due = next(s, {}, 0, kNow)) {
      for (auto& e : due.own) evolve(s, log.record(e.event, e.stream));
      check_sets(s);
      RC_ASSERT(++steps <= 5);  // finished, paused, promoted, a batch or an abort, the close
    }
  }));
}

TEST_CASE(
    "an update's state stays within its bounds, and every command is answered in every state") {
  CHECK(rc::check([] {
    Log log;
    DeviceUpdate s;
    const auto id = *any_update_id();
    s.id = id;
    const Settings settings;
    const auto events = *rc::gen::inRange(0, 30);
    for (int i = 0; i < events; ++i) {
      evolve(s, log.record(*any_update_event(), id));
      RC_ASSERT(s.progress_basis_points <= 10'000u);
      RC_ASSERT(s.id == id);
      const auto decision = decide(s, *any_update_command(4), {kNow, {}, settings});
      if (decision) {
        for (const auto& e : decision.value()) RC_ASSERT(e.stream == Stream(id));
      }
    }
  }));
}

TEST_CASE("a device's state folds anything, and every command is answered in every state") {
  CHECK(rc::check([] {
    Log log;
    Device s;
    s.id = kDevice;
    const Settings settings;
    const auto events = *rc::gen::inRange(0, 30);
    for (int i = 0; i < events; ++i) {
      evolve(s, any_record(log), settings);
      if (const auto* active = s.active()) RC_ASSERT(s.updates.contains(active->first));
      const auto decision = decide(s, *any_device_command(), {kNow, {}, settings});
      if (decision) {
        for (const auto& e : decision.value()) RC_ASSERT(e.device == kDevice);
      }
    }
  }));
}
