// What comes of a talk, in the accounts: the same whatever it is held over.
#pragma once

#include <string_view>

#include "tools/otasim/device_profile.hpp"
#include "tools/otasim/flash.hpp"
#include "tools/otasim/record.hpp"
#include "tools/otasim/update_run.hpp"
#include "tools/otasim/world.hpp"

namespace ota::sim {

// The service has let the device begin with this deployment, or told it so again.
inline void note_offer(World& world, Attempt& attempt, const Deployment& deployment) {
  if (++attempt.reads > 1) return;
  ++world.stats.offers;
  attempt.version = deployment.version;
  attempt.offered_at = EventLoop::now();
}

// Until the install begins a cancel is agreed to; an action that this device does not work on has
// nothing to lose.
inline bool agrees_to_cancel(const Flash& flash, const UpdateRun* run, std::string_view action) {
  if (flash.unreported && flash.unreported->action == action) return false;
  return run == nullptr || run->action() != action || run->can_cancel();
}

// The service has acknowledged the device's answer to a cancel. True: the first time.
inline bool note_cancel(World& world, const DeviceProfile& profile, Attempt& attempt, bool agreed) {
  bool& noted = agreed ? attempt.cancel_agreed : attempt.cancel_refused;
  if (noted) return false;
  noted = true;
  ++(agreed ? world.stats.cancels_agreed : world.stats.cancels_refused);
  if (!agreed) return true;
  world.stats.count(RunEnd::kCancelled);
  attempt.ended = to_text(RunEnd::kCancelled);
  world.journal.fact(profile.id, "ended", {{"action", attempt.action}, {"how", "cancelled"}});
  return true;
}

}  // namespace ota::sim
