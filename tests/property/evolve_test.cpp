// evolve is total: whatever the log says, a fold neither fails nor breaks what a state promises of
// itself.
#include <doctest/doctest.h>

#include "domain/campaign/grant.hpp"
#include "tests/domain/given.hpp"
#include "tests/property/generators.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

Campaign created_campaign(AnyLog& log) {
  Campaign s;
  s.id = kCampaign;
  evolve(s, any_creation(log));
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
  RC_ASSERT(s.held.isSubset(s.granted) && s.released.isSubset(s.granted));
  RC_ASSERT((s.held & s.released).isEmpty());
  RC_ASSERT(s.undone.isSubset(s.completed));
  const auto& r = s.rollback;
  RC_ASSERT(r.granted.isSubset(s.completed) && r.ended.isSubset(s.completed));
  RC_ASSERT((r.granted & r.ended).isEmpty() && (r.granted & s.undone).isEmpty() && (r.ended & s.undone).isEmpty());
  RC_ASSERT(s.to_take_back().cardinality() == s.to_take_back_count());
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
    AnyLog log;
    auto s = created_campaign(log);
    const auto events = *rc::gen::inRange(0, 60);
    for (int i = 0; i < events; ++i) {
      evolve(s, log.any_record());
      check_sets(s);
    }
  }));
}

TEST_CASE("nothing is granted or skipped unless the campaign is in progress") {
  CHECK(rc::check([] {
    AnyLog log;
    auto s = created_campaign(log);
    const auto events = *rc::gen::inRange(0, 40);
    const Settings settings;
    for (int i = 0; i < events; ++i) {
      evolve(s, log.any_record());
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
    AnyLog log;
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
        // Whether it can hold only the device knows.
        const bool cannot_hold = s.policy.strategy == Strategy::kBlueGreen && !s.switched && !ask.facts.can_hold;
        RC_ASSERT((cannot_hold || !retry));
        RC_ASSERT((cannot_hold || !in_cohort || !space.for_first_attempts));
      }
    }
  }));
}

TEST_CASE("reactions are total, and what a campaign does of its own accord leads somewhere") {
  CHECK(rc::check([] {
    AnyLog log;
    auto s = created_campaign(log);
    const auto events = *rc::gen::inRange(0, 40);
    for (int i = 0; i < events; ++i) evolve(s, log.any_record());
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
    AnyLog log;
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
        // All in its own stream, but for the one event that it writes into that of the update which it has undone.
        for (const auto& e : decision.value()) {
          const bool undone = std::holds_alternative<UpdateUndone>(e.event) && s.plan.rollback->undoes;
          RC_ASSERT(e.stream == (undone ? Stream(*s.plan.rollback->undoes) : Stream(id)));
        }
      }
    }
  }));
}

TEST_CASE("a firmware's and a user's state fold anything, and every command is answered in every state") {
  CHECK(rc::check([] {
    AnyLog log;
    Firmware firmware;
    firmware.record.id = kFirmware;
    User user;
    user.token = {7};
    const Settings settings;
    const auto events = *rc::gen::inRange(0, 30);
    for (int i = 0; i < events; ++i) {
      const bool registered = *rc::gen::inRange(0, 6) == 0;
      evolve(firmware, log.record(registered ? Event(firmware_record()) : *any_firmware_event(), kFirmware));
      evolve(user, log.record(*any_user_event(), UserStream{{7}}));
      const Context context{kNow, {}, settings};
      if (const auto decision = decide(firmware, *any_firmware_command(), context)) {
        for (const auto& e : decision.value()) RC_ASSERT(e.stream == Stream(kFirmware));
      }
      if (const auto decision = decide(user, *any_user_command(), context)) {
        for (const auto& e : decision.value()) RC_ASSERT(e.stream == Stream(UserStream{{7}}));
      }
    }
  }));
}

TEST_CASE("a device's state folds anything, and every command is answered in every state") {
  CHECK(rc::check([] {
    AnyLog log;
    Device s;
    s.id = kDevice;
    const Settings settings;
    const auto events = *rc::gen::inRange(0, 30);
    for (int i = 0; i < events; ++i) {
      evolve(s, log.any_record(), settings);
      if (const auto* active = s.active()) RC_ASSERT(s.updates.contains(active->first));
      const auto decision = decide(s, *any_device_command(), {kNow, {}, settings});
      if (decision) {
        for (const auto& e : decision.value()) RC_ASSERT(e.device == kDevice);
      }
    }
  }));
}
