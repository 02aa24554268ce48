#include "tests/http/story.hpp"

#include <doctest/doctest.h>

namespace ota::http::test {

using nlohmann::json;

std::string Story::started(const json& devices, json fields) {
  fields["name"] = "story";
  fields["firmware_id"] = v2;
  fields["target_devices"] = devices;
  if (!fields.contains("deployment_strategy")) fields["deployment_strategy"] = "immediate";
  if (!fields.contains("max_concurrent_updates")) fields["max_concurrent_updates"] = 1'000;
  if (!fields.contains("max_retries")) fields["max_retries"] = 0;
  const auto created = post("/campaigns", fields);
  REQUIRE_MESSAGE(created.status == 201, created.body);
  const auto path = "/campaigns/" + created.json()["campaign_id"].get<std::string>();
  const auto answer = post(path + "/start");
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
  return path;
}

ApiAnswer Story::post(const std::string& path, const json& body) { return stage.admin("POST", path, body.dump()); }

bool Story::becomes(const std::string& path, const std::string& status) {
  const bool became = ApiStage::eventually([&] { return get(path)["status"] == status; });
  if (!became) MESSAGE(get(path).dump(1));
  return became;
}

std::string Story::begin(const std::string& device) {
  const auto path = "/" + device + "/deploymentBase/" + stage.offered(device);
  REQUIRE(stage.ddi("GET", path).status == 200);
  return path;
}

std::string Story::report(const std::string& device, const std::string& action, const char* feedback) {
  const auto answer = stage.ddi("POST", action + "/feedback", feedback);
  REQUIRE_MESSAGE(answer.status == 200, (device + ": " + answer.body));
  return action;
}

void Story::update(const std::string& device, const char* feedback) { report(device, begin(device), feedback); }

void Story::says(const std::string& device, const std::string& key, const std::string& value) {
  const auto answer = stage.ddi("PUT", "/" + device + "/configData", json{{"data", {{key, value}}}}.dump());
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
}

json Story::links(const std::string& device) {
  const auto poll = stage.ddi("GET", "/" + device);
  REQUIRE_MESSAGE(poll.status == 200, poll.body);
  return poll.json().value("_links", json::object());
}

json Story::update_of(const std::string& campaign, const std::string& device) {
  const auto page = get(campaign + "/updates?limit=200");
  for (const auto& update : page["updates"]) {
    if (update["device_id"] == device) return update;
  }
  return nullptr;
}

}  // namespace ota::http::test
