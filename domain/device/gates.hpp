// What stands before an update of a device's own: one that was asked for directly, or takes the device back (decision 9).
// GrantDirect grants the first of a device's own updates for which all of these are open.
#pragma once

#include <string>
#include <vector>

#include "domain/device/device.hpp"
#include "domain/gate.hpp"

namespace ota::domain {

// What is known of the update's firmware at the moment.
struct FirmwareAtHand {
  std::string name;                       // and version, for people
  bool content_here = false;
  bool recalled = false;
};

// The owner has paused updates. Nothing that takes a device back waits for that.
bool is_paused_by_owner(const UnfinishedUpdate& update, const std::optional<Time>& until, Time now);

// `update` must be one of the device's unfinished ones.
std::vector<GateState> own_gates(const Device& device, const UpdateId& update, const FirmwareAtHand& firmware,
                                 const std::optional<Time>& owner_pauses_until, const Context& context);

// The update of its own that the device is offered next if its firmware is at hand; null: none may run now.
const std::pair<const UpdateId, UnfinishedUpdate>* next_own(const Device& device,
                                                              const std::optional<Time>& owner_pauses_until, Time now);

}  // namespace ota::domain
