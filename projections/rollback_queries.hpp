// What readers ask of rollbacks: single ones, lists of a device's or a campaign's.
#pragma once

#include <optional>

#include "projections/answers.hpp"
#include "projections/page.hpp"
#include "projections/reader.hpp"

namespace ota::projections::rollbacks {

// `reader` of one moment, both.
std::optional<domain::DeviceUpdate> find(const Reader& reader, const domain::UpdateId& id);
Page<domain::DeviceUpdate> list(const Reader& reader, const RollbackFilter& filter,
                                const PageRequest& page);

}  // namespace ota::projections::rollbacks
