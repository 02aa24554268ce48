// The rules of campaigns as they are met at the door: BR-OTA-012 to 020, and rollbacks beside other work.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include "http/time_format.hpp"
#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

struct Made : Story {
  ApiAnswer create(json fields) {
    if (!fields.contains("name")) fields["name"] = "made";
    fields["firmware_id"] = v2;
    if (!fields.contains("target_devices")) fields["target_devices"] = {"d"};
    return post("/campaigns", fields);
  }
  int status_of(const char* field, const json& value) { return create({{field, value}}).status; }
};

struct Bounds {
  const char* field;
  int min;
  int max;
  int otherwise;
};

TEST_CASE("BR-OTA-015 to BR-OTA-019: a campaign's numbers have bounds and defaults") {
  Made m;
  const auto shown = m.create(json::object()).json();
  for (const auto& b : {Bounds{"rollout_percentage", 1, 100, 100}, Bounds{"max_concurrent_updates", 1, 1'000, 10},
                        Bounds{"batch_size", 1, 500, 50}, Bounds{"timeout_minutes", 5, 1'440, 60},
                        Bounds{"failure_threshold_percent", 1, 100, 20}, Bounds{"max_retries", 0, 10, 3}}) {
    CAPTURE(b.field);
    CHECK(shown[b.field] == b.otherwise);
    CHECK(m.status_of(b.field, b.min) == 201);
    CHECK(m.status_of(b.field, b.max) == 201);
    CHECK(m.status_of(b.field, b.min + 0.5) == 422);
    for (const int outside : {b.min - 1, b.max + 1}) {
      const auto refused = m.create({{b.field, outside}});
      CHECK(refused.status == 422);
      CHECK(refused.body.find(b.field) != std::string::npos);
      CHECK(refused.body.find(fmt::format("got {}", outside)) != std::string::npos);
    }
  }
}

TEST_CASE("BR-OTA-013, BR-OTA-014, BR-OTA-020: a campaign's words have a list and a default") {
  Made m;
  const auto shown = m.create(json::object()).json();
  CHECK(shown["deployment_strategy"] == "staged");
  CHECK(shown["priority"] == "normal");
  CHECK(shown["auto_rollback"] == true);
  for (const char* strategy : {"immediate", "staged", "canary", "blue_green"}) {
    CHECK(m.create({{"deployment_strategy", strategy}}).json()["deployment_strategy"] == strategy);
  }
  for (const char* priority : {"low", "normal", "high", "critical", "emergency"}) {
    CHECK(m.create({{"priority", priority}}).json()["priority"] == priority);
  }
  CHECK(m.status_of("deployment_strategy", "yolo") == 422);
  CHECK(m.status_of("priority", "urgent") == 422);
  CHECK(m.create({{"auto_rollback", false}}).json()["auto_rollback"] == false);
  CHECK(m.status_of("auto_rollback", "no") == 422);
}

TEST_CASE("BR-OTA-012: targets are listed, of a group or found by a filter, and count once") {
  Story s;
  const auto device = [&](const std::string& id, const json& facts) {
    REQUIRE(s.stage.admin("PUT", "/devices/" + id, facts.dump()).status == 201);
  };
  device("listed", {{"device_model", "SF-100"}});
  device("grouped", {{"device_model", "SF-100"}, {"groups", {"lobby", "eu"}}});
  device("found", {{"device_model", "SF-100"}, {"firmware_version", "1.2.0"}});
  device("all-three", {{"device_model", "SF-100"}, {"firmware_version", "1.2.0"}, {"groups", {"lobby"}}});
  device("other-model", {{"device_model", "XL-9"}, {"groups", {"lobby"}}});
  device("untouched", {{"device_model", "SF-100"}, {"firmware_version", "1.0.0"}, {"groups", {"eu"}}});
  const auto created = s.post("/campaigns", {{"name", "x"},
                                             {"firmware_id", s.v2},
                                             {"target_devices", {"listed", "all-three", "not-seen-yet"}},
                                             {"target_groups", {"lobby"}},
                                             {"target_filters", {{"firmware_version", {{"gte", "1.2.0"}}}}}});
  REQUIRE_MESSAGE(created.status == 201, created.body);
  CHECK(created.json()["target_device_count"] == 6);
  CHECK(created.json()["excluded"] == json{{"incompatible_model", 1}});
  CHECK(created.json()["total_devices"] == 5);
  CHECK(s.post("/campaigns", {{"name", "x"}, {"firmware_id", s.v2}}).status == 422);
}

TEST_CASE("BR-OTA-011: what cannot be a firmware's id is not found, as one that is not there") {
  Made m;
  m.stage.device("d");
  for (const char* id : {"nonsense", "00112233445566778899aabbccddeeff"}) {
    for (const auto& [path, more] : {std::pair<std::string, json>{"/campaigns", {{"name", "x"}, {"target_devices", {"d"}}}},
                                     {"/devices/d/update", json::object()}}) {
      CAPTURE(path);
      auto body = more;
      body["firmware_id"] = id;
      const auto answer = m.post(path, body);
      CHECK(answer.status == 404);
      CHECK(answer.json()["message"] == std::string("Firmware not found: ") + id);
      // Other bad fields are named first: all of them.
      body["priority"] = "urgent";
      CHECK(m.post(path, body).faults() == "priority: enum\n");
    }
  }
  CHECK(m.post("/campaigns", {{"name", "x"}, {"target_devices", {"d"}}}).faults() == "firmware_id: missing\n");
  CHECK(m.post("/campaigns", {{"name", "x"}, {"target_devices", {"d"}}, {"firmware_id", 7}}).faults() ==
        "firmware_id: string_type\n");
}

TEST_CASE("a campaign neither begins nor ends in the past, and does not end before it begins") {
  Made m;
  const auto in = [&](int minutes) { return format_time(m.stage.service().now() + std::chrono::minutes(minutes)); };
  CHECK(m.create({{"scheduled_end", in(10)}}).status == 201);
  CHECK(m.create({{"scheduled_start", in(10)}, {"scheduled_end", in(20)}}).status == 201);
  const auto over = m.create({{"scheduled_end", in(-10)}});
  CHECK(over.faults() == "scheduled_end: value_error\n");
  CHECK(over.body.find(in(-10)) != std::string::npos);
  CHECK(m.create({{"scheduled_end", in(0)}}).status == 422);
  const auto before = m.create({{"scheduled_start", in(20)}, {"scheduled_end", in(10)}});
  CHECK(before.faults() == "scheduled_end: value_error\n");
  CHECK(before.body.find(in(10) + " is not after scheduled_start, " + in(20)) != std::string::npos);
  const auto both = m.create({{"scheduled_start", in(-20)}, {"scheduled_end", in(-10)}});
  CHECK(both.faults() == "scheduled_start: value_error\nscheduled_end: value_error\n");
  CHECK(both.body.find(in(-20) + " is not in the future") != std::string::npos);
}

TEST_CASE("a list of campaigns shows each as it is shown by itself") {
  Made m;
  m.stage.device("a");
  m.stage.device("b");
  const auto first = m.started({"a", "b"});
  const auto second = m.create({{"target_devices", {"a"}}}).json();
  const auto rows = m.get("/campaigns")["campaigns"];
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == m.get("/campaigns/" + second["campaign_id"].get<std::string>()));
  CHECK(rows[1] == m.get(first));
  CHECK(rows[1]["targeted_devices"] == json{"a", "b"});
  CHECK(rows[1]["firmware"]["version"] == "2.0.0");
}

TEST_CASE("the verdict of a threshold says of what it counted, and names the threshold") {
  Story s;
  for (const char* device : {"a", "b", "c", "d", "e"}) s.stage.device(device);
  const auto campaign = s.started({"a", "b", "c", "d", "e"}, {{"min_finished_for_verdict", 2}});
  s.update("a", kFailed);
  s.update("b", kFailed);
  REQUIRE(ApiStage::eventually([&] { return !s.get(campaign)["verdict"].is_null(); }));
  const auto verdict = s.get(campaign)["verdict"];
  CHECK(verdict["rule"] == "threshold");
  CHECK(verdict["decision"] == "abort");
  CHECK(verdict["threshold_percent"] == 20);
  CHECK(verdict["of_total"].is_boolean());
  CHECK(verdict["failed"].is_number());
  CHECK(verdict["counted"].is_number());
  CHECK(verdict["text"].is_string());
  CHECK_FALSE(verdict.contains("p0_percent"));
}

TEST_CASE("the verdict of a canary names the rates that it told apart, and no threshold") {
  Story s;
  json devices = json::array();
  for (int i = 0; i < 30; ++i) devices.push_back("d" + std::to_string(i));
  for (const std::string device : devices) s.stage.device(device);
  const auto campaign = s.started(devices, {{"deployment_strategy", "canary"}, {"failure_threshold_percent", 50},
                                            {"canary_p0_percent", 0.5}, {"canary_p1_percent", 90}});
  for (const std::string device : devices) {
    if (s.links(device).contains("deploymentBase")) s.update(device, kFailed);
    if (s.get(campaign)["status"] != "in_progress") break;
  }
  REQUIRE(ApiStage::eventually([&] { return !s.get(campaign)["verdict"].is_null(); }));
  const auto verdict = s.get(campaign)["verdict"];
  CHECK(verdict["rule"] == "evidence");
  CHECK(verdict["decision"] == "abort");
  CHECK(verdict["p0_percent"] == 0.5);
  CHECK(verdict["p1_percent"] == 90.0);
  CHECK(verdict["more"] == 0);
  CHECK(verdict["failed"] == verdict["counted"]);
  CHECK_FALSE(verdict.contains("threshold_percent"));
}

TEST_CASE("BR-OTA-012, decision 11: a campaign without devices is allowed, and completes at its start") {
  Story s;
  const auto campaign = s.started(json::array());
  CHECK(s.becomes(campaign, "completed"));
  CHECK(s.get(campaign)["total_devices"] == 0);
  CHECK(s.get(campaign)["progress_percentage"] == 0.0);
}

TEST_CASE("BR-OTA-011: a campaign needs a firmware that is here and available") {
  Story s;
  const auto create = [&](const std::string& firmware) {
    return s.post("/campaigns", {{"name", "x"}, {"firmware_id", firmware}, {"target_devices", {"d"}}});
  };
  const auto unknown = create(std::string(32, '0'));
  CHECK(unknown.status == 404);
  CHECK(unknown.body.find("Firmware not found") != std::string::npos);
  CHECK(create("2.0.0").status == 404);   // whatever its form, nothing has that id
  REQUIRE(s.post("/firmware/" + s.v1 + "/deprecate").status == 200);
  CHECK(create(s.v1).json()["detail"]["current_state"] == "deprecated");
  REQUIRE(s.post("/firmware/" + s.v1 + "/recall").status == 200);
  CHECK(create(s.v1).json()["detail"]["current_state"] == "recalled");
  CHECK(s.get("/campaigns")["count"] == 0);
  CHECK(create(s.v2).status == 201);
}

TEST_CASE("S2/BR-OTA-011: what cannot be a device's id is refused, with its value") {
  Made m;
  for (const json& devices : {json{"d", "with\nline"}, json{""}, json{std::string(257, 'x')}, json{7}, json("d")}) {
    CAPTURE(devices.dump());
    const auto refused = m.create({{"target_devices", devices}});
    CHECK(refused.status == 422);
    CHECK(refused.body.find("target_devices") != std::string::npos);
  }
  const auto all = m.create({{"target_devices", {"d", "with\nline", 7}}}).json()["detail"];
  REQUIRE(all.size() == 2);
  CHECK(all[0]["loc"] == json({"body", "target_devices", 1}));
  CHECK(all[0]["msg"] == "holds a control character: 'with\nline'");
  CHECK(all[1]["loc"] == json({"body", "target_devices", 2}));
  CHECK(m.create({{"target_devices", {std::string(256, 'x')}}}).status == 201);
}

TEST_CASE("what is no text is refused in a campaign's fields and filters, with its place and value") {
  Made m;
  const auto fault_of = [&](const json& fields) { return m.create(fields).json()["detail"][0]; };
  CHECK(fault_of({{"name", "  "}})["msg"] == "must not be blank, got '  '");
  CHECK(fault_of({{"name", "bell\a"}})["msg"] == "holds the control character 0x07 behind 'bell'");
  const auto value = fault_of({{"target_filters", {{"device_model", std::string("SF\0", 3)}}}});
  CHECK(value["loc"] == json({"body", "target_filters", "device_model"}));
  CHECK(value["msg"] == "holds the control character 0x00 behind 'SF'");
  const auto name = fault_of({{"target_filters", {{"attributes", {{" ", "x"}}}}}});
  CHECK(name["loc"] == json({"body", "target_filters", "attributes"}));
  CHECK(name["msg"].get<std::string>().find("not blank and without control characters; got 1 in ' '") != std::string::npos);
  for (const char* body : {"null", "[]", "7", "\"made\""}) {
    CAPTURE(body);
    const auto refused = m.stage.admin("POST", "/campaigns", body);
    CHECK(refused.status == 422);
    REQUIRE(refused.json()["detail"].size() == 1);   // that alone
    CHECK(refused.json()["detail"][0]["loc"] == json({"body"}));
  }
}

TEST_CASE("BR-CON-004: no route deletes a campaign") {
  Made m;
  const auto path = "/campaigns/" + m.create(json::object()).json()["campaign_id"].get<std::string>();
  CHECK(m.stage.admin("DELETE", path).status == 405);
  REQUIRE(m.post(path + "/cancel", {{"reason", "no"}}).status == 200);
  CHECK(m.get(path)["status"] == "cancelled");
  CHECK(m.get(path)["name"] == "made");
  CHECK(m.get("/audit/events?campaign_id=" + path.substr(path.rfind('/') + 1))["events"][0]["type"] == "campaign.created");
}

TEST_CASE("decision 5: why shows what was not known and taken to fit") {
  Story s;
  REQUIRE(s.stage.admin("PUT", "/devices/silent", "{}").status == 201);
  s.started({"silent"});
  const auto gates = s.get("/devices/silent/why")["updates"][0]["gates"];
  for (const auto& gate : gates) {
    if (gate["gate"] != "compatible") continue;
    CHECK(gate["open"] == true);
    CHECK(gate["fact"] == "model not known: taken to fit, hardware not known: taken to fit");
  }
  CHECK(gates.size() == 16);
  CHECK(s.stage.offered("silent").size() == 7);   // and it goes on
}

TEST_CASE("BR-OTA-033: a rollback comes before whatever else waits for the device") {
  Story s;
  s.stage.device("d");
  const auto v3 = s.stage.firmware("3.0.0");
  const auto campaign = s.started({"d"});
  s.update("d", kSucceeded);
  REQUIRE(s.becomes(campaign, "completed"));
  REQUIRE(s.post("/devices/d/update", {{"firmware_id", v3}, {"priority", "high"}}).status == 201);
  REQUIRE(s.post(campaign + "/rollback", {{"reason", "wrong image"}}).status == 200);
  const auto action = s.begin("d");
  CHECK(s.stage.ddi("GET", action).json()["deployment"]["chunks"][0]["version"] == "1.0.0");
  const std::string rollback = s.get("/rollbacks?device_id=d")["rollbacks"][0]["update_id"];
  CHECK(s.get("/updates/" + rollback)["priority"] == "critical");
  s.report("d", action, kSucceeded);
  CHECK(s.stage.ddi("GET", s.begin("d")).json()["deployment"]["chunks"][0]["version"] == "3.0.0");
}

TEST_CASE("BR-OTA-034: a rollback cancels what waits, lets what runs end first, and takes both back") {
  Story s;
  for (const char* device : {"done", "running", "waiting"}) s.stage.device(device);
  const auto campaign = s.started({"done", "running", "waiting"});
  s.update("done", kSucceeded);
  const auto running = s.begin("running");
  s.report("running", running, kProceeding);
  REQUIRE(s.post(campaign + "/rollback", {{"reason", "wrong image"}}).status == 200);
  CHECK(s.update_of(campaign, "waiting")["status"] == "cancelled");
  CHECK(s.update_of(campaign, "running")["status"] == "downloading");
  CHECK(s.get(campaign)["in_progress_devices"] == 1);
  s.report("running", running, kSucceeded);
  CHECK(s.update_of(campaign, "running")["status"] == "completed");
  for (const char* device : {"done", "running"}) {
    s.update(device, kSucceeded);
    CHECK(s.firmware_version(device) == "1.0.0");
  }
  REQUIRE(s.becomes(campaign, "cancelled"));
  CHECK(s.get(campaign)["undone_devices"] == 2);
  CHECK_FALSE(s.links("waiting").contains("deploymentBase"));
}

}  // namespace
}  // namespace ota::http::test
