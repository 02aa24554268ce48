// The gates before a device's own updates, and that GrantDirect grants where they are open.
#include "domain/device/gates.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

const DeviceRegistered kRegistered{{1}, RegisteredVia::kApi, {}, {}, {}};
const FirmwareAtHand kHere{"Smart Frame 2.1.0", true, false};

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
  const auto all = own_gates(story.device(), update, firmware, pause, story.context());
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
  const auto all = own_gates(retry.device(), kDirect, kHere, {}, retry.context());
  CHECK(all.back().until == kNow + minutes(5));
  const auto story = given({kRegistered, in(kDirect, requested())});
  CHECK(closed(story, kDirect, {"X 1", false, false}) == "content: the content of firmware X 1 is not here");
  CHECK(closed(story, kDirect, {"X 1", true, true}) == "content: firmware X 1 is recalled");
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
