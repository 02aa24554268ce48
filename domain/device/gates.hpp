// What stands before an update of a device's own: one that was asked for directly, or takes the device back (decision 9).
// GrantDirect grants the first of a device's own updates for which all of these are open.
#pragma once

#include <string>
#include <vector>

#include "domain/device/device.hpp"
#include "domain/gate.hpp"

namespace ota::domain {

// The owner has paused updates. Nothing that takes a device back waits for that.
bool is_paused_by_owner(const UnfinishedUpdate& update, const std::optional<Time>& until, Time now);

// `update` must be one of the device's unfinished ones.
std::vector<GateState> own_gates(const Device& device, const UpdateId& update, const FirmwareShelf& shelf,
                                 const std::optional<Time>& owner_pauses_until, const Context& context);

// The updates of its own that may run now, in the order in which the device is offered them. One whose firmware is not at hand
// is not among them: it lets the next one try.
std::vector<const std::pair<const UpdateId, UnfinishedUpdate>*> own_in_order(
    const Device& device, const std::optional<Time>& owner_pauses_until, const FirmwareShelf& shelf, Time now);
// Would this one, which waits, be granted if nothing else were under way?
bool may_run(const Device& device, const std::pair<const UpdateId, UnfinishedUpdate>& entry,
             const std::optional<Time>& owner_pauses_until, const FirmwareShelf& shelf, Time now);

// Why this update of the device's own would be skipped as things are; empty: it would not. Versions and models are compared at
// the grant, since much may have happened since the request (decisions 4 and 5).
std::optional<UpdateSkipped> skip_own(const Device& device, const UpdatePlan& plan, const FirmwareShelf& shelf);
// What is not known of the device, and taken to fit (decision 5, BR-OTA-022).
std::vector<std::string> unknowns(const DeviceFacts& device, const FirmwareFacts& firmware);
// Known and different, in words; empty: it fits.
std::string misfit(const DeviceFacts& device, const FirmwareFacts& firmware);

}  // namespace ota::domain
