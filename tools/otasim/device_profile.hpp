// What a device is and does not change: its id, its client, its lasting faults. Plain data.
#pragma once

#include <string>

#include "tools/otasim/client_style.hpp"
#include "tools/otasim/net/http_message.hpp"

namespace ota::sim {

struct DeviceProfile {
  std::string id;
  std::string url;  // of its poll; what it asks for is below
  CallerId caller = 0;
  ClientKind client = ClientKind::kPlain;  // plain over MQTT
  bool over_mqtt = false;
  std::string mqtt_password;
  bool online = true;
  bool slow = false;
  bool always_fails = false;

  const ClientStyle& style() const { return style_of(client); }
};

}  // namespace ota::sim
