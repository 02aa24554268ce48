// Rollbacks, and why a device is not updated, as text. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace ota::ctl {

std::string rollback_text(const nlohmann::json& rollback);
std::string rollbacks_text(const nlohmann::json& page);

// The gates in their order, the first closed one pointed at, and the sentence.
std::string why_text(const nlohmann::json& answer);

}  // namespace ota::ctl
