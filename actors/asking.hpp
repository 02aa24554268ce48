// What a device says of itself when it asks for a grant, and where a rollback would take it. Also for those who only want
// to know why it is not updated.
#pragma once

#include <optional>
#include <utility>

#include "domain/campaign/grant.hpp"
#include "domain/device/device.hpp"
#include "projections/views.hpp"

namespace ota::actors {

// For this update of a campaign: a deployment, or the device's part of a rollback.
domain::GrantAsk ask_for(const domain::Device& device, const domain::UpdateId& update, const projections::Views& views,
                         const domain::Settings& settings);

// What the device's owner wants, and as of when that was read; nothing in particular if it has none.
std::pair<domain::User, domain::Position> wishes_of_owner(const domain::Device& device, const projections::Views& views);

// The firmware of the device's own updates, as it is now.
domain::FirmwareShelf shelf_of(const domain::Device& device, const projections::Views& views);

// The firmware of that version for the model that `now` is for.
domain::WayBack way_back(const projections::Views& views, const domain::Device& device, domain::FirmwareId now,
                         const std::string& version);

// Whether its bytes are left where they are ("fetch": false), for who is told over MQTT where that is (decision 29).
bool stays_elsewhere(const projections::Views& views, domain::FirmwareId firmware);

// Of the update that takes a single device back; `from_version` is filled by the decision.
domain::UpdatePlan plan_back(const domain::WayBack& back, domain::RollbackOf rollback);

}  // namespace ota::actors
