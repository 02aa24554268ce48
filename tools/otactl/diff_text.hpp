// What changed between two moments, for people.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace ota::ctl {

// `answer`: of GET /diff.
std::string diff_text(const nlohmann::json& answer);

}  // namespace ota::ctl
