// The gates before a device's own updates, and that GrantDirect grants where they are open.
#include "domain/device/gates.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

const DeviceRegistered kRegistered{{1}, RegisteredVia::kApi, {}, {}, {}};
// Of plan()'s firmware.
FirmwareAtHand at_hand(std::string name, bool here, bool recalled) {
  FirmwareFacts facts;
  facts.device_model = "SF-100";
  facts.version = plan().to_version;
  facts.min_hardware_version = "1.0";
  return {std::move(name), here, recalled, facts};
}
const FirmwareAtHand kHere = at_hand("Smart Frame 2.1.0", true, false);
FirmwareShelf shelf_with(const FirmwareAtHand& firmware) { return {{plan().firmware, firmware}}; }

UpdateRequested requested(std::optional<MaintenanceWindow> window = {}, Priority priority = Priority::kNormal) {
  UpdateRequested e;
  e.plan = plan();
  e.plan.maintenance_window = std::move(window);
  e.plan.priority = priority;
  return e;
}

// "known, not_busy, ...": the first that is closed, with its fact.
std::string closed(const Given& story, const UpdateId& update, const FirmwareAtHand& firmware = kHere,
                   std::optional<Time> pause = {}) {
  const auto all = own_gates(story.device(), update, shelf_with(firmware), pause, story.context());
  const auto first = std::find_if(all.begin(), all.end(), [](const auto& gate) { return !gate.open; });
  for (const auto& gate : all) CHECK_FALSE(gate.fact.empty());
  return first == all.end() ? "" : std::string(to_text(first->gate)) + ": " + first->fact;
}

const UpdateId kOther = UpdateId::direct(bytes_16(77));

}  // namespace

TEST_CASE("a direct update with every gate open is the one that is granted") {
  const auto story = given({kRegistered, in(kDirect, requested())});
  CHECK(closed(story, kDirect) == "");
  CHECK(story.when(GrantDirect{}).the<AttemptGranted>().attempt == 1);
}

TEST_CASE("a direct update waits for its window, its retry and its firmware, and says until when") {
  const auto night = given({kRegistered, in(kDirect, requested(MaintenanceWindow{22 * 60, 23 * 60, "UTC"}))});
  CHECK(closed(night, kDirect) == "window: the maintenance window 22:00 to 23:00 (UTC) is closed");
  night.when(GrantDirect{}).then_nothing();
  auto failed = failed_until(kNow + minutes(5));
  const auto retry = given({kRegistered, in(kDirect, requested()), in(kDirect, AttemptGranted{}), in(kDirect, failed)});
  CHECK(closed(retry, kDirect) == "retry_time: the last attempt failed, the next one waits");
  retry.when(GrantDirect{}).then_nothing();
  const auto all = own_gates(retry.device(), kDirect, shelf_with(kHere), {}, retry.context());
  CHECK(all.back().until == kNow + minutes(5));
  const auto story = given({kRegistered, in(kDirect, requested())});
  CHECK(closed(story, kDirect, at_hand("X 1", false, false)) == "content: the content of firmware X 1 is not here");
  CHECK(closed(story, kDirect, at_hand("X 1", true, true)) == "content: firmware X 1 is recalled");
}

TEST_CASE("decision 29: a direct update to firmware that stays elsewhere is for who is told over MQTT where") {
  const auto story = given({kRegistered, in(kDirect, requested())});
  auto elsewhere = at_hand("X 1", false, false);
  const auto granted = [&] {
    const auto decision = decide(story.device(), DeviceCommand(GrantDirect{{}, {}, shelf_with(elsewhere)}), story.context());
    return !decision.value().empty();
  };
  CHECK_FALSE(granted());
  elsewhere.pushed_from_elsewhere = true;
  CHECK(closed(story, kDirect, elsewhere) == "");
  CHECK(granted());
  elsewhere.recalled = true;
  CHECK(closed(story, kDirect, elsewhere) == "content: firmware X 1 is recalled");
  CHECK_FALSE(granted());
}

TEST_CASE("decision 9: one at a time, the higher priority first, then the older") {
  const auto two = given({kRegistered, in(kDirect, requested()), in(kOther, requested({}, Priority::kHigh))});
  CHECK(closed(two, kDirect).find("not_busy: update " + to_text(kOther)) == 0);
  CHECK(closed(two, kDirect).find("goes first") != std::string::npos);
  CHECK(closed(two, kOther) == "");
  const auto busy = given({kRegistered, in(kDirect, requested()), in(kOther, requested()), in(kDirect, AttemptGranted{})});
  CHECK(closed(busy, kOther).find("not_busy: the device is busy with update ") == 0);
  CHECK(closed(busy, kDirect) == "not_busy: it is in progress");
}

TEST_CASE("decision 18: while the owner has paused updates nothing new is granted, but a device is taken back") {
  const auto story = given({kRegistered, in(kDirect, requested())});
  CHECK(closed(story, kDirect, kHere, kNow + hours(1)) == "owner: the device's owner has paused updates");
  CHECK(closed(story, kDirect, kHere, kNow) == "");
  story.when(GrantDirect{{}, kNow + hours(1)}).then_nothing();
  CHECK(story.when(GrantDirect{{}, kNow}).the<AttemptGranted>().attempt == 1);
  auto back = requested();
  back.plan.rollback = RollbackOf{RollbackTrigger::kHealthCheck, "ill", {}, ""};
  const auto rollback = given({kRegistered, in(kDirect, back)});
  CHECK(closed(rollback, kDirect, kHere, kNow + hours(1)) == "");
  CHECK(rollback.when(GrantDirect{{}, kNow + hours(1)}).the<AttemptGranted>().attempt == 1);
}

TEST_CASE("decisions 6 and 18: beta firmware waits while neither its request nor the device's owner wants it") {
  auto refused = kHere;
  refused.facts.is_beta = true;
  refused.owner_agrees = false;
  const auto story = given({kRegistered, in(kDirect, requested())});
  CHECK(closed(story, kDirect, refused).find("beta: the firmware is a beta") == 0);
  story.when(GrantDirect{{}, {}, shelf_with(refused)}).then_nothing();
  auto agreed = refused;
  agreed.owner_agrees = true;
  CHECK(story.when(GrantDirect{{}, {}, shelf_with(agreed)}).the<AttemptGranted>().attempt == 1);
  auto wanted = requested();
  wanted.plan.allow_beta = true;
  CHECK(closed(given({kRegistered, in(kDirect, wanted)}), kDirect, refused) == "");
}

TEST_CASE("decision 4: a direct update is compared with what the device runs when it asks, not when it was requested") {
  DeviceRegistered newer = kRegistered;
  newer.attributes = {{"firmware_version", "2.1.0"}};
  const auto story = given({newer, in(kDirect, requested())});
  CHECK(closed(story, kDirect) == "not_there_yet: the device runs 2.1.0, the update brings 2.1.0");
  story.when(GrantDirect{{}, {}, shelf_with(kHere)})
      .then({in(kDirect, UpdateSkipped{SkipReason::kAlreadyThere, "the device runs 2.1.0, the update brings 2.1.0"})});
  auto forced = requested();
  forced.plan.force_update = true;
  CHECK(given({newer, in(kDirect, forced)}).when(GrantDirect{{}, {}, shelf_with(kHere)}).the<AttemptGranted>().attempt == 1);
}

TEST_CASE("decision 5: a device that is another model by the time it asks is skipped, one that is not known is warned of") {
  DeviceRegistered other = kRegistered;
  other.attributes = {{"device_model", "SF-200"}, {"hardware_version", "1.2"}};
  const auto story = given({other, in(kDirect, requested())});
  CHECK(closed(story, kDirect) == "compatible: the device is a SF-200, the firmware is for SF-100");
  const auto skipped = story.when(GrantDirect{{}, {}, shelf_with(kHere)}).the<UpdateSkipped>();
  CHECK(skipped.reason == SkipReason::kIncompatible);
  const auto unknown = given({kRegistered, in(kDirect, requested())}).when(GrantDirect{{}, {}, shelf_with(kHere)}).the<AttemptGranted>();
  REQUIRE(unknown.warnings.size() == 2);
  CHECK(unknown.warnings[0] == "the device's model is not known: taken to be a SF-100");
  CHECK(unknown.warnings[1] == "the device's hardware version is not known: taken to be within 1.0..any");
}

TEST_CASE("a direct update goes back to what the device runs when it is granted") {
  DeviceRegistered known = kRegistered;
  known.attributes = {{"firmware_version", "1.9.0"}};
  const auto granted = given({known, in(kDirect, requested())}).when(GrantDirect{}).the<AttemptGranted>();
  REQUIRE(granted.plan.has_value());
  CHECK(granted.plan->from_version == "1.9.0");
}

TEST_CASE("design 4: a higher update whose firmware is not at hand lets the next one try") {
  auto other = requested({}, Priority::kHigh);
  other.plan.firmware = kOtherFirmware;
  const auto story = given({kRegistered, in(kDirect, requested()), in(kOther, other)});
  FirmwareShelf shelf = shelf_with(kHere);
  shelf[kOtherFirmware] = at_hand("Other 3", false, false);
  const auto decided = decide(story.device(), DeviceCommand(GrantDirect{{}, {}, shelf}), story.context());
  REQUIRE(decided.ok());
  CHECK(std::get<UpdateId>(decided.value().front().stream) == kDirect);
  shelf[kOtherFirmware].content_here = true;
  const auto then = decide(story.device(), DeviceCommand(GrantDirect{{}, {}, shelf}), story.context());
  CHECK(std::get<UpdateId>(then.value().front().stream) == kOther);
}

TEST_CASE("decision 9: of a device's own updates only those are looked at that rank as high as is asked for") {
  const auto story = given({kRegistered, in(kDirect, requested())});
  story.when(GrantDirect{{}, {}, {}, Priority::kHigh}).then_nothing();
  CHECK(story.when(GrantDirect{{}, {}, {}, Priority::kNormal}).the<AttemptGranted>().attempt == 1);
}

TEST_CASE("decision 21: a grant on consent keeps its number, and those given since are not given twice") {
  AttemptGranted agreed;
  agreed.action = {1'000'001};
  AttemptGranted later;
  later.action = {1'000'002};
  const auto story = given({kRegistered, in(kDirect, requested()), in(kOther, requested()), in(kOther, later),
                            in(kOther, failed_for_good()), in(kDirect, agreed)});
  CHECK(story.device().last_action == ActionId{1'000'002});
}
