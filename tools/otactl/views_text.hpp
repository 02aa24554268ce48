// The views, a rebuild and a comparison as text. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "projections/comparison.hpp"

namespace ota::ctl {

// Of GET /views.
std::string views_text(const nlohmann::json& state);
// Of its `last_rebuild`.
std::string rebuild_text(const nlohmann::json& outcome);
// Of its `last_verification`: a line for each table that differs, and one for each row that is named.
std::string comparison_text(const nlohmann::json& outcome);
// What was found without the service, as the service would show it.
nlohmann::json comparison_json(const projections::Comparison& found);

}  // namespace ota::ctl
