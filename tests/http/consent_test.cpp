// Consent of the device's user, download-only, proof of success (decisions 12, 32, 33) over DDI.
#include <doctest/doctest.h>

#include "http/at_most_every.hpp"
#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

constexpr const char* kConfirmed = R"({"confirmation":"confirmed"})";
constexpr const char* kDenied = R"({"confirmation":"denied","details":["not while I drive"]})";

struct Asked : Story {
  explicit Asked(int max_retries = 0) {
    stage.device("d");
    stage.device("e");
    campaign = started({"d", "e"}, {{"requires_device_confirmation", true}, {"max_concurrent_updates", 1},
                                    {"max_retries", max_retries}});
    REQUIRE(ApiStage::eventually([&] { return links("d").contains("confirmationBase"); }));
    std::string href = links("d")["confirmationBase"]["href"];
    href.erase(href.find('?'));
    action = href.substr(href.rfind('/') + 1);
    base = "/d/confirmationBase/" + action;
  }
  std::string campaign;
  std::string action;
  std::string base;
};

TEST_CASE("decision 32: an offer waits for consent without a place and without a time-out") {
  Asked a;
  CHECK_FALSE(a.links("d").contains("deploymentBase"));
  CHECK(ApiStage::eventually([&] { return a.links("e").contains("confirmationBase"); }));  // it takes no place
  const auto too_early = a.stage.ddi("GET", "/d/deploymentBase/" + a.action);
  CHECK(too_early.status == 404);
  CHECK(too_early.json()["message"] == "Action " + a.action + " waits for its user's consent, see confirmationBase");
  CHECK(a.stage.ddi("POST", "/d/cancelAction/" + a.action + "/feedback", kSucceeded).status == 405);  // nobody asked that
  CHECK(a.stage.ddi("GET", "/d/confirmationBase").json()["_links"].contains("confirmationBase"));
  CHECK(a.stage.ddi("GET", "/d/confirmationBase").json()["autoConfirm"]["active"] == false);
  const auto shown = a.stage.ddi("GET", a.base).json();
  CHECK(shown["id"] == a.action);
  CHECK(shown["confirmation"]["chunks"][0]["version"] == "2.0.0");
  a.stage.advance(std::chrono::hours(48));
  const auto update = a.update_of(a.campaign, "d");
  CHECK(update["status"] == "scheduled");
  CHECK(a.get("/updates/" + update["update_id"].get<std::string>())["waiting_for"] == "consent");

  CHECK(a.stage.ddi("POST", a.base + "/feedback", R"({"confirmation":"maybe"})").status == 400);
  CHECK(a.stage.ddi("POST", a.base + "/feedback", kConfirmed).status == 200);
  CHECK(a.stage.ddi("POST", a.base + "/feedback", kConfirmed).status == 200);
  CHECK(a.stage.offered("d") == a.action);   // the action that was agreed to
  CHECK(a.stage.ddi("POST", a.base + "/feedback", kConfirmed).status == 200);
  CHECK(a.stage.ddi("GET", a.base).status == 404);
  a.update("d", kSucceeded);
  CHECK(a.update_of(a.campaign, "d")["status"] == "completed");
}

TEST_CASE("decision 32: who has agreed passes the gates again, the pause and the places") {
  Asked a;
  REQUIRE(ApiStage::eventually([&] { return a.links("e").contains("confirmationBase"); }));
  std::string other = a.links("e")["confirmationBase"]["href"];
  other = "/e/confirmationBase/" + other.substr(0, other.find('?')).substr(other.rfind('/') + 1);
  const auto waits_at = [&](const std::string& device) {
    return a.get("/updates/" + a.update_of(a.campaign, device)["update_id"].get<std::string>())["waiting_for"];
  };
  REQUIRE(a.post(a.campaign + "/pause").status == 200);
  CHECK(a.stage.ddi("POST", a.base + "/feedback", kConfirmed).status == 200);
  CHECK_FALSE(a.links("d").contains("deploymentBase"));
  CHECK(waits_at("d") == "campaign_running");
  REQUIRE(a.post(a.campaign + "/resume").status == 200);
  const auto action = a.begin("d");
  CHECK(a.stage.ddi("POST", other + "/feedback", kConfirmed).status == 200);
  CHECK_FALSE(a.links("e").contains("deploymentBase"));
  CHECK(waits_at("e") == "concurrency");   // the one place is taken
  a.report("d", action, kSucceeded);
  a.update("e", kSucceeded);
  CHECK(a.becomes(a.campaign, "completed"));
}

TEST_CASE("decision 32: who is to be asked is asked though every place is taken, and is granted only when one is free") {
  Asked a;
  CHECK(a.stage.ddi("POST", a.base + "/feedback", kConfirmed).status == 200);
  const auto action = a.begin("d");
  REQUIRE(ApiStage::eventually([&] { return a.links("e").contains("confirmationBase"); }));
  std::string other = a.links("e")["confirmationBase"]["href"];
  other = "/e/confirmationBase/" + other.substr(0, other.find('?')).substr(other.rfind('/') + 1);
  CHECK(a.stage.ddi("POST", other + "/feedback", kConfirmed).status == 200);
  CHECK_FALSE(a.links("e").contains("deploymentBase"));
  CHECK(a.get(a.campaign)["in_progress_devices"] == 1);
  a.report("d", action, kSucceeded);
  a.update("e", kSucceeded);
  CHECK(a.becomes(a.campaign, "completed"));
}

TEST_CASE("decision 33: declined by the user is cancelled, and in no rate") {
  Asked a;
  CHECK(a.stage.ddi("POST", a.base + "/feedback", kDenied).status == 200);
  const auto update = a.update_of(a.campaign, "d");
  CHECK(update["status"] == "cancelled");
  CHECK(update["error_code"] == "declined");
  CHECK_FALSE(a.links("d").contains("confirmationBase"));
  CHECK(a.stage.ddi("POST", a.base + "/feedback", kDenied).status == 200);     // said again
  CHECK(a.stage.ddi("POST", a.base + "/feedback", kConfirmed).status == 410);  // too late
  CHECK(a.update_of(a.campaign, "d")["status"] == "cancelled");
  CHECK(a.stage.ddi("POST", "/d/confirmationBase/999/feedback", kConfirmed).status == 404);
}

TEST_CASE("decision 32: consent is to an update while it lasts, and who is asked anew was retried by an operator") {
  Asked a(3);
  REQUIRE(a.stage.ddi("POST", a.base + "/feedback", kConfirmed).status == 200);
  a.report("d", a.begin("d"), kFailed);
  CHECK(a.update_of(a.campaign, "d")["status"] == "scheduled");   // it is tried again by itself
  a.stage.advance(std::chrono::hours(1));
  REQUIRE(ApiStage::eventually([&] { return a.links("d").contains("deploymentBase"); }));
  const std::string update = a.update_of(a.campaign, "d")["update_id"];
  REQUIRE(a.post("/updates/" + update + "/cancel").status == 200);
  CHECK(a.get("/updates/" + update)["status"] == "cancelled");
  REQUIRE(a.post("/updates/" + update + "/retry").status == 200);
  REQUIRE(ApiStage::eventually([&] { return a.links("d").contains("confirmationBase"); }));
  CHECK_FALSE(a.links("d").contains("deploymentBase"));
  CHECK(a.stage.ddi("POST", a.base + "/feedback", kConfirmed).status == 200);   // the answer of then says nothing now
  CHECK(a.links("d").contains("confirmationBase"));
}

TEST_CASE("decision 32: download_only completes when it is downloaded, and changes no version") {
  Story s;
  s.stage.device("d");
  const auto campaign = s.started({"d"}, {{"download_only", true}});
  const auto action = s.begin("d");
  CHECK(s.stage.ddi("GET", action).json()["deployment"]["update"] == "skip");
  CHECK_FALSE(s.stage.ddi("GET", action).json()["deployment"].contains("maintenanceWindow"));
  s.report("d", action, kDownloaded);
  REQUIRE(s.becomes(campaign, "completed"));
  CHECK(s.firmware_version("d") == "1.0.0");
  CHECK_FALSE(s.links("d").contains("installedBase"));
}

TEST_CASE("decision 12: success is not enough where its version must be seen, and the device is asked once a minute") {
  Story s;
  s.stage.device("d");
  const auto campaign = s.started({"d"}, {{"require_version_proof", true}});
  s.update("d", kSucceeded);
  CHECK(s.update_of(campaign, "d")["status"] == "rebooting");
  auto links = s.links("d");
  CHECK(links.contains("configData"));
  CHECK_FALSE(links.contains("deploymentBase"));   // it would install again
  CHECK_FALSE(s.links("d").contains("configData"));
  s.stage.advance(std::chrono::seconds(61));
  CHECK(s.links("d").contains("configData"));
  s.says("d", "firmware_version", "1.0.0");
  CHECK(s.update_of(campaign, "d")["status"] == "rebooting");
  s.says("d", "firmware_version", "2.0.0");
  REQUIRE(s.becomes(campaign, "completed"));
  CHECK(s.update_of(campaign, "d")["status"] == "completed");
}

TEST_CASE("decision 12: the version that a device ran before proves nothing until it is said anew") {
  Story s;
  s.stage.device("d");
  s.says("d", "firmware_version", "2.0.0");
  const auto campaign = s.started({"d"}, {{"require_version_proof", true}, {"force_update", true}});
  s.begin("d");
  const std::string update = s.update_of(campaign, "d")["update_id"];
  REQUIRE(s.post("/updates/" + update + "/status", {{"status", "rebooting"}}).status == 200);
  s.links("d");
  CHECK(s.get("/updates/" + update)["status"] == "rebooting");
  s.says("d", "firmware_version", "2.0.0");
  CHECK(s.becomes(campaign, "completed"));
}

TEST_CASE("decision 12: a device that ran that version before proves it behind another one, too") {
  Story s;
  s.stage.device("d");
  s.says("d", "firmware_version", "2.0.0");
  const auto campaign = s.started({"d"}, {{"require_version_proof", true}, {"force_update", true}});
  s.begin("d");
  const std::string update = s.update_of(campaign, "d")["update_id"];
  REQUIRE(s.post("/updates/" + update + "/status", {{"status", "rebooting"}}).status == 200);
  s.says("d", "firmware_version", "1.5.0");
  CHECK(s.update_of(campaign, "d")["status"] == "rebooting");
  s.says("d", "firmware_version", "2.0.0");
  CHECK(s.becomes(campaign, "completed"));
}

TEST_CASE("decision 12: a proof ends the update behind what it was said with") {
  Story s;
  for (int i = 0; i < 20; ++i) {
    const auto d = "d" + std::to_string(i);
    s.stage.device(d);
    s.says(d, "firmware_version", "2.0.0");
    const auto campaign = s.started({d}, {{"require_version_proof", true}, {"force_update", true}});
    s.begin(d);
    const std::string update = s.update_of(campaign, d)["update_id"];
    REQUIRE(s.post("/updates/" + update + "/status", {{"status", "rebooting"}}).status == 200);
    REQUIRE(s.stage.ddi("PUT", "/" + d + "/configData", R"({"mode":"merge","data":{"firmware_version":"2.0.0","slot":"b"}})").status == 200);
    REQUIRE(s.becomes(campaign, "completed"));
    std::uint64_t said = 0;
    std::uint64_t ended = 0;
    const auto recorded = s.get("/audit/events?limit=1000&device_id=" + d);
    for (const auto& event : recorded["events"]) {
      if (event["type"] == "device.attributes_changed") said = std::max<std::uint64_t>(said, event["position"]);
      if (event["type"] == "update.attempt_ended") ended = event["position"];
    }
    CHECK_MESSAGE((0 < said && said < ended), recorded.dump());
  }
}

TEST_CASE("decision 12: the old version, reported after the grace, makes a failure of the success") {
  Story s;
  s.stage.device("d");
  const auto campaign = s.started({"d"});
  s.update("d", kSucceeded);
  s.says("d", "firmware_version", "1.0.0");   // some devices report before they reboot
  CHECK(s.update_of(campaign, "d")["status"] == "completed");
  CHECK(s.firmware_version("d") == "2.0.0");
  s.stage.advance(std::chrono::minutes(16));
  s.says("d", "firmware_version", "1.0.0");
  const auto update = s.update_of(campaign, "d");
  CHECK(update["status"] == "failed");
  CHECK(update["error_message"] == "reported success but runs 1.0.0");
  CHECK(s.get(campaign)["failed_devices"] == 1);
}

TEST_CASE("who is told now and then is forgotten when it cannot matter any more") {
  AtMostEvery minutes(std::chrono::minutes(1));
  const domain::Time start{std::chrono::hours(1)};
  CHECK(minutes.due("a", start));
  CHECK_FALSE(minutes.due("a", start + std::chrono::seconds(59)));
  CHECK(minutes.due("b", start + std::chrono::seconds(59)));
  CHECK(minutes.due("a", start + std::chrono::seconds(60)));
  CHECK(minutes.due("c", start + std::chrono::minutes(10)));
  CHECK(minutes.size() == 1);
}

}  // namespace
}  // namespace ota::http::test
