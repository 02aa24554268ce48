#include "tools/otactl/mqtt_users.hpp"

#include <fmt/format.h>

namespace ota::ctl {
namespace {

// The server's parser wants the entries of a map on lines of their own.
constexpr const char* kService = R"(  {{
    user: "{user}"
    password: $OTA_MQTT_PASSWORD
    allowed_connection_types: ["STANDARD", "MQTT"]
    permissions: {{
      publish: {{
        allow: [
          "ota.{tenant}.*.down"
          "ota.{tenant}.*.reply"
          "$JS.API.STREAM.INFO.ota-devices"
          "$JS.API.STREAM.CREATE.ota-devices"
          "$JS.API.STREAM.UPDATE.ota-devices"
          "$JS.API.CONSUMER.INFO.ota-devices.ota_service_devices"
          "$JS.API.CONSUMER.DURABLE.CREATE.ota-devices.ota_service_devices"
          "$JS.API.CONSUMER.DELETE.ota-devices.ota_service_devices"
          "$JS.API.CONSUMER.MSG.NEXT.ota-devices.ota_service_devices"
          "$JS.ACK.ota-devices.ota_service_devices.>"
        ]
      }}
      subscribe: {{
        allow: ["_INBOX.>"]
      }}
    }}
  }}
)";

constexpr const char* kDevice = R"(  # {name}
  {{
    user: "{level}"
    password: "{token}"
    allowed_connection_types: ["MQTT"]
    permissions: {{
      publish: {{
        allow: ["ota.{tenant}.{level}.up"]
      }}
      subscribe: {{
        allow: [
          "ota.{tenant}.{level}.down"
          "ota.{tenant}.{level}.reply"
          "$MQTT.sub.>"
        ]
      }}
    }}
  }}
)";

}  // namespace

std::string topic_level(std::string_view text) {
  std::string level;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    level += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return level;
}

std::string mqtt_users_text(const std::vector<MqttUser>& users, std::string_view tenant, std::string_view service_user) {
  const auto level_of_tenant = topic_level(tenant);
  std::string text = "users: [\n";
  text += fmt::format(fmt::runtime(kService), fmt::arg("user", service_user), fmt::arg("tenant", level_of_tenant));
  for (const auto& user : users) {
    if (topic_level(user.device) == service_user) {
      text += fmt::format("  # {} has the name of the service's own user, and none of its own: see --service-user\n", user.device);
      continue;
    }
    // A device's id has no control characters: it cannot end the comment's line.
    text += fmt::format(fmt::runtime(kDevice), fmt::arg("name", user.device), fmt::arg("level", topic_level(user.device)),
                        fmt::arg("token", user.token), fmt::arg("tenant", level_of_tenant));
  }
  return text + "]\n";
}

}  // namespace ota::ctl
