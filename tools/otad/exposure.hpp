// Who gets in: what an operator has to know about a configuration that is allowed and may not be meant.
#pragma once

#include <string>
#include <vector>

#include "tools/otad/config.hpp"

namespace ota::tools {

// A sentence each, for the log at the start: administration that strangers reach or that nobody reaches, devices that are
// believed without a credential. None is a reason not to start.
std::vector<std::string> exposure_of(const Config& config);

}  // namespace ota::tools
