// The users of a nats-server for devices over MQTT, in its configuration's language (docs/nats-mqtt.conf). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ota::ctl {

struct MqttUser {
  std::string device;
  std::string token;                      // its password
};

// A text as one level of a topic: every byte but A-Z a-z 0-9 _ - is %XX.
std::string topic_level(std::string_view text);

// The whole `users` block: the service's own, whose password is taken from the environment, and a user for each device,
// named after it as its topics are, that may say and hear what is its own and nothing else. A device whose name there is
// the service's has none: two users of one name the server refuses, and with them its whole configuration.
std::string mqtt_users_text(const std::vector<MqttUser>& users, std::string_view tenant, std::string_view service_user);

}  // namespace ota::ctl
