// What is shown of a device: its history and its rates, what it waits for, when it was here last.
#include <doctest/doctest.h>

#include "http/time_format.hpp"
#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

TEST_CASE("BR-OTA-041, decision 10: what takes a device back is in no rate, and what was undone had completed") {
  Story s;
  s.stage.device("d");
  const auto campaign = s.started({"d"});
  s.update("d", kSucceeded);
  REQUIRE(s.post("/devices/d/rollback", {{"to_version", "1.0.0"}, {"reason", "too slow"}}).status == 201);
  s.update("d", kSucceeded);
  REQUIRE(s.update_of(campaign, "d")["status"] == "rollback");
  const auto history = s.get("/devices/d/updates");
  CHECK(history["total_updates"] == 2);
  CHECK(history["rollback_updates"] == 1);
  CHECK(history["successful_updates"] == 1);
  CHECK(history["failed_updates"] == 0);
  CHECK(history["avg_success_rate"] == 100.0);
  // A rollback that fails is no failed update, either.
  s.started({"d"}, {{"force_update", true}});
  s.update("d", kFailed);
  CHECK(s.get("/devices/d/updates")["avg_success_rate"] == 50.0);
  REQUIRE(s.post("/devices/d/update", {{"firmware_id", s.v2}, {"max_retries", 0}}).status == 201);
  s.update("d", kSucceeded);
  REQUIRE(s.post("/devices/d/rollback", {{"to_version", "1.0.0"}, {"reason", "too slow"}}).status == 201);
  for (int attempt = 0; attempt < 4; ++attempt) {   // three retries
    s.update("d", kFailed);
    s.stage.advance(std::chrono::hours(2));
  }
  const auto after = s.get("/devices/d/updates");
  CHECK(after["updates"][0]["status"] == "failed");
  CHECK(after["rollback_updates"] == 2);
  CHECK(after["successful_updates"] == 2);
  CHECK(after["failed_updates"] == 1);
}

TEST_CASE("what a device waits for is shown in its history, in its campaigns' lists and in the answer to who asked") {
  Story s;
  s.stage.device("d");
  const auto v3 = s.stage.firmware("3.0.0");
  const auto campaign = s.started({"d", "never-seen"}, {{"max_concurrent_updates", 1}});
  const auto asked = s.post("/devices/d/update", {{"firmware_id", v3}}).json();
  CHECK(asked["waiting_for"].is_null());
  const auto gate_of = [&](const json& updates, const std::string& device) {
    for (const auto& update : updates["updates"]) {
      if (update["device_id"] == device && update["status"] != "in_progress") return update["waiting_for"];
    }
    return json("nothing waits");
  };
  s.begin("d");   // the direct one goes first
  CHECK(gate_of(s.get("/devices/d/updates"), "d") == "not_busy");
  CHECK(gate_of(s.get(campaign + "/updates"), "d") == "not_busy");
  CHECK(gate_of(s.get(campaign + "/updates"), "never-seen") == "known");
  REQUIRE(s.post(campaign + "/pause").status == 200);
  const auto again = s.post("/devices/d/update", {{"firmware_id", s.v2}, {"force_update", true}});
  REQUIRE(again.status == 201);
  CHECK(again.json()["waiting_for"] == "not_busy");
  const auto history = s.get("/devices/d/updates");
  for (const auto& update : history["updates"]) {
    if (update["status"] != "scheduled") CHECK(update["waiting_for"].is_null());
  }
}

TEST_CASE("a device shows when it was here last, from where, and since when that is known") {
  Story s;
  const auto start = format_time(s.stage.service().now());
  REQUIRE(s.stage.admin("PUT", "/devices/d", R"({"device_model":"SF-100"})").status == 201);
  const auto before = s.get("/devices/d");
  CHECK(before["last_seen"].is_null());
  CHECK(before["address"].is_null());
  CHECK(before["last_seen_since"] == start);
  const auto now = [&] {
    s.stage.advance(std::chrono::seconds(5));
    return format_time(s.stage.service().now());
  };
  const auto polled = now();
  s.links("d");
  CHECK(s.get("/devices/d")["last_seen"] == polled);
  CHECK(s.get("/devices/d")["address"] == "127.0.0.1");
  const auto said = now();
  s.says("d", "firmware_version", "1.0.0");
  CHECK(s.get("/devices/d")["last_seen"] == said);
  CHECK(s.get("/devices")["devices"][0]["last_seen"] == said);
  // What others say of it is no sign of it.
  now();
  REQUIRE(s.stage.admin("PUT", "/devices/d", R"({"name":"pump"})").status == 200);
  CHECK(s.get("/devices/d")["last_seen"] == said);
}

}  // namespace
}  // namespace ota::http::test
