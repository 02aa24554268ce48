// A moment as text: "2026-05-01T09:30:00.000000Z", always UTC and to the microsecond.
#pragma once

#include <string>

#include "domain/words.hpp"

namespace ota::domain {

std::string time_text(Time time);

}  // namespace ota::domain
