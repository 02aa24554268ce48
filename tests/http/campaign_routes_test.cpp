// Campaigns through the door: what operators may ask for, and what they are told.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/http/api_stage.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

constexpr const char* kAsAda = "X-User-Id: ada\r\n";
constexpr const char* kAsBob = "X-User-Id: bob\r\n";

struct Campaigns {
  ApiStage stage;
  std::string firmware = stage.firmware("2.0.0");

  ApiAnswer create(json fields) {
    fields["name"] = "spring";
    fields["firmware_id"] = firmware;
    if (!fields.contains("target_devices")) fields["target_devices"] = {"d"};
    return stage.admin("POST", "/campaigns", fields.dump(), kAsAda);
  }
  std::string created(const json& fields) {
    const auto answer = create(fields);
    REQUIRE_MESSAGE(answer.status == 201, answer.body);
    return "/campaigns/" + answer.json()["campaign_id"].get<std::string>();
  }
  ApiAnswer post(const std::string& path, const json& body = json::object(),
                 const char* as = kAsAda) {
    return stage.admin("POST", path, body.dump(), as);
  }
};

json many(std::size_t count) {
  json devices = json::array();
  for (std::size_t i = 0; i < count; ++i) devices.push_back("d" + std::to_string(i));
  return devices;
}

TEST_CASE("a canary says what it is judged by, and what is done in a fleet that is too small") {
  Campaigns c;
  const auto large = c.created({{"deployment_strategy", "canary"}, {"target_devices", many(200)}});
  const auto canary = c.stage.admin("GET", large).json()["canary"];
  CHECK(canary["rule"] == "evidence");
  CHECK(canary["devices"] == 46);
  CHECK(canary["p1_percent"] == 20.0);
  CHECK(canary["text"].get<std::string>().find("46 devices go first") == 0);
  const auto small = c.created({{"deployment_strategy", "canary"}, {"target_devices", many(30)}});
  const auto slice = c.stage.admin("GET", small).json()["canary"];
  CHECK(slice["rule"] == "slice");
  CHECK(slice["devices"] == 3);
  CHECK(slice["text"].get<std::string>().find("too small") != std::string::npos);
  const auto staged = c.created(json::object());
  CHECK(c.stage.admin("GET", staged).json()["canary"].is_null());
}

TEST_CASE("rates that no canary could tell apart are refused, by field") {
  Campaigns c;
  const auto answer = c.create({{"deployment_strategy", "canary"},
                                {"canary_p0_percent", 10},
                                {"canary_p1_percent", 5}});
  CHECK(answer.status == 422);
  CHECK(answer.faults().find("canary_p0_percent") != std::string::npos);
  for (const auto* name : {"canary_p0_percent", "canary_p1_percent"}) {
    const auto tiny = c.create({{"deployment_strategy", "canary"}, {name, 0.004}});
    CHECK(tiny.status == 422);
    CHECK(tiny.faults().find(name) != std::string::npos);
    CHECK(tiny.json().dump().find("0.01 or more, got 0.004") != std::string::npos);
  }
}

TEST_CASE("decision 19: the approver is another person, and nothing starts without the approval") {
  Campaigns c;
  const auto path = c.created({{"requires_approval", true}});
  CHECK(c.stage.admin("GET", path).json()["approved"].is_null());
  CHECK(c.post(path + "/start").status == 409);
  // A word of approval is said, not left out.
  CHECK(c.post(path + "/approve", {{"approval_comment", "fine"}}, kAsBob).faults() == "approved: missing\n");
  CHECK(c.post(path + "/approve", {{"approved", nullptr}}, kAsBob).status == 422);
  CHECK(c.stage.admin("POST", path + "/approve", "", kAsBob).status == 422);
  CHECK(c.post(path + "/approve", {{"approved", true}}, kAsAda).status == 409);
  CHECK(c.post(path + "/approve", {{"approved", true}}, "").status == 409);
  const auto refused =
      c.post(path + "/approve", {{"approved", false}, {"approval_comment", "not on a Friday"}}, kAsBob);
  CHECK(refused.json()["approved"] == false);
  CHECK(refused.json()["approval_comment"] == "not on a Friday");
  CHECK(c.post(path + "/start").status == 409);
  const auto approved = c.post(path + "/approve", {{"approved", true}}, kAsBob);
  CHECK(approved.json()["approved"] == true);
  CHECK(approved.json()["approved_by"] == "bob");
  CHECK(c.post(path + "/start").status == 200);
}

TEST_CASE("a scheduled campaign waits for its start") {
  Campaigns c;
  CHECK(c.create({{"deployment_strategy", "scheduled"}}).status == 422);
  const auto path = c.created({{"deployment_strategy", "scheduled"},
                               {"scheduled_start", "2100-01-01T00:00:00Z"}});
  CHECK(c.post(path + "/start").json()["status"] == "scheduled");
  CHECK(c.post(path + "/start").status == 200);
  CHECK(c.post(path + "/cancel").json()["status"] == "cancelled");
}

TEST_CASE("finish needs a reason, and cancels what is not granted") {
  Campaigns c;
  const auto path = c.created(json::object());
  CHECK(c.post(path + "/finish", {{"reason", "enough"}}).status == 409);
  REQUIRE(c.post(path + "/start").status == 200);
  CHECK(c.post(path + "/finish").status == 422);
  CHECK(c.post(path + "/finish", {{"reason", "enough"}}).json()["cancelled_devices"] == 1);
  CHECK(ApiStage::eventually(
      [&] { return c.stage.admin("GET", path).json()["status"] == "completed"; }));
}

TEST_CASE("only a canary can be promoted") {
  Campaigns c;
  const auto staged = c.created(json::object());
  REQUIRE(c.post(staged + "/start").status == 200);
  CHECK(c.post(staged + "/promote").status == 409);
  const auto canary = c.created({{"deployment_strategy", "canary"}, {"target_devices", many(200)}});
  CHECK(c.post(canary + "/promote").status == 409);
  REQUIRE(c.post(canary + "/start").status == 200);
  const auto promoted = c.post(canary + "/promote", {{"reason", "looks fine"}});
  CHECK(promoted.status == 200);
  CHECK(promoted.json()["canary"]["promoted"] == true);
}

TEST_CASE("decision 2: a recall pauses what runs, and nothing of it begins again") {
  Campaigns c;
  c.stage.device("d");
  const auto path = c.created(json::object());
  REQUIRE(c.post(path + "/start").status == 200);
  // One that installs is left to finish, and the campaign waits for it.
  const auto action = "/d/deploymentBase/" + c.stage.offered("d");
  REQUIRE(c.stage.ddi("GET", action).status == 200);
  const std::string update = c.stage.admin("GET", path + "/updates").json()["updates"][0]["update_id"];
  REQUIRE(c.post("/updates/" + update + "/status", {{"status", "installing"}}).status == 200);
  const auto recalled = c.post("/firmware/" + c.firmware + "/recall", {{"reason", "bricks"}});
  CHECK(recalled.status == 200);
  CHECK(recalled.json()["status"] == "recalled");
  CHECK(ApiStage::eventually(
      [&] { return c.stage.admin("GET", path).json()["status"] == "paused"; }));
  CHECK(c.post(path + "/resume").status == 409);
  CHECK(c.post("/firmware/" + c.firmware + "/restore").status == 409);
  CHECK(c.create(json::object()).status == 409);
  CHECK(c.stage.admin("GET", path).json()["status"] == "paused");
  REQUIRE(c.post("/updates/" + update + "/status", {{"status", "completed"}}).status == 200);
  CHECK(ApiStage::eventually([&] { return c.stage.admin("GET", path).json()["status"] == "completed"; }));
}

TEST_CASE("decision 2: the devices that have a recalled firmware are counted, and listed page by page") {
  Campaigns c;
  const auto runs = [&](const std::string& device, const std::string& model, const std::string& version) {
    const json facts{{"device_model", model}, {"firmware_version", version}};
    REQUIRE(c.stage.admin("PUT", "/devices/" + device, facts.dump()).status == 201);
  };
  runs("a", "SF-100", "2.0.0");
  runs("b", "SF-100", "2.0.0+build7");   // decision 3: the same version
  runs("c", "SF-100", "2.00.0");
  runs("other-model", "SF-200", "2.0.0");
  runs("other-version", "SF-100", "2.0.1");
  runs("gone", "SF-100", "2.0.0");
  REQUIRE(c.stage.admin("DELETE", "/devices/gone").status == 200);
  const auto recalled = c.post("/firmware/" + c.firmware + "/recall", {{"reason", "bricks"}}).json();
  CHECK(recalled["devices_running"] == 3);
  CHECK(recalled["devices"] == "/api/v1/ota/firmware/" + c.firmware + "/devices");
  std::string found;
  std::string cursor;
  do {
    const auto page = c.stage.admin("GET", "/firmware/" + c.firmware + "/devices?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
    REQUIRE(page.status == 200);
    const auto shown = page.json();
    for (const auto& device : shown["devices"]) found += device["device_id"].get<std::string>() + " ";
    cursor = shown["next_cursor"].is_null() ? "" : shown["next_cursor"].get<std::string>();
  } while (!cursor.empty());
  CHECK(found == "a b c ");
  CHECK(c.stage.admin("GET", "/firmware/nonsense/devices").status == 404);
  CHECK(c.stage.admin("GET", "/firmware/" + c.firmware + "/devices?cursor=zz").faults() == "cursor: value_error\n");
  CHECK_FALSE(c.stage.admin("GET", "/firmware/" + c.firmware).json().contains("devices_running"));
}

TEST_CASE("decision 14: a maintenance window is checked field by field") {
  Campaigns c;
  const auto faults = [&](const char* start, const char* end, const char* zone) {
    const auto answer = c.create(
        {{"maintenance_window", {{"start", start}, {"end", end}, {"timezone", zone}}}});
    return answer.status == 201 ? std::string("none") : answer.faults();
  };
  CHECK(faults("22:00", "05:00", "Europe/Amsterdam") == "none");
  CHECK(faults("22:00", "05:00", "device") == "none");
  CHECK(faults("22:00", "22:00", "UTC").find("end") != std::string::npos);
  CHECK(faults("24:00", "05:00", "UTC").find("start") != std::string::npos);
  CHECK(faults("22:00", "05:00", "Mars/Olympus").find("timezone") != std::string::npos);
}

}  // namespace
}  // namespace ota::http::test
