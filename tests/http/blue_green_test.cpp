// blue_green over HTTP (design 4): devices that can hold go first and hold, one switch lets all of them install.
#include <doctest/doctest.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

struct BlueGreen : Story {
  BlueGreen() {
    for (const char* device : {"h0", "h1", "plain"}) stage.device(device);
    for (const char* device : {"h0", "h1"}) says(device, "can_hold", "true");
  }
  std::string campaign(const json& devices, json fields = json::object()) {
    fields["deployment_strategy"] = "blue_green";
    if (!fields.contains("max_concurrent_updates")) fields["max_concurrent_updates"] = 1;
    return started(devices, fields);
  }
};

TEST_CASE("holders wait verified, without a place and without a time-out, until the one switch") {
  BlueGreen b;
  const auto campaign = b.campaign({"h0", "h1"});
  const auto first = b.begin("h0");
  const auto told = b.stage.ddi("GET", first).json()["deployment"];
  CHECK(told["update"] == "skip");
  CHECK(told["maintenanceWindow"] == "unavailable");
  const auto link = b.links("h0")["deploymentBase"];
  b.report("h0", first, kDownloaded);
  CHECK(b.get(campaign)["held_devices"] == 1);
  CHECK(b.update_of(campaign, "h0")["held"] == true);
  // Its place is free, though one only may be under way; it times out no more.
  const auto second = b.begin("h1");
  b.stage.advance(std::chrono::minutes(59));
  b.report("h1", second, kDownloaded);

  REQUIRE(ApiStage::eventually([&] { return b.get(campaign)["switched"] == true; }));  // all hold
  REQUIRE(ApiStage::eventually([&] {
    return b.stage.ddi("GET", first).json()["deployment"]["update"] == "forced" &&
           b.stage.ddi("GET", second).json()["deployment"]["update"] == "forced";
  }));
  CHECK(b.links("h0")["deploymentBase"] != link);
  CHECK(b.get(campaign)["held_devices"] == 0);
  b.report("h0", first, kSucceeded);
  b.report("h1", second, kSucceeded);
  REQUIRE(b.becomes(campaign, "completed"));
  CHECK(b.get(campaign)["completed_devices"] == 2);
}

TEST_CASE("a holder that installs before the switch is waited for, and no longer than that takes") {
  BlueGreen b;
  const auto campaign = b.campaign({"h0", "h1"});
  b.report("h0", b.begin("h0"), kDownloaded);
  const std::string update = b.update_of(campaign, "h0")["update_id"];
  REQUIRE(b.get("/updates/" + update)["held"] == true);
  REQUIRE(b.post("/updates/" + update + "/status", {{"status", "installing"}}).status == 200);
  CHECK(b.get("/updates/" + update)["held"] == false);
  CHECK(b.get(campaign)["held_devices"] == 0);
  REQUIRE(b.post(campaign + "/cancel").status == 200);
  CHECK(b.get("/updates/" + update)["status"] == "installing");   // left to finish (decision 24)
  b.stage.advance(std::chrono::minutes(61));
  CHECK(ApiStage::eventually([&] { return b.get(campaign)["actual_end"].is_string(); }));
  CHECK(b.update_of(campaign, "h0")["error_code"] == "timeout");
}

// Two that still download when the campaign is stopped, and hold only then.
struct Stopped : BlueGreen {
  Stopped() {
    path = campaign({"h0", "h1"}, {{"max_concurrent_updates", 2}});
    action = begin("h0");
    begin("h1");
    REQUIRE(post(path + "/rollback", {{"reason", "wrong image"}}).status == 200);
    report("h0", action, kDownloaded);
  }
  std::string cancellation() {
    REQUIRE(ApiStage::eventually([&] { return links("h0").contains("cancelAction"); }));
    return "/h0/cancelAction/" + action.substr(action.rfind('/') + 1);
  }
  std::string path;
  std::string action;
};

TEST_CASE("who holds only behind the end of its campaign is asked to stop then") {
  Stopped s;
  CHECK(s.get(s.path)["held_devices"] == 1);
  CHECK(s.stage.ddi("POST", s.cancellation() + "/feedback", kSucceeded).status == 200);
  CHECK(s.update_of(s.path, "h0")["status"] == "cancelled");
  s.stage.advance(std::chrono::minutes(61));
  CHECK(s.becomes(s.path, "cancelled"));
}

TEST_CASE("a holder that refuses to stop is offered its update again, not to install, and ends in time") {
  Stopped s;
  constexpr const char* kRejected = R"({"status":{"execution":"rejected","result":{"finished":"none"}}})";
  CHECK(s.stage.ddi("POST", s.cancellation() + "/feedback", kRejected).status == 200);
  REQUIRE(ApiStage::eventually([&] { return s.links("h0").contains("deploymentBase"); }));
  CHECK(s.stage.ddi("GET", s.action).json()["deployment"]["update"] == "skip");
  s.stage.advance(std::chrono::minutes(61));
  CHECK(s.becomes(s.path, "cancelled"));
  CHECK(s.update_of(s.path, "h0")["error_code"] == "timeout");
}

TEST_CASE("an operator may switch before all hold; whoever still downloads goes straight on") {
  BlueGreen b;
  const auto campaign = b.campaign({"h0", "h1", "plain"});
  b.report("h1", b.begin("h1"), kDownloaded);
  b.stage.advance(std::chrono::hours(30));   // it waits for the operator now: no time-out runs
  CHECK(b.get(campaign)["held_devices"] == 1);
  CHECK_FALSE(b.links("plain").contains("deploymentBase"));
  const auto action = b.begin("h0");
  const auto switched = b.post(campaign + "/switch", {{"reason", "shop closes"}});
  REQUIRE_MESSAGE(switched.status == 200, switched.body);
  CHECK(switched.json()["switched"] == true);
  CHECK(b.post(campaign + "/switch").json()["message"] == "Campaign was switched already");
  b.report("h0", action, kDownloaded);
  REQUIRE(ApiStage::eventually([&] { return b.stage.ddi("GET", action).json()["deployment"]["update"] == "forced"; }));
  b.report("h0", action, kSucceeded);
  b.update("plain", kSucceeded);
  b.update("h1", kSucceeded);
  REQUIRE(b.becomes(campaign, "completed"));
}

TEST_CASE("switch_at switches at its time") {
  BlueGreen b;
  const auto at = "2026-05-29T10:00:00Z";
  const auto refused = b.post("/campaigns", {{"name", "x"}, {"firmware_id", b.v2}, {"target_devices", {"h0"}}, {"switch_at", at}});
  CHECK(refused.status == 422);
  CHECK(refused.body.find("switch_at") != std::string::npos);
  const auto campaign = b.campaign({"h0", "plain"}, {{"switch_at", at}});
  b.report("h0", b.begin("h0"), kDownloaded);
  CHECK(b.get(campaign)["switch_at"] == "2026-05-29T10:00:00.000000Z");
  CHECK(b.get(campaign)["switched"] == false);
  b.stage.advance(std::chrono::hours(24));
  CHECK(ApiStage::eventually([&] { return b.get(campaign)["switched"] == true; }));
}

TEST_CASE("only a blue_green campaign that runs has a switch") {
  BlueGreen b;
  const auto campaign = b.started({"plain"});
  CHECK(b.post(campaign + "/switch").status == 409);
}

}  // namespace
}  // namespace ota::http::test
