// otactl device list | show | update | rollback | token | mqtt-users | delete; device_bulk.cpp has those for many
#include <fmt/format.h>

#include <memory>

#include "tools/otactl/body_options.hpp"
#include "tools/otactl/campaign_text.hpp"
#include "tools/otactl/device_bulk.hpp"
#include "tools/otactl/device_text.hpp"
#include "tools/otactl/json_cells.hpp"
#include "tools/otactl/mqtt_users.hpp"
#include "tools/otactl/rollback_text.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

struct ListRequest {
  std::string limit, offset, cursor;
  std::vector<std::string> where;
};

Query list_query(const ListRequest& request) {
  Query query{{"limit", request.limit}, {"offset", request.offset}, {"cursor", request.cursor}};
  for (const std::string& pair : request.where) {
    const auto equals = pair.find('=');
    query.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return query;
}

void add_device_list(CLI::App& device, Session& session) {
  CLI::App* command = add_command(device, "list", "List devices");
  const auto request = std::make_shared<ListRequest>();
  command->add_option("--where", request->where, "Filter name=value; may be repeated")
      ->allow_extra_args(false)
      ->check([](const std::string& pair) {
        const auto equals = pair.find('=');
        return equals == std::string::npos || equals == 0 || equals + 1 == pair.size()
                   ? fmt::format("'{}' is not name=value", pair)
                   : std::string{};
      });
  command->add_option("--limit", request->limit, "Rows at most, 1-200");
  command->add_option("--offset", request->offset, "Rows to skip");
  command->add_option("--cursor", request->cursor, "Go on behind the page that named this cursor");
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) {
      session.print(client.get(with_query("/devices", list_query(*request))), devices_text);
      return 0;
    };
  });
}

void add_update(CLI::App& device, Session& session) {
  CLI::App* command = add_command(device, "update", "Update one device, outside of any campaign");
  const auto id = std::make_shared<std::string>();
  const auto body = std::make_shared<json>(json::object());
  command->add_option("DEVICE", *id, "Device id")->required();
  BodyOptions options{*command, body};
  add_direct_update_options(options);
  command->callback([&session, id, body] {
    session.action = [&session, id, body](ServiceClient& client) {
      session.print(client.post("/devices/" + escape(*id) + "/update", *body), update_text);
      return 0;
    };
  });
}

void add_rollback(CLI::App& device, Session& session) {
  CLI::App* command =
      add_command(device, "rollback", "Take one device back to a version that it had");
  const auto id = std::make_shared<std::string>();
  const auto body = std::make_shared<json>(json::object());
  command->add_option("DEVICE", *id, "Device id")->required();
  BodyOptions options{*command, body};
  options.text("--to", "to_version", "The version, one that the device had")->required();
  options.text("--reason", "reason", "Why")->required();
  command->callback([&session, id, body] {
    session.action = [&session, id, body](ServiceClient& client) {
      session.print(client.post("/devices/" + escape(*id) + "/rollback", *body), rollback_text);
      return 0;
    };
  });
}

void add_by_id(CLI::App& device, Session& session, const std::string& verb,
               const std::string& description) {
  CLI::App* command = add_command(device, verb, description);
  const auto id = std::make_shared<std::string>();
  command->add_option("DEVICE", *id, "Device id")->required();
  command->callback([&session, id, verb] {
    session.action = [&session, id, verb](ServiceClient& client) {
      const std::string path = "/devices/" + escape(*id);
      if (verb == "show")
        session.print(client.get(path), device_text);
      else
        session.print(client.remove(path), [&id](const json&) { return "deleted " + *id + "\n"; });
      return 0;
    };
  });
}

// The bare token, so that it can be put into a device's configuration by a script.
std::string token_text(const json& answer) { return answer.value("token", "") + "\n"; }

void add_token(CLI::App& device, Session& session) {
  CLI::App* command = add_command(device, "token", "The token by which a device shows who it is");
  const auto id = std::make_shared<std::string>();
  const auto rotate = std::make_shared<bool>(false);
  const auto body = std::make_shared<json>(json::object());
  command->add_option("DEVICE", *id, "Device id")->required();
  command->add_flag("--rotate", *rotate, "Replace it");
  BodyOptions options{*command, body};
  options.integer("--grace-minutes", "grace_minutes", "With --rotate: so long the one before is good as well");
  command->callback([&session, id, rotate, body] {
    if (!*rotate && !body->empty()) throw CLI::ValidationError("--grace-minutes", "needs --rotate");
    session.action = [&session, id, rotate, body](ServiceClient& client) {
      const auto path = "/devices/" + escape(*id) + "/token";
      session.print(*rotate ? client.post(path + "/rotate", *body) : client.get(path), token_text);
      return 0;
    };
  });
}

// Every device's id and token, page by page.
std::vector<MqttUser> read_mqtt_users(ServiceClient& client) {
  constexpr const char* kPage = "200";
  std::vector<MqttUser> users;
  std::string cursor;
  do {
    const auto page = expect_json(client.get(with_query("/devices", {{"limit", kPage}, {"cursor", cursor}})));
    for (const auto& row : page.at("devices")) {
      const auto device = row.at("device_id").get<std::string>();
      const auto token = expect_json(client.get("/devices/" + escape(device) + "/token"));
      users.push_back({device, token.at("token").get<std::string>()});
    }
    const auto& next = page.at("next_cursor");
    cursor = next.is_string() ? next.get<std::string>() : std::string();
  } while (!cursor.empty());
  return users;
}

void add_mqtt_users(CLI::App& device, Session& session) {
  CLI::App* command = add_command(device, "mqtt-users", "The users of a nats-server for devices over MQTT, for its configuration");
  const auto tenant = std::make_shared<std::string>("DEFAULT");
  const auto service_user = std::make_shared<std::string>("ota_service");
  command->add_option("--tenant", *tenant, "As ddi.tenant")->capture_default_str();
  command->add_option("--service-user", *service_user, "As mqtt.user")->capture_default_str();
  command->callback([&session, tenant, service_user] {
    session.action = [tenant, service_user](ServiceClient& client) {
      fmt::print("{}", mqtt_users_text(read_mqtt_users(client), *tenant, *service_user));
      return 0;
    };
  });
}

}  // namespace

void add_device_commands(CLI::App& app, Session& session) {
  CLI::App* device =
      add_command(app, "device", "Devices: list, show, update, import, roll back, delete");
  add_device_list(*device, session);
  add_by_id(*device, session, "show", "Show one device");
  add_update(*device, session);
  add_device_bulk_commands(*device, session);
  add_rollback(*device, session);
  add_token(*device, session);
  add_mqtt_users(*device, session);
  add_by_id(*device, session, "delete", "Delete a device; its updates are cancelled");
}

}  // namespace ota::ctl
