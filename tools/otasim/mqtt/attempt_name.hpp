// Which attempt a device over MQTT speaks of. Plain data.
#pragma once

#include <cstdint>
#include <string>

namespace ota::sim {

struct AttemptName {
  std::string update;
  std::int64_t attempt = 0;
  bool operator==(const AttemptName&) const = default;
};

}  // namespace ota::sim
