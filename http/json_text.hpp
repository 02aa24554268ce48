// From the text of a request body to a JSON value, with limits.
//
// One pass, no recursion (handlers have small stacks). Of a name given twice the last value stands.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "http/problem.hpp"

namespace ota::http {

// The value, or a 400 that names line, column and what was found there; nesting deeper than
// limits::kJsonDepth is 400 too.
std::variant<nlohmann::json, Problem> parse_json(std::string_view text);
// The same for a line of a file: the value, or what is wrong with the line ("is not valid JSON: column 3: ...").
std::variant<nlohmann::json, std::string> parse_json_line(std::string_view line);

}  // namespace ota::http
