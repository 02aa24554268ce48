// Devices as text: one, and a table of many.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace ota::ctl {

std::string device_text(const nlohmann::json& device);
std::string devices_text(const nlohmann::json& page);

}  // namespace ota::ctl
