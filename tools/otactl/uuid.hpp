// Random UUIDs (version 4) for idempotency keys.
#pragma once

#include <string>

namespace ota::ctl {

// Answers 36 characters from the system's randomness; throws when there is none.
std::string random_uuid();

}  // namespace ota::ctl
