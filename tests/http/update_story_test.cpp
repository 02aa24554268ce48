// One update as an operator follows it: S3, S4, S8, BR-OTA-029 to 031, decision 25.
#include <doctest/doctest.h>

#include <set>

#include "http/time_format.hpp"
#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;
using std::chrono::minutes;

struct Followed : Story {
  Followed() { stage.device("d"); }
  json shown(const std::string& id) { return get("/updates/" + id); }
  json tell(const std::string& id, const json& status) {
    const auto answer = post("/updates/" + id + "/status", status);
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return answer.json();
  }
  std::string now() { return format_time(stage.service().now()); }
};

TEST_CASE("S3: a single device is updated outside of any campaign") {
  Followed f;
  const auto asked = f.post("/devices/d/update", {{"firmware_id", f.v2}});
  REQUIRE_MESSAGE(asked.status == 201, asked.body);
  CHECK(asked.json()["status"] == "scheduled");
  CHECK(asked.json()["from_version"] == "1.0.0");
  CHECK(asked.json()["to_version"] == "2.0.0");
  CHECK(asked.json()["campaign_id"].is_null());
  CHECK(asked.json()["device_validated"] == true);
  const std::string id = asked.json()["update_id"];
  const auto action = f.begin("d");
  const auto artifact = f.stage.ddi("GET", action).json()["deployment"]["chunks"][0]["artifacts"][0];
  CHECK(artifact["hashes"]["sha256"] == f.get("/firmware/" + f.v2)["checksum_sha256"]);
  f.report("d", action, kProceeding);
  CHECK(f.shown(id)["status"] == "downloading");
  f.report("d", action, kDownloaded);
  f.tell(id, {{"status", "verifying"}, {"signature_verified", true}, {"checksum_verified", true}});
  CHECK(f.shown(id)["signature_verified"] == true);
  CHECK(f.shown(id)["checksum_verified"] == true);
  f.report("d", action, kProceeding);
  CHECK(f.shown(id)["status"] == "installing");
  f.report("d", action, kSucceeded);
  CHECK(f.shown(id)["status"] == "completed");
  CHECK(f.shown(id)["progress_percentage"] == 100.0);
  CHECK(f.firmware_version("d") == "2.0.0");
  const auto history = f.get("/devices/d/updates");
  CHECK(history["total_updates"] == 1);
  CHECK(history["updates"][0]["update_id"] == id);
}

TEST_CASE("S4, BR-OTA-030, S4/BR-OTA-031: an update shows its phase, how far it is, and how fast") {
  Followed f;
  const auto campaign = f.started({"d", "never-seen"});
  const auto action = f.begin("d");
  const std::string id = f.update_of(campaign, "d")["update_id"];
  CHECK(f.shown(id)["status"] == "in_progress");
  CHECK(f.shown(id)["progress_percentage"] == 5.0);
  CHECK(f.shown(id)["current_phase"].is_null());
  auto row = f.tell(id, {{"status", "downloading"}, {"download_progress", 50}, {"download_speed", 2'000}});
  CHECK(row["current_phase"] == "downloading");
  CHECK(row["progress_percentage"] == 27.5);
  CHECK(row["download_progress"] == 50.0);
  CHECK(row["download_speed"] == 2'000);
  CHECK(f.tell(id, {{"status", "downloading"}, {"download_progress", 20}})["progress_percentage"] == 27.5);
  row = f.tell(id, {{"status", "verifying"}});
  CHECK(row["progress_percentage"] == 55.0);
  CHECK(row["download_progress"] == 100.0);
  row = f.tell(id, {{"status", "installing"}, {"progress_percentage", 75}});
  CHECK(row["current_phase"] == "installing");
  CHECK(row["progress_percentage"] == 75.0);
  CHECK(f.tell(id, {{"status", "downloading"}, {"download_progress", 99}})["progress_percentage"] == 75.0);
  CHECK(f.tell(id, {{"status", "rebooting"}})["progress_percentage"] == 92.0);
  CHECK(f.shown(id)["campaign_progress_percentage"] == 0.0);
  f.report("d", action, kSucceeded);
  CHECK(f.shown(id)["campaign_progress_percentage"] == 50.0);
}

TEST_CASE("S4: what went wrong is shown, and when it is tried again") {
  Followed f;
  const auto campaign = f.started({"d"}, {{"max_retries", 1}, {"auto_rollback", false}});
  f.update("d", kFailed);
  const std::string id = f.update_of(campaign, "d")["update_id"];
  auto row = f.shown(id);
  CHECK(row["status"] == "scheduled");
  CHECK(row["error_code"] == "device_17");
  CHECK(row["error_message"] == "no space");
  CHECK(row["retry_count"] == 1);
  CHECK(row["next_retry_at"].is_string());
  CHECK(row["progress_percentage"] == 0.0);
  f.stage.advance(minutes(2));
  f.update("d", kFailed);
  row = f.shown(id);
  CHECK(row["status"] == "failed");
  CHECK(row["attempt"] == 2);
  CHECK(row["next_retry_at"].is_null());
}

TEST_CASE("decision 23: what is not tried again is refused with what its campaign is") {
  Followed f;
  const auto created = f.post("/campaigns", {{"name", "x"}, {"firmware_id", f.v2}, {"target_devices", {"d"}}}).json();
  const auto campaign = "/campaigns/" + created["campaign_id"].get<std::string>();
  const std::string id = f.update_of(campaign, "d")["update_id"];
  REQUIRE(f.post("/updates/" + id + "/cancel").status == 200);
  const auto refused = [&] { return f.post("/updates/" + id + "/retry"); };
  CHECK(refused().status == 409);
  CHECK(refused().body.find("its campaign is created; allowed while that is in_progress or paused") != std::string::npos);
  REQUIRE(f.post(campaign + "/start").status == 200);
  REQUIRE(f.becomes(campaign, "completed"));
  CHECK(refused().body.find("its campaign is completed") != std::string::npos);
}

TEST_CASE("BR-OTA-029, decision 25: an update has the times of what happened to it") {
  Followed f;
  const auto created_at = f.now();
  const json fields{{"name", "x"}, {"firmware_id", f.v2}, {"target_devices", {"d"}}};
  const auto created = f.post("/campaigns", fields);
  REQUIRE(created.status == 201);
  const auto campaign = "/campaigns/" + created.json()["campaign_id"].get<std::string>();
  auto row = f.update_of(campaign, "d");
  const std::string id = row["update_id"];
  CHECK(row["status"] == "created");
  CHECK(row["created_at"] == created_at);
  CHECK(row["scheduled_at"].is_null());
  f.stage.advance(minutes(1));
  const auto scheduled_at = f.now();
  REQUIRE(f.post(campaign + "/start").status == 200);
  CHECK(f.shown(id)["status"] == "scheduled");
  f.stage.advance(minutes(1));
  const auto action = "/d/deploymentBase/" + f.stage.offered("d");
  CHECK(f.shown(id)["status"] == "in_progress");
  CHECK(f.shown(id)["started_at"].is_null());
  f.stage.advance(minutes(1));
  const auto started_at = f.now();
  const auto timeout_at = format_time(f.stage.service().now() + minutes(60));
  REQUIRE(f.stage.ddi("GET", action).status == 200);
  CHECK(f.shown(id)["timeout_at"] == timeout_at);
  f.stage.advance(minutes(1));
  const auto completed_at = f.now();
  f.report("d", action, kSucceeded);
  row = f.shown(id);
  CHECK(row["created_at"] == created_at);
  CHECK(row["scheduled_at"] == scheduled_at);
  CHECK(row["started_at"] == started_at);
  CHECK(row["completed_at"] == completed_at);
  CHECK(row["timeout_at"].is_null());
}

TEST_CASE("S8/BR-OTA-061: of a deleted device everything that happened can still be read") {
  Followed f;
  const auto campaign = f.started({"d"});
  f.begin("d");
  const std::string id = f.update_of(campaign, "d")["update_id"];
  REQUIRE(f.stage.admin("DELETE", "/devices/d").status == 200);
  CHECK(f.shown(id)["status"] == "cancelled");
  CHECK(f.shown(id)["started_at"].is_string());
  CHECK(f.get("/devices/d")["status"] == "deleted");
  CHECK(f.get("/devices/d/updates")["updates"][0]["update_id"] == id);
  CHECK(f.get(campaign)["total_devices"] == 1);
  CHECK(f.get(campaign)["cancelled_devices"] == 1);
  std::multiset<std::string> types;
  const auto events = f.get("/audit/events?device_id=d");
  for (const auto& event : events["events"]) types.insert(event["type"]);
  for (const char* type : {"device.registered", "update.granted", "update.started", "device.deleted", "update.cancelled"}) {
    CAPTURE(type);
    CHECK(types.count(type) == 1);
  }
}

}  // namespace
}  // namespace ota::http::test
