// Updates as they are shown: with the gate that they wait at (`waiting_for`), which no row of the views knows.
//
// Whoever would grant them is asked, in memory: a campaign once for each row, about a page at a time. Each asks only for
// what is created or scheduled; the rest waits for nothing.
#pragma once

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "http/api.hpp"

namespace ota::http {

nlohmann::json shown_update(Api& api, const domain::DeviceUpdate& update);
// A page of one device's: all of its gates are asked for together.
nlohmann::json shown_history(Api& api, const domain::DeviceId& device, const std::vector<domain::DeviceUpdate>& page);

}  // namespace ota::http
