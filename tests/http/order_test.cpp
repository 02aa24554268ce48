// Who goes first on a device: priority, direct before campaign, age (decision 9, BR-OTA-014, BR-OTA-023).
#include <doctest/doctest.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;
using std::chrono::minutes;

struct Waiting : Story {
  Waiting() { stage.device("d"); }
  // A campaign on the device with a firmware of its own, that was created a minute after the last one.
  std::string campaign(const std::string& version, const char* priority) {
    stage.advance(minutes(1));
    const json fields{{"name", version},
                      {"firmware_id", stage.firmware(version)},
                      {"target_devices", {"d"}},
                      {"priority", priority},
                      {"deployment_strategy", "immediate"}};
    const auto created = post("/campaigns", fields);
    REQUIRE_MESSAGE(created.status == 201, created.body);
    const auto path = "/campaigns/" + created.json()["campaign_id"].get<std::string>();
    REQUIRE(post(path + "/start").status == 200);
    return path;
  }
  void direct(const std::string& version, const char* priority) {
    stage.advance(minutes(1));
    const auto asked = post("/devices/d/update", {{"firmware_id", stage.firmware(version)}, {"priority", priority}});
    REQUIRE_MESSAGE(asked.status == 201, asked.body);
  }
  // The version that the device is offered next, which it downloads and refuses, so that the others stay news.
  std::string next() {
    const auto action = begin("d");
    const std::string version = stage.ddi("GET", action).json()["deployment"]["chunks"][0]["version"];
    const std::string update = get("/devices/d")["active_update_id"];
    REQUIRE(post("/updates/" + update + "/status", {{"status", "cancelled"}}).status == 200);
    return version;
  }
};

TEST_CASE("decision 9, BR-OTA-014: priority goes first, then direct before campaign, then age") {
  Waiting w;
  w.campaign("5.0.0", "low");
  w.campaign("5.1.0", "normal");
  w.campaign("5.2.0", "normal");
  w.campaign("5.3.0", "critical");
  w.direct("5.4.0", "normal");
  w.direct("5.5.0", "normal");
  w.direct("5.6.0", "high");
  w.direct("5.7.0", "low");
  std::string order;
  for (int i = 0; i < 8; ++i) order += w.next() + " ";
  CHECK(order == "5.3.0 5.6.0 5.4.0 5.5.0 5.1.0 5.2.0 5.7.0 5.0.0 ");
}

TEST_CASE("decision 9: a device has one active update, the others wait for its end") {
  Waiting w;
  const auto first = w.campaign("5.0.0", "high");
  const auto second = w.campaign("5.1.0", "normal");
  const auto action = w.begin("d");
  w.stage.ddi("GET", "/d");
  CHECK(w.get(first)["in_progress_devices"] == 1);
  CHECK(w.get(second)["in_progress_devices"] == 0);
  w.report("d", action, kSucceeded);
  CHECK(w.stage.ddi("GET", w.begin("d")).json()["deployment"]["chunks"][0]["version"] == "5.1.0");
}

TEST_CASE("decision 9: a campaign's emergency asks to make room, too, and one that has nothing new does not") {
  Waiting w;
  const auto first = w.campaign("5.1.0", "normal");
  const auto action = w.begin("d");
  const std::string update = w.update_of(first, "d")["update_id"];
  SUBCASE("it brings a newer version") {
    w.campaign("5.2.0", "emergency");
    CHECK(ApiStage::eventually([&] { return w.links("d").contains("cancelAction"); }));
    CHECK(w.get("/updates/" + update)["cancel_requested_at"].is_string());
  }
  SUBCASE("the device runs it already") {
    w.campaign("0.9.0", "emergency");
    for (int polls = 0; polls < 3; ++polls) CHECK(w.links("d").contains("deploymentBase"));
    CHECK(w.get("/updates/" + update)["cancel_requested_at"].is_null());
    w.report("d", action, kSucceeded);
  }
}

}  // namespace
}  // namespace ota::http::test
