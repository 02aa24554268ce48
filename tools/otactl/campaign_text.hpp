// Campaigns and their device updates as text. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace ota::ctl {

std::string campaign_text(const nlohmann::json& campaign);
std::string campaigns_text(const nlohmann::json& page);

std::string update_text(const nlohmann::json& update);
std::string updates_text(const nlohmann::json& page);

}  // namespace ota::ctl
