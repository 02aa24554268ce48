// The rules of a single device's updates as they are met at the door: BR-OTA-021 to 028, decisions 4, 5, 9 and 16.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

struct Direct : Story {
  Direct() { stage.device("d"); }
  ApiAnswer ask(json fields = json::object(), const std::string& device = "d") {
    if (!fields.contains("firmware_id")) fields["firmware_id"] = v2;
    return post("/devices/" + device + "/update", fields);
  }
  // Asked and cancelled at once: the next one is no duplicate.
  ApiAnswer tried(const json& fields, const std::string& device = "d") {
    auto answer = ask(fields, device);
    if (answer.status == 201) post("/updates/" + answer.json()["update_id"].get<std::string>() + "/cancel");
    return answer;
  }
  void known(const std::string& device, const json& facts) {
    REQUIRE(stage.admin("PUT", "/devices/" + device, facts.dump()).status == 201);
  }
};

struct DirectBounds {
  const char* field;
  int min;
  int max;
  int otherwise;
};

TEST_CASE("BR-OTA-023 to BR-OTA-025: a direct update's fields have bounds and defaults") {
  Direct d;
  CHECK(d.tried(json::object()).json()["priority"] == "normal");
  CHECK(d.tried({{"priority", "emergency"}}).json()["priority"] == "emergency");
  CHECK(d.tried({{"priority", "urgent"}}).status == 422);
  CHECK(d.tried(json::object()).json()["max_retries"] == 3);
  for (const auto& b : {DirectBounds{"max_retries", 0, 10, 3}, DirectBounds{"timeout_minutes", 5, 1'440, 60}}) {
    CAPTURE(b.field);
    CHECK(d.tried({{b.field, b.min}}).status == 201);
    CHECK(d.tried({{b.field, b.max}}).status == 201);
    for (const int outside : {b.min - 1, b.max + 1}) {
      const auto refused = d.tried({{b.field, outside}});
      CHECK(refused.status == 422);
      CHECK(refused.body.find(fmt::format("got {}", outside)) != std::string::npos);
    }
  }
  CHECK(d.tried({{"maintenance_window", {{"start", "02:00"}, {"end", "02:00"}}}}).status == 422);
}

TEST_CASE("BR-OTA-025: without a word of the operator a direct update has sixty minutes") {
  Direct d;
  const std::string update = d.ask({{"max_retries", 0}}).json()["update_id"];
  d.begin("d");
  d.stage.advance(std::chrono::minutes(59));
  CHECK(d.get("/updates/" + update)["status"] == "in_progress");
  d.stage.advance(std::chrono::minutes(2));
  REQUIRE(ApiStage::eventually([&] { return d.get("/updates/" + update)["status"] == "failed"; }));
  CHECK(d.get("/updates/" + update)["error_code"] == "timeout");
}

TEST_CASE("BR-OTA-021: only a device that is here is updated") {
  Direct d;
  const auto refused = d.ask(json::object(), "nobody");
  CHECK(refused.status == 404);
  CHECK(refused.body.find("Device not found") != std::string::npos);
  REQUIRE(d.stage.admin("DELETE", "/devices/d").status == 200);
  CHECK(d.ask().status == 404);
}

TEST_CASE("decision 5: what is known and does not fit is a conflict, what is not known goes on") {
  Direct d;
  auto fields = metadata("3.0.0");
  fields["min_hardware_version"] = "2.0";
  fields["max_hardware_version"] = "2.9";
  const std::string v3 = d.stage.upload("for some hardware", fields).json()["firmware_id"];
  d.known("other", {{"device_model", "XL-9"}});
  d.known("old", {{"device_model", "SF-100"}, {"hardware_version", "1.9"}});
  d.known("fits", {{"device_model", "SF-100"}, {"hardware_version", "2.9"}});
  d.known("silent", json::object());
  const auto other = d.tried({{"firmware_id", v3}}, "other");
  CHECK(other.status == 409);
  CHECK(other.body.find("is a XL-9, the firmware is for SF-100") != std::string::npos);
  const auto old = d.tried({{"firmware_id", v3}}, "old");
  CHECK(old.status == 409);
  CHECK(old.body.find("has hardware 1.9, the firmware is for 2.0..2.9") != std::string::npos);
  CHECK(d.tried({{"firmware_id", v3}, {"force_update", true}}, "other").status == 201);
  CHECK(d.tried({{"firmware_id", v3}, {"force_update", true}}, "old").status == 201);
  CHECK(d.tried({{"firmware_id", v3}}, "fits").status == 201);
  CHECK(d.tried({{"firmware_id", v3}}, "silent").status == 201);
}

TEST_CASE("BR-OTA-026, decision 4: the version that runs is installed again only by force") {
  Direct d;
  const auto refused = d.ask({{"firmware_id", d.v1}});
  CHECK(refused.status == 409);
  CHECK(refused.body.find("force_update") != std::string::npos);
  CHECK(d.ask({{"firmware_id", d.v1}, {"force_update", true}}).status == 201);
  d.update("d", kSucceeded);
  CHECK(d.firmware_version("d") == "1.0.0");
}

TEST_CASE("decision 9: the same firmware is not asked for twice") {
  Direct d;
  CHECK(d.ask().status == 201);
  const auto again = d.ask();
  CHECK(again.status == 409);
  CHECK(again.json()["error"] == "Duplicate");
  CHECK(d.ask({{"firmware_id", d.stage.firmware("3.0.0")}}).status == 201);
}

TEST_CASE("BR-OTA-027, decision 16: commands reach the device with what it installs") {
  Direct d;
  REQUIRE(d.ask({{"pre_update_commands", {"stop app", "sync"}}, {"post_update_commands", {"start app"}}}).status == 201);
  const auto chunk = d.stage.ddi("GET", d.begin("d")).json()["deployment"]["chunks"][0];
  CHECK(chunk["metadata"] == json::array({{{"key", "pre_update"}, {"value", "stop app"}},
                                          {{"key", "pre_update"}, {"value", "sync"}},
                                          {{"key", "post_update"}, {"value", "start app"}}}));
}

TEST_CASE("decision 9: an emergency asks what does not install yet to make room, and nothing else does") {
  Direct d;
  const auto v3 = d.stage.firmware("3.0.0");
  const auto campaign = d.started({"d"}, {{"priority", "high"}});
  const auto action = d.begin("d");
  const std::string update = d.update_of(campaign, "d")["update_id"];
  SUBCASE("a critical one waits") {
    REQUIRE(d.ask({{"firmware_id", v3}, {"priority", "critical"}}).status == 201);
    CHECK(d.links("d").contains("deploymentBase"));
    CHECK(d.get("/updates/" + update)["cancel_requested_at"].is_null());
  }
  SUBCASE("an emergency makes room") {
    REQUIRE(d.ask({{"firmware_id", v3}, {"priority", "emergency"}}).status == 201);
    // Asked before the device says anything, and its next poll hears of it.
    REQUIRE(ApiStage::eventually([&] { return d.get("/updates/" + update)["cancel_requested_at"].is_string(); }));
    CHECK(d.links("d").contains("cancelAction"));
    CHECK_FALSE(d.links("d").contains("deploymentBase"));
    const auto number = action.substr(action.rfind('/') + 1);
    REQUIRE(d.stage.ddi("POST", "/d/cancelAction/" + number + "/feedback", kSucceeded).status == 200);
    CHECK(d.get("/updates/" + update)["status"] == "cancelled");
    CHECK(d.stage.ddi("GET", d.begin("d")).json()["deployment"]["chunks"][0]["version"] == "3.0.0");
  }
  SUBCASE("and takes the place of what was not fetched yet with the very poll") {
    d.report("d", action, kSucceeded);
    REQUIRE(d.ask({{"firmware_id", v3}}).status == 201);
    REQUIRE(d.links("d").contains("deploymentBase"));
    REQUIRE(d.ask({{"firmware_id", d.stage.firmware("4.0.0")}, {"priority", "emergency"}}).status == 201);
    const std::string offered = d.links("d")["deploymentBase"]["href"];
    const auto path = offered.substr(offered.find("/d/deploymentBase"));
    CHECK(d.stage.ddi("GET", path).json()["deployment"]["chunks"][0]["version"] == "4.0.0");
  }
  SUBCASE("what installs is left to end") {
    REQUIRE(d.post("/updates/" + update + "/status", {{"status", "installing"}}).status == 200);
    REQUIRE(d.ask({{"firmware_id", v3}, {"priority", "emergency"}}).status == 201);
    d.links("d");
    d.report("d", action, kSucceeded);
    CHECK(d.get("/updates/" + update)["status"] == "completed");
    CHECK(d.get("/updates/" + update)["cancel_requested_at"].is_null());
    CHECK(d.stage.ddi("GET", d.begin("d")).json()["deployment"]["chunks"][0]["version"] == "3.0.0");
  }
}

}  // namespace
}  // namespace ota::http::test
