// "Why is this device not updated?": the gates in their order, with the fact that decides each.
#include <doctest/doctest.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

// The first gate that is closed, and its fact.
std::string closed(const json& why) {
  for (const auto& gate : why["updates"][0]["gates"]) {
    if (!gate["open"].get<bool>()) return gate["gate"].get<std::string>() + ": " + gate["fact"].get<std::string>();
  }
  return "";
}

struct Why : Story {
  Why() {
    stage.device("d");
    stage.device("e");
  }
  json why(const std::string& query = "") { return get("/devices/d/why" + query); }
};

TEST_CASE("a device that nothing is meant for is told so") {
  Why w;
  CHECK(w.why()["updates"].empty());
  CHECK(w.why()["sentence"].get<std::string>().find("Nothing is meant for this device") == 0);
  CHECK(w.stage.admin("GET", "/devices/nobody/why").status == 404);
  CHECK(w.stage.admin("GET", "/devices/d/why?campaign_id=x").status == 422);
  const auto other = w.started({"e"});
  const auto why = w.why("?campaign_id=" + other.substr(other.rfind('/') + 1));
  CHECK(closed(why).find("targeted: the device is not among the campaign's targets") == 0);
}

TEST_CASE("where nothing is meant for it any more, a device's last update tells why it is not updated") {
  Why w;
  const auto campaign = w.started({"d"}, {{"max_retries", 0}, {"auto_rollback", false}});
  w.update("d", kFailed);
  REQUIRE(ApiStage::eventually([&] { return w.why()["updates"].empty(); }));
  const auto sentence = w.why()["sentence"].get<std::string>();
  CAPTURE(sentence);
  CHECK(sentence.find("Nothing is meant for this device") == 0);
  const std::string id = w.update_of(campaign, "d")["update_id"];
  CHECK(sentence.find(" Its last update, " + id + " to 2.0.0, ended failed: ") != std::string::npos);
  // Of one campaign it says nothing of another one's.
  CHECK(w.why("?campaign_id=" + campaign.substr(campaign.rfind('/') + 1))["sentence"].get<std::string>().find("Its last") ==
        std::string::npos);
}

TEST_CASE("every gate is shown in its order, each with a fact") {
  Why w;
  const auto campaign = w.started({"d", "e"}, {{"max_concurrent_updates", 1}});
  const auto gates = w.why()["updates"][0]["gates"];
  REQUIRE(gates.size() == 16);
  std::string names;
  for (const auto& gate : gates) {
    names += gate["gate"].get<std::string>() + " ";
    CHECK_FALSE(gate["fact"].get<std::string>().empty());
  }
  CHECK(names ==
        "known targeted in_percentage compatible beta not_there_yet not_busy approved campaign_running content owner window "
        "consent retry_time batch concurrency ");
  CHECK(w.why()["sentence"] == "Every gate is open: the device is granted when it asks next.");
  w.begin("e");
  CHECK(closed(w.why()) == "concurrency: 1 of 1 places are taken");
  w.post(campaign + "/pause", {{"reason", "lunch"}});
  CHECK(closed(w.why()) == "campaign_running: the campaign is paused: lunch");
}

TEST_CASE("a window, a retry, a version and a full batch are named with their figures") {
  Why w;
  SUBCASE("the version is there") {
    w.says("d", "firmware_version", "2.0.0");
    w.started({"d"}, {{"max_concurrent_updates", 1}});
    CHECK(closed(w.why()) == "not_there_yet: the device runs 2.0.0, the campaign brings 2.0.0");
  }
  SUBCASE("a retry waits for its time") {
    w.started({"d"}, {{"max_retries", 3}});
    w.update("d", kFailed);
    const auto why = w.why();
    CHECK(closed(why) == "retry_time: the last attempt failed, the next one waits");
    CHECK(why["sentence"].get<std::string>().find(", until 2026-") != std::string::npos);
  }
  SUBCASE("the batch is full") {
    w.started({"d", "e"}, {{"deployment_strategy", "staged"}, {"batch_size", 1}});
    w.begin("e");
    CHECK(closed(w.why()) == "batch: batch 1 is full: 1 of 1 granted");
  }
  SUBCASE("another update is under way") {
    w.started({"d"});
    REQUIRE(w.post("/devices/d/update", {{"firmware_id", w.stage.firmware("3.0.0")}}).status == 201);
    w.begin("d");
    CHECK(closed(w.why()) == "not_busy: it is in progress");
    const auto campaign = w.why()["updates"][1];
    CHECK(campaign["sentence"].get<std::string>().find("the device is busy with update ") != std::string::npos);
  }
}

TEST_CASE("updates of the device's own are explained like those of campaigns, and before them") {
  Why w;
  w.started({"d"});
  const auto night = json{{"start", "01:00"}, {"end", "01:01"}, {"timezone", "UTC"}};
  const auto asked = w.post("/devices/d/update", {{"firmware_id", w.stage.firmware("3.0.0")}, {"maintenance_window", night}});
  REQUIRE_MESSAGE(asked.status == 201, asked.body);
  const auto why = w.why();
  REQUIRE(why["updates"].size() == 2);
  CHECK(why["updates"][0]["campaign_id"].is_null());
  CHECK(why["updates"][0]["update_id"] == asked.json()["update_id"]);
  CHECK(closed(why) == "window: the maintenance window 01:00 to 01:01 (UTC) is closed");
  CHECK(w.get("/updates/" + asked.json()["update_id"].get<std::string>())["waiting_for"] == "window");
}

TEST_CASE("of several the sentence tells what is under way, else what comes next") {
  Why w;
  const auto night = json{{"start", "01:00"}, {"end", "01:01"}, {"timezone", "UTC"}};
  REQUIRE(w.post("/devices/d/update", {{"firmware_id", w.stage.firmware("3.0.0")}, {"maintenance_window", night}}).status == 201);
  w.started({"d"});
  CHECK(w.why()["sentence"] == "Every gate is open: the device is granted when it asks next.");
  w.begin("d");
  CHECK(w.why()["sentence"] == "Its update in this campaign is in progress.");
}

TEST_CASE("a deleted device that a list names since is waited for like one that is not known yet") {
  Why w;
  REQUIRE(w.stage.admin("DELETE", "/devices/d").status == 200);
  CHECK(w.why()["sentence"] == "The device was deleted: nothing is meant for it.");
  const auto campaign = w.started({"d", "new"});
  const auto why = w.why();
  REQUIRE(why["updates"].size() == 1);
  CHECK(closed(why).find("known:") == 0);
  CHECK(why["sentence"].get<std::string>().find("It waits at the gate known") == 0);
  CHECK(why["updates"][0]["update_id"] == w.update_of(campaign, "d")["update_id"]);
  CHECK(w.get("/updates/" + w.update_of(campaign, "d")["update_id"].get<std::string>())["waiting_for"] == "known");
}

TEST_CASE("an update says which gate it waits at") {
  Why w;
  const auto campaign = w.started({"d", "e"}, {{"max_concurrent_updates", 1}});
  w.begin("e");
  const std::string waits = w.update_of(campaign, "d")["update_id"];
  const std::string runs = w.update_of(campaign, "e")["update_id"];
  CHECK(w.get("/updates/" + waits)["waiting_for"] == "concurrency");
  CHECK(w.get("/updates/" + runs)["waiting_for"].is_null());
}

TEST_CASE("a rollback has gates of its own") {
  Why w;
  const auto campaign = w.started({"d", "e"});
  w.update("d", kSucceeded);
  REQUIRE(w.post(campaign + "/rollback", {{"reason", "wrong image"}}).status == 200);
  const auto why = w.why();
  CHECK(why["updates"][0]["gates"].size() == 8);
  CHECK(why["sentence"] == "Every gate is open: the device is granted when it asks next.");
  const auto id = campaign.substr(campaign.rfind('/') + 1);
  CHECK(closed(w.get("/devices/e/why?campaign_id=" + id)).find("targeted: the device did not complete") == 0);
}

}  // namespace
}  // namespace ota::http::test
