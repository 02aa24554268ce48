// A maintenance window on the device's side (decision 14): what it is told, and when.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

struct Windowed : Story {
  Windowed() {
    stage.device("d");
    campaign = started({"d"}, {{"timeout_minutes", 1'440}, {"maintenance_window", {{"start", clock(-60)}, {"end", clock(60)}, {"timezone", "UTC"}}}});
  }
  // The time of day in so many minutes from now.
  std::string clock(int ahead) {
    constexpr int kDay = 24 * 60;
    const auto now = std::chrono::floor<std::chrono::minutes>(stage.service().now()).time_since_epoch().count();
    const auto minute = static_cast<int>((now + ahead) % kDay);
    return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
  }
  json told(const std::string& action) { return stage.ddi("GET", action).json()["deployment"]; }
  std::string campaign;
};

TEST_CASE("decision 14: what was granted in the window and not fetched in it is not offered behind it") {
  Windowed w;
  REQUIRE(w.links("d").contains("deploymentBase"));
  w.stage.advance(std::chrono::minutes(61));
  CHECK_FALSE(w.links("d").contains("deploymentBase"));
  // It comes back a third of the way to the opening later, as it always does, and sooner as that is near.
  const auto sleep = [&] { return w.stage.ddi("GET", "/d").json()["config"]["polling"]["sleep"].get<std::string>(); };
  CHECK(sleep() == "00:05:00");
  w.stage.advance(std::chrono::hours(21) + std::chrono::minutes(53));
  CHECK(sleep() > "00:01:30");  // of about six minutes
  CHECK(sleep() <= "00:02:00");
  w.stage.advance(std::chrono::hours(1) + std::chrono::minutes(7));
  CHECK(ApiStage::eventually([&] { return w.links("d").contains("deploymentBase"); }));
}

TEST_CASE("decision 14: who fetched it in the window, and reads it again behind it, is told to wait with the install") {
  Windowed w;
  const auto action = w.begin("d");
  CHECK(w.told(action)["update"] == "forced");
  CHECK(w.told(action)["maintenanceWindow"] == "available");
  w.stage.advance(std::chrono::minutes(61));
  CHECK(w.told(action)["update"] == "skip");
  CHECK(w.told(action)["maintenanceWindow"] == "unavailable");
  CHECK_FALSE(w.links("d").contains("deploymentBase"));   // some clients would take that for the end of it
  w.report("d", action, kDownloaded);
  CHECK(w.links("d").contains("deploymentBase"));         // it looks there for its turn
  CHECK(w.told(action)["update"] == "skip");
  w.stage.advance(std::chrono::hours(23));
  CHECK(ApiStage::eventually([&] { return w.told(action)["update"] == "forced"; }));
  w.report("d", action, kSucceeded);
  CHECK(w.becomes(w.campaign, "completed"));
}

TEST_CASE("decisions 7 and 14: a download that a closed window interrupts is not failed for it") {
  Windowed w;
  const json window{{"start", w.clock(-60)}, {"end", w.clock(60)}, {"timezone", "UTC"}};
  w.stage.device("e");
  const auto campaign = w.started({"e"}, {{"timeout_minutes", 120}, {"maintenance_window", window}});
  const auto action = w.begin("e");
  w.report("e", action, kProceeding);
  w.stage.advance(std::chrono::minutes(130));
  CHECK_FALSE(w.links("e").contains("deploymentBase"));
  CHECK(ApiStage::eventually([&] {
    w.links("e");
    return w.get("/updates/" + w.update_of(campaign, "e")["update_id"].get<std::string>())["timeout_at"] > w.get("/devices/e")["last_seen"];
  }));
  CHECK(w.update_of(campaign, "e")["status"] == "downloading");
  w.stage.advance(std::chrono::hours(22));
  CHECK(ApiStage::eventually([&] { return w.links("e").contains("deploymentBase"); }));
  w.report("e", action, kSucceeded);
  CHECK(w.becomes(campaign, "completed"));
}

TEST_CASE("what installs goes on behind the window") {
  Windowed w;
  const auto action = w.begin("d");
  const std::string update = w.update_of(w.campaign, "d")["update_id"];
  REQUIRE(w.post("/updates/" + update + "/status", {{"status", "installing"}}).status == 200);
  w.stage.advance(std::chrono::minutes(61));
  CHECK(w.links("d").contains("deploymentBase"));
  CHECK(w.told(action)["update"] == "forced");
}

}  // namespace
}  // namespace ota::http::test
