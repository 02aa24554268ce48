// What the statistics say of updates that ended in every way: BR-OTA-041 to 045, S7, decision 30.
#include <doctest/doctest.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;
using std::chrono::minutes;

// Of five devices, two are updated, in 4 and in 2 minutes; one fails, one runs, one is cancelled.
struct Mixed : Story {
  Mixed() {
    for (const char* device : {"quick", "slow", "broken", "running", "unwanted"}) stage.device(device);
    campaign = started({"quick", "slow", "broken", "running", "unwanted"},
                       {{"auto_rollback", false}, {"failure_threshold_percent", 100}});
    const auto slow = begin("slow");
    stage.advance(minutes(2));
    const auto quick = begin("quick");
    const auto broken = begin("broken");
    stage.advance(minutes(2));
    report("slow", slow, kSucceeded);
    report("quick", quick, kSucceeded);
    report("broken", broken, kFailed);
    begin("running");
    const std::string unwanted = update_of(campaign, "unwanted")["update_id"];
    REQUIRE(post("/updates/" + unwanted + "/cancel").status == 200);
  }
  json of_campaign() { return get("/stats" + campaign); }
  std::string campaign;
  const int size = static_cast<int>(std::string("bytes of 2.0.0").size());
};

TEST_CASE("BR-OTA-041: the success rate is completed of completed and failed, and of nothing else") {
  Mixed m;
  CHECK(m.get("/stats")["success_rate"] == 66.67);
  CHECK(m.of_campaign()["success_rate"] == 66.67);
  CHECK(m.of_campaign()["failure_rate"] == 33.33);
  CHECK(m.get("/firmware/" + m.v2)["success_rate"] == 66.67);
  CHECK(m.get("/firmware/" + m.v1)["success_rate"] == 0.0);
  CHECK(m.get("/devices/quick/updates")["avg_success_rate"] == 100.0);
  CHECK(m.get("/devices/broken/updates")["avg_success_rate"] == 0.0);
  CHECK(m.get("/devices/running/updates")["avg_success_rate"] == 0.0);
}

TEST_CASE("BR-OTA-042: the counters of a campaign add up to its total, and its progress is what has ended") {
  Mixed m;
  const auto row = m.get(m.campaign);
  CHECK(row["pending_devices"] == 0);
  CHECK(row["in_progress_devices"] == 1);
  CHECK(row["completed_devices"] == 2);
  CHECK(row["failed_devices"] == 1);
  CHECK(row["cancelled_devices"] == 1);
  CHECK(row["total_devices"] == 5);
  CHECK(row["progress_percentage"] == 80.0);
  const auto stats = m.of_campaign();
  CHECK(stats["progress_percentage"] == 80.0);
  CHECK(stats["total_devices"] == 5);
  CHECK(stats["successful_updates"] == 2);
  CHECK(stats["failed_updates"] == 1);
  CHECK(stats["in_progress_updates"] == 1);
  CHECK(stats["cancelled_updates"] == 1);
  CHECK(stats["pending_updates"] == 0);
  CHECK(stats["error_codes"] == json{{"device_17", 1}});
  CHECK(m.get("/stats")["in_progress_updates"] == 1);
  CHECK(m.get("/stats")["cancelled_updates"] == 1);
}

TEST_CASE("BR-OTA-043: the last 24 hours are a window that moves on, by when an update was created") {
  Mixed m;
  const auto day = m.get("/stats");
  CHECK(day["last_24h_updates"] == 5);
  CHECK(day["last_24h_failures"] == 1);
  CHECK(day["last_24h_data_transferred"] == 2 * m.size);
  m.stage.advance(std::chrono::hours(24) - minutes(4));   // 24 hours after the campaign's creation
  CHECK(m.get("/stats")["last_24h_updates"] == 5);
  m.stage.advance(std::chrono::microseconds(1));
  const auto next_day = m.get("/stats");
  CHECK(next_day["last_24h_updates"] == 0);
  CHECK(next_day["last_24h_failures"] == 0);
  CHECK(next_day["last_24h_data_transferred"] == 0);
  CHECK(next_day["total_updates"] == 5);
}

TEST_CASE("BR-OTA-044: the average time is that of the completed ones, from start to end, in minutes") {
  Mixed m;
  CHECK(m.get("/stats")["avg_update_time"] == 3.0);
  CHECK(m.of_campaign()["avg_update_time"] == 3.0);
}

TEST_CASE("BR-OTA-045: the data that was transferred is the firmware's size for each completed update") {
  Mixed m;
  CHECK(m.get("/firmware/" + m.v2)["file_size"] == m.size);
  CHECK(m.get("/stats")["total_data_transferred"] == 2 * m.size);
}

TEST_CASE("decision 30: rates of nothing are zero") {
  Story s;
  const auto stats = s.get("/stats");
  for (const char* rate : {"success_rate", "avg_update_time", "rollback_rate", "devices_on_latest_firmware"}) {
    CAPTURE(rate);
    CHECK(stats[rate] == 0.0);
  }
  s.stage.device("d");
  const auto campaign = s.started({"d"});
  for (const char* rate : {"success_rate", "failure_rate", "avg_update_time", "devices_per_hour"}) {
    CAPTURE(rate);
    CHECK(s.get("/stats" + campaign)[rate] == 0.0);
  }
  CHECK(s.get("/stats")["rollback_rate"] == 0.0);
  CHECK(s.get("/stats" + campaign)["estimated_completion"].is_null());
}

TEST_CASE("decision 30: rollbacks have counts of their own, and leave those of updates as they are") {
  Story s;
  s.stage.device("d");
  s.stage.device("e");
  const auto campaign = s.started({"d", "e"});
  s.update("d", kSucceeded);
  s.update("e", kSucceeded);
  REQUIRE(s.becomes(campaign, "completed"));
  s.started({"d"}, {{"force_update", true}});
  const auto before = s.get("/stats");
  REQUIRE(s.post("/devices/e/rollback", {{"to_version", "1.0.0"}, {"reason", "slow"}}).status == 201);
  s.update("e", kFailed);
  s.stage.advance(minutes(5));
  s.update("e", kSucceeded);
  const auto after = s.get("/stats");
  CHECK(before["rollbacks"] == 0);
  CHECK(after["rollbacks"] == 1);
  CHECK(after["rollback_rate"] == 50.0);   // one, and two campaigns were started
  for (const char* same : {"total_updates", "completed_updates", "failed_updates", "success_rate",
                           "total_data_transferred", "updates_by_firmware_version"}) {
    CAPTURE(same);
    CHECK(after[same] == before[same]);
  }
  const auto history = s.get("/devices/e/updates");
  CHECK(history["total_updates"] == 2);
  CHECK(history["successful_updates"] == 1);   // undone, it stays a success
  CHECK(history["failed_updates"] == 0);
  CHECK(history["avg_success_rate"] == 100.0);
  CHECK(s.get("/firmware/" + s.v2)["success_rate"] == 100.0);
}

TEST_CASE("decision 30: a rollback that fails for good leaves its device's success rate as it is") {
  Story s;
  s.stage.device("d");
  const auto campaign = s.started({"d"});
  s.update("d", kSucceeded);
  REQUIRE(s.becomes(campaign, "completed"));
  REQUIRE(s.post("/devices/d/rollback", {{"to_version", "1.0.0"}, {"reason", "slow"}}).status == 201);
  for (int attempt = 0; attempt < 4; ++attempt) {
    s.update("d", kFailed);
    s.stage.advance(std::chrono::hours(2));
  }
  REQUIRE(s.get("/rollbacks?device_id=d")["rollbacks"][0]["status"] == "failed");
  const auto history = s.get("/devices/d/updates");
  CHECK(history["successful_updates"] == 1);
  CHECK(history["failed_updates"] == 0);
  CHECK(history["avg_success_rate"] == 100.0);
}

TEST_CASE("decision 30: on the latest firmware is who runs the newest of its model that is available and no beta") {
  Story s;
  auto beta = metadata("3.0.0");
  beta["is_beta"] = true;
  REQUIRE(s.stage.upload("beta", beta).status == 201);
  REQUIRE(s.stage.upload("other", metadata("9.0.0", "XL-9")).status == 201);
  const auto runs = [&](const std::string& device, const json& facts) {
    REQUIRE(s.stage.admin("PUT", "/devices/" + device, facts.dump()).status == 201);
  };
  runs("newest", {{"device_model", "SF-100"}, {"firmware_version", "2.0.0"}});
  runs("beta", {{"device_model", "SF-100"}, {"firmware_version", "3.0.0"}});
  runs("old", {{"device_model", "SF-100"}, {"firmware_version", "1.0.0"}});
  runs("other", {{"device_model", "XL-9"}, {"firmware_version", "2.0.0"}});
  runs("silent", {{"device_model", "SF-100"}});
  CHECK(s.get("/stats")["devices_on_latest_firmware"] == 25.0);
  REQUIRE(s.post("/firmware/" + s.v2 + "/recall", {{"reason", "bad"}}).status == 200);
  CHECK(s.get("/stats")["devices_on_latest_firmware"] == 25.0);   // 1.0.0 is the newest now
  REQUIRE(s.post("/firmware/" + s.v1 + "/deprecate").status == 200);
  CHECK(s.get("/stats")["devices_on_latest_firmware"] == 0.0);
}

TEST_CASE("S7: updates by model and by version count what was granted") {
  Mixed m;
  m.stage.device("never");
  m.started({"never"}, {{"scheduled_start", "2100-01-01T00:00:00Z"}});
  const auto stats = m.get("/stats");
  CHECK(stats["total_updates"] == 6);
  CHECK(stats["pending_updates"] == 1);
  CHECK(stats["updates_by_device_type"] == json{{"SF-100", 4}});
  CHECK(stats["updates_by_firmware_version"] == json{{"2.0.0", 4}});
  CHECK(stats["total_campaigns"] == 2);
  CHECK(stats["active_campaigns"] == 1);
}

}  // namespace
}  // namespace ota::http::test
