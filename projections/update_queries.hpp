// What readers ask of updates: single ones, a campaign's, a device's.
#pragma once

#include <optional>

#include "projections/answers.hpp"
#include "projections/page.hpp"
#include "projections/reader.hpp"
#include "projections/target_sets.hpp"

namespace ota::projections::updates {

std::optional<domain::DeviceUpdate> find(const Reader& reader, const domain::UpdateId& id);
// Or what a target without events shows. `reader` of one moment.
std::optional<domain::DeviceUpdate> find_or_pending(const Reader& reader,
                                                    const domain::UpdateId& id);

// By ordinal: those with events, those that wait for their grant, those that were deleted before
// it. `reader` of one moment.
Page<domain::DeviceUpdate> of_campaign(const Reader& reader, TargetSets& sets,
                                       domain::CampaignId id,
                                       std::optional<domain::UpdateStatus> status,
                                       const PageRequest& page);
// What waits in running campaigns, then what began, newest first (decision 30). `reader` of one
// moment.
Page<domain::DeviceUpdate> of_device(const Reader& reader, const domain::DeviceId& id,
                                     const PageRequest& page);
// Direct ones with that status, oldest first.
Page<domain::DeviceUpdate> direct(const Reader& reader, domain::UpdateStatus status,
                                  const PageRequest& page);

std::optional<ActionRef> action(const Reader& reader, const domain::DeviceId& device,
                                domain::ActionId action);

}  // namespace ota::projections::updates
