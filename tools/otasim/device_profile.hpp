// What a device is and does not change: its id, its lines, its lasting faults. Plain data.
#pragma once

#include <string>

#include "tools/otasim/net/http_message.hpp"

namespace ota::sim {

struct DeviceProfile {
  std::string id;
  CallerId caller = 0;
  bool online = true;
  bool slow = false;
  bool always_fails = false;
};

}  // namespace ota::sim
