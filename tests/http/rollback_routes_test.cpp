// Rollbacks over HTTP: decision 10, BR-OTA-031 to 035, the triggers of decision 27.
#include <doctest/doctest.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

json numbered(std::size_t count) {
  json devices = json::array();
  for (std::size_t i = 0; i < count; ++i) devices.push_back("d" + std::to_string(i));
  return devices;
}

struct Fleet : Story {
  explicit Fleet(std::size_t count) : devices(numbered(count)) {
    for (const std::string device : devices) stage.device(device);
  }
  json devices;
};

std::string links_of_rollbacks(const std::string& campaign) {
  return "/rollbacks?campaign_id=" + campaign.substr(campaign.rfind('/') + 1);
}

TEST_CASE("a campaign is rolled back by hand: who completed goes back, and is still counted as completed") {
  Fleet f(3);
  const auto campaign = f.started(f.devices);
  f.update("d0", kSucceeded);
  f.update("d1", kSucceeded);
  REQUIRE(f.firmware_version("d0") == "2.0.0");
  CHECK(f.post(campaign + "/rollback").status == 422);
  const auto begun = f.post(campaign + "/rollback", {{"reason", "battery drain"}});
  REQUIRE_MESSAGE(begun.status == 200, begun.body);
  CHECK(begun.json()["status"] == "rollback");
  CHECK(begun.json()["rollbacks"] == 2);
  CHECK(begun.json()["rollback"]["trigger"] == "manual");
  CHECK(begun.json()["rollback"]["reason"] == "battery drain");
  CHECK(f.get(campaign)["cancelled_devices"] == 1);
  const auto waiting = f.get(links_of_rollbacks(campaign));
  REQUIRE(waiting["count"] == 2);
  CHECK(waiting["rollbacks"][0]["status"] == "in_progress");
  CHECK(waiting["rollbacks"][0]["success"].is_null());
  for (const std::string device : {"d0", "d1"}) {
    const auto action = f.begin(device);
    CHECK(f.stage.ddi("GET", action).json()["deployment"]["chunks"][0]["version"] == "1.0.0");
    f.report(device, action, kSucceeded);
    CHECK(f.firmware_version(device) == "1.0.0");
  }
  REQUIRE(f.becomes(campaign, "cancelled"));
  const auto row = f.get(campaign);
  CHECK(row["completed_devices"] == 2);
  CHECK(row["undone_devices"] == 2);
  CHECK(row["actual_end"].is_string());
  const auto undone = f.update_of(campaign, "d0");
  CHECK(undone["status"] == "rollback");
  const auto rollback = f.get("/rollbacks/" + undone["rollback_id"].get<std::string>());
  CHECK(rollback["status"] == "completed");
  CHECK(rollback["success"] == true);
  CHECK(rollback["from_version"] == "2.0.0");
  CHECK(rollback["to_version"] == "1.0.0");
  CHECK(rollback["reason"] == "battery drain");
  CHECK(rollback["device_id"] == "d0");
  CHECK(campaign == "/campaigns/" + rollback["campaign_id"].get<std::string>());
  CHECK(f.get("/rollbacks?device_id=d0")["count"] == 1);
  CHECK(f.get("/rollbacks?device_id=d2")["count"] == 0);
  CHECK(f.get("/rollbacks")["count"] == 2);
}

TEST_CASE("too many failures take a campaign back by themselves, and it ends failed") {
  Fleet f(6);
  const auto campaign = f.started(f.devices, {{"min_finished_for_verdict", 2}});
  f.update("d0", kSucceeded);
  f.update("d1", kFailed);
  REQUIRE(f.becomes(campaign, "rollback"));
  const auto row = f.get(campaign);
  CHECK(row["rollback"]["trigger"] == "failure_rate");
  CHECK(row["verdict"]["decision"] == "abort");
  CHECK_FALSE(f.links("d5").contains("deploymentBase"));
  f.update("d0", kSucceeded);
  REQUIRE(f.becomes(campaign, "failed"));
  CHECK(f.firmware_version("d0") == "1.0.0");
}

TEST_CASE("decision 10: who is not seen until the deadline has failed, and the campaign closes") {
  Fleet f(2);
  const auto campaign = f.started(f.devices, {{"rollback_deadline_minutes", 60}});
  f.update("d0", kSucceeded);
  f.update("d1", kSucceeded);
  REQUIRE(f.becomes(campaign, "completed"));
  REQUIRE(f.post(campaign + "/rollback", {{"reason", "wrong image"}}).status == 200);
  f.update("d0", kSucceeded);
  CHECK(f.get(campaign)["status"] == "rollback");
  f.stage.advance(std::chrono::minutes(61));
  REQUIRE(f.becomes(campaign, "cancelled"));
  CHECK_FALSE(f.links("d1").contains("deploymentBase"));
  const auto lost = f.get("/rollbacks?campaign_id=" + campaign.substr(campaign.rfind('/') + 1));
  REQUIRE(lost["count"] == 2);
  std::string words;
  for (const auto& rollback : lost["rollbacks"]) {
    words += rollback["status"].get<std::string>() + " " + rollback["error_message"].dump() + "\n";
  }
  CHECK(words.find("failed \"the device was not seen in time\"") != std::string::npos);
  CHECK(words.find("completed null") != std::string::npos);
  CHECK(f.update_of(campaign, "d1")["status"] == "completed");
  const auto by_device = f.get("/rollbacks?device_id=d1");
  REQUIRE(by_device["count"] == 1);
  CHECK(by_device["rollbacks"][0]["error_code"] == "device_not_seen");
  REQUIRE(f.post(campaign + "/rollback", {{"reason", "once more"}}).status == 200);
  CHECK(f.get("/rollbacks/" + by_device["rollbacks"][0]["rollback_id"].get<std::string>())["error_code"] == "device_not_seen");
  f.update("d1", kSucceeded);
  CHECK(f.becomes(campaign, "cancelled"));
}

TEST_CASE("decision 10: behind the deadline a rollback does not wait for a device that is busy with something else") {
  Fleet f(1);
  const auto campaign = f.started(f.devices, {{"rollback_deadline_minutes", 60}});
  f.update("d0", kSucceeded);
  REQUIRE(f.becomes(campaign, "completed"));
  const auto other = f.post("/devices/d0/update", {{"firmware_id", f.v1}, {"force_update", true}});
  REQUIRE(other.status == 201);
  REQUIRE(f.links("d0").contains("deploymentBase"));
  REQUIRE(f.post(campaign + "/rollback", {{"reason", "wrong image"}}).status == 200);
  CHECK(f.get(campaign)["status"] == "rollback");
  f.stage.advance(std::chrono::minutes(61));
  CHECK(f.becomes(campaign, "cancelled"));
}

TEST_CASE("decision 10: a device without a way back fails with the reason, and nothing waits for it") {
  Fleet f(1);
  SUBCASE("its former version is not stored") {
    f.says("d0", "firmware_version", "0.9.0");
  }
  SUBCASE("its former version was recalled") {
    REQUIRE(f.post("/firmware/" + f.v1 + "/recall", {{"reason", "leaks"}}).status == 200);
  }
  SUBCASE("its former version is the same one, which was installed again by force") {
    f.says("d0", "firmware_version", "2.0.0");
  }
  const auto campaign = f.started(f.devices, {{"force_update", true}});
  f.update("d0", kSucceeded);
  REQUIRE(f.becomes(campaign, "completed"));
  REQUIRE(f.post(campaign + "/rollback", {{"reason", "wrong image"}}).status == 200);
  CHECK(ApiStage::eventually([&] { return !f.links("d0").contains("deploymentBase") && f.get(campaign)["status"] == "cancelled"; }));
  const auto rollback = f.get("/rollbacks?device_id=d0")["rollbacks"][0];
  CHECK(rollback["status"] == "failed");
  CHECK(rollback["error_code"].get<std::string>().find("previous_version_") == 0);
}

TEST_CASE("decisions 2 and 10: nobody goes back to a version that is recalled meanwhile, on the way or between attempts") {
  Fleet f(2);
  const auto campaign = f.started(f.devices, {{"max_retries", 2}});
  for (const char* device : {"d0", "d1"}) f.update(device, kSucceeded);
  REQUIRE(f.becomes(campaign, "completed"));
  REQUIRE(f.post(campaign + "/rollback", {{"reason", "wrong image"}}).status == 200);
  const auto failing = f.begin("d0");
  f.report("d0", failing, kFailed);      // and is tried again later
  const auto fetched = f.begin("d1");
  REQUIRE(f.post("/firmware/" + f.v1 + "/recall", {{"reason", "leaks"}}).status == 200);
  REQUIRE(ApiStage::eventually([&] { return f.links("d1").contains("cancelAction"); }));
  const auto action = fetched.substr(fetched.rfind('/') + 1);
  CHECK(f.stage.ddi("POST", "/d1/cancelAction/" + action + "/feedback", kSucceeded).status == 200);
  f.stage.advance(std::chrono::hours(2));
  CHECK(ApiStage::eventually([&] { return !f.links("d0").contains("deploymentBase") && f.get(campaign)["status"] == "cancelled"; }));
  const auto ended = f.get("/rollbacks?device_id=d0")["rollbacks"][0];
  CHECK(ended["status"] == "failed");
  CHECK(ended["update_status"] == "failed");
  CHECK(ended["error_code"] == "previous_version_recalled");
  CHECK(ended["attempt"] == 1);
  CHECK(f.get("/rollbacks?device_id=d1")["rollbacks"][0]["error_code"] == "firmware_recalled");
}

TEST_CASE("decision 23: a rollback that waits for its retry is tried at once if an operator says so") {
  Fleet f(1);
  const auto campaign = f.started(f.devices, {{"max_retries", 2}});
  f.update("d0", kSucceeded);
  REQUIRE(f.becomes(campaign, "completed"));
  REQUIRE(f.post(campaign + "/rollback", {{"reason", "wrong image"}}).status == 200);
  f.update("d0", kFailed);
  const std::string rollback = f.get("/rollbacks?device_id=d0")["rollbacks"][0]["rollback_id"];
  const auto update = "upd_" + rollback.substr(3);
  CHECK_FALSE(f.links("d0").contains("deploymentBase"));
  const auto retried = f.post("/updates/" + update + "/retry");
  CHECK_MESSAGE(retried.status == 200, retried.body);
  f.update("d0", kSucceeded);
  CHECK(f.becomes(campaign, "cancelled"));
  CHECK(f.firmware_version("d0") == "1.0.0");
}

TEST_CASE("BR-OTA-031, BR-OTA-032: one device goes back to a version that it had, and to no other") {
  Fleet f(1);
  const auto campaign = f.started(f.devices);
  f.update("d0", kSucceeded);
  const auto never = f.post("/devices/d0/rollback", {{"to_version", "0.1.0"}, {"reason", "test"}});
  CHECK(never.status == 409);
  CHECK(never.body.find("1.0.0") != std::string::npos);
  CHECK(f.post("/devices/d0/rollback", {{"to_version", "1.0.0"}}).status == 422);
  CHECK(f.post("/devices/nobody/rollback", {{"to_version", "1.0.0"}, {"reason", "test"}}).status == 404);
  const auto asked = f.stage.admin("POST", "/devices/d0/rollback", R"({"to_version":"1.0.0","reason":"customer asked"})",
                                   "Idempotency-Key: k1\r\n");
  REQUIRE_MESSAGE(asked.status == 201, asked.body);
  CHECK(asked.json()["trigger"] == "manual");
  CHECK(asked.json()["status"] == "in_progress");
  const auto again = f.stage.admin("POST", "/devices/d0/rollback", R"({"to_version":"1.0.0","reason":"customer asked"})",
                                   "Idempotency-Key: k1\r\n");
  CHECK(again.status == 201);
  CHECK(again.json()["rollback_id"] == asked.json()["rollback_id"]);
  CHECK(f.post("/devices/d0/rollback", {{"to_version", "1.0.0"}, {"reason", "twice"}}).status == 409);
  f.update("d0", kSucceeded);
  CHECK(f.firmware_version("d0") == "1.0.0");
  CHECK(f.get("/rollbacks/" + asked.json()["rollback_id"].get<std::string>())["status"] == "completed");
  CHECK(f.update_of(campaign, "d0")["status"] == "rollback");
  CHECK(f.post("/devices/d0/rollback", {{"to_version", "1.0.0"}, {"reason", "again"}}).status == 409);
}

TEST_CASE("BR-OTA-032: a device is offered the versions that it had, without the one that it has") {
  Story s;
  const json facts{{"device_model", "SF-100"}, {"firmware_version", "1.0.0+build7"}};
  REQUIRE(s.stage.admin("PUT", "/devices/d", facts.dump()).status == 201);
  s.started({"d"});
  s.update("d", kSucceeded);
  const auto back_to = [&](const std::string& version) {
    return s.post("/devices/d/rollback", {{"to_version", version}, {"reason", "test"}});
  };
  const auto never = back_to("0.1.0");
  REQUIRE(never.status == 409);
  CHECK(never.json()["detail"]["allowed"] == json{"1.0.0+build7"});
  CHECK(never.json()["message"] == "0.1.0 is not in the history of device d; it can go back to 1.0.0+build7");
  const auto present = back_to("2.00.0");
  REQUIRE(present.status == 409);
  CHECK(present.json()["message"] == "device d already runs 2.0.0");
  CHECK(present.json()["detail"]["allowed"] == json{"1.0.0+build7"});
  // Under any of its names (decision 3), with the firmware that brings it.
  const auto back = back_to("1.0.0");
  REQUIRE_MESSAGE(back.status == 201, back.body);
  const auto action = s.begin("d");
  CHECK(s.stage.ddi("GET", action).json()["deployment"]["chunks"][0]["version"] == "1.0.0");
  s.report("d", action, kSucceeded);
  CHECK(s.firmware_version("d") == "1.0.0+build7");
}

TEST_CASE("decision 27: bad health within the window fails the update and takes the device back") {
  Fleet f(2);
  const auto campaign = f.started(f.devices, {{"rollback_triggers", {"health_check"}}, {"health_window_minutes", 30}});
  f.update("d0", kSucceeded);
  f.update("d1", kSucceeded);
  f.stage.advance(std::chrono::minutes(20));
  f.says("d0", "health", "failed");
  CHECK(f.update_of(campaign, "d0")["status"] == "failed");
  CHECK(f.update_of(campaign, "d0")["error_code"] == "health_check");
  f.update("d0", kSucceeded);
  CHECK(f.firmware_version("d0") == "1.0.0");
  const auto rollback = f.get("/rollbacks?device_id=d0")["rollbacks"][0];
  CHECK(rollback["trigger"] == "health_check");
  CHECK(rollback["status"] == "completed");
  f.stage.advance(std::chrono::minutes(20));
  f.says("d1", "health", "failed");
  CHECK(f.update_of(campaign, "d1")["status"] == "completed");
}

TEST_CASE("decision 27: a gateway may say that an update's health is bad") {
  Fleet f(1);
  const auto campaign = f.started(f.devices, {{"rollback_triggers", {"health_check"}}});
  const auto action = f.begin("d0");
  const std::string update = f.update_of(campaign, "d0")["update_id"];
  CHECK(f.post("/updates/" + update + "/status", {{"health", "failed"}}).status == 409);
  f.report("d0", action, kSucceeded);
  CHECK(f.post("/updates/" + update + "/status", {{"health", "poorly"}}).status == 422);
  CHECK(f.post("/updates/" + update + "/status", {{"health", "ok"}}).status == 200);
  CHECK(f.update_of(campaign, "d0")["status"] == "completed");
  const auto failed = f.post("/updates/" + update + "/status", {{"health", "failed"}});
  REQUIRE(failed.status == 200);
  CHECK(failed.json()["status"] == "failed");
  f.begin("d0");
}

TEST_CASE("decision 27: a time-out after the installation began is not retried, the device goes back") {
  Fleet f(1);
  const auto campaign = f.started(
      f.devices, {{"rollback_triggers", {"timeout"}}, {"timeout_minutes", 5}, {"max_retries", 3}});
  const auto action = f.begin("d0");
  const std::string update = f.update_of(campaign, "d0")["update_id"];
  REQUIRE(f.post("/updates/" + update + "/status", {{"status", "installing"}}).status == 200);
  f.stage.advance(std::chrono::minutes(6));
  REQUIRE(ApiStage::eventually([&] { return f.update_of(campaign, "d0")["status"] == "failed"; }));
  f.update("d0", kSucceeded);
  CHECK(f.get("/rollbacks?device_id=d0")["rollbacks"][0]["trigger"] == "timeout");
}

TEST_CASE("decision 27: one error on many devices takes the campaign back") {
  Fleet f(4);
  const auto campaign = f.started(
      f.devices, {{"rollback_triggers", {"error_threshold"}}, {"error_threshold_count", 2}, {"failure_threshold_percent", 100}});
  f.update("d0", kSucceeded);
  f.update("d1", kFailed);
  CHECK(f.get(campaign)["status"] == "in_progress");
  f.update("d2", kFailed);
  REQUIRE(f.becomes(campaign, "rollback"));
  CHECK(f.get(campaign)["rollback"]["trigger"] == "error_threshold");
  CHECK(f.get(campaign)["status_reason"].get<std::string>().find("device_17") != std::string::npos);
}

TEST_CASE("decision 10: a device that runs something else by now is left alone") {
  Fleet f(1);
  const auto campaign = f.started(f.devices);
  f.update("d0", kSucceeded);
  REQUIRE(f.becomes(campaign, "completed"));
  const auto v3 = f.stage.firmware("3.0.0");
  REQUIRE(f.post("/devices/d0/update", {{"firmware_id", v3}}).status == 201);
  f.update("d0", kSucceeded);
  REQUIRE(f.post(campaign + "/rollback", {{"reason", "wrong image"}}).status == 200);
  CHECK(ApiStage::eventually([&] { return !f.links("d0").contains("deploymentBase") && f.get(campaign)["status"] == "cancelled"; }));
  CHECK(f.firmware_version("d0") == "3.0.0");
  const auto rollback = f.get("/rollbacks?device_id=d0")["rollbacks"][0];
  CHECK(rollback["update_status"] == "cancelled");
  CHECK(rollback["error_code"] == "superseded");
}

TEST_CASE("a rollback has one id everywhere: rb_ and the suffix of its update") {
  Fleet f(1);
  const auto campaign = f.started(f.devices);
  const std::string deployment = f.update_of(campaign, "d0")["update_id"];
  f.update("d0", kSucceeded);
  REQUIRE(f.post(campaign + "/rollback", {{"reason", "wrong image"}}).status == 200);
  const auto waiting = f.get(links_of_rollbacks(campaign))["rollbacks"][0];
  const std::string id = waiting["rollback_id"];
  const std::string update = waiting["update_id"];
  CHECK(id.find("rb_") == 0);
  CHECK(update == "upd_" + id.substr(3));
  CHECK(waiting["undoes_update_id"] == deployment);
  CHECK(f.get("/rollbacks/" + id)["rollback_id"] == id);
  CHECK(f.get("/updates/" + update)["rollback_id"] == id);   // before it begins, too
  CHECK(f.get("/updates/" + update)["status"] == "scheduled");
  f.begin("d0");
  CHECK(f.get("/updates/" + update)["rollback_id"] == id);
  CHECK(f.get("/rollbacks?device_id=d0")["rollbacks"][0]["rollback_id"] == id);
  // Neither under the name of its update, nor an update of another kind under that of a rollback.
  CHECK(f.stage.admin("GET", "/rollbacks/" + update).status == 404);
  CHECK(f.stage.admin("GET", "/rollbacks/rb_" + deployment.substr(4)).status == 404);
  CHECK(f.stage.admin("GET", "/updates/" + id).status == 404);
}

TEST_CASE("rollbacks that are not there, and filters that are none, are answered with the field") {
  Story s;
  CHECK(s.stage.admin("GET", "/rollbacks/nothing").status == 404);
  CHECK(s.stage.admin("GET", "/rollbacks?campaign_id=x").status == 422);
  CHECK(s.stage.admin("GET", "/rollbacks?limit=0").status == 422);
  CHECK(s.stage.admin("GET", "/rollbacks?cursor=zzz").status == 422);
}

}  // namespace
}  // namespace ota::http::test
