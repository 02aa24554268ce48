// The service's log: one JSON object a line, to standard error.
#pragma once

#include <string>

namespace ota::tools {

// `level`: debug, info, warning or error.
void log_json_lines(const std::string& level);

}  // namespace ota::tools
