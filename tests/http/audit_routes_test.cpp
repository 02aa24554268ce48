// The log as it is asked for: spec/api.md section 6.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

struct Audited : Story {
  Audited() {
    for (const char* device : {"a", "b"}) stage.device(device);
    campaign = started({"a", "b"});
    id = campaign.substr(campaign.rfind('/') + 1);
    update("a", kSucceeded);
    REQUIRE(stage.admin("POST", campaign + "/pause", R"({"reason":"lunch"})", "X-User-Id: ada\r\n").status == 200);
    REQUIRE(stage.admin("POST", campaign + "/resume", "", "X-User-Id: bob\r\n").status == 200);
  }
  json page(const std::string& query) { return get("/audit/events?" + query); }
  std::vector<std::string> types(const std::string& query) {
    std::vector<std::string> found;
    const auto shown = page(query);
    for (const auto& event : shown["events"]) found.push_back(event["type"]);
    return found;
  }
  std::string campaign;
  std::string id;
};

using Types = std::vector<std::string>;

TEST_CASE("events are found by their stream, their actor and their type, in log order") {
  Audited a;
  CHECK(a.types("stream=campaign:" + a.id) ==
        Types{"campaign.created", "campaign.started", "campaign.paused", "campaign.resumed"});
  CHECK(a.types("actor=ada") == Types{"campaign.paused"});
  CHECK(a.types("actor=bob&stream=campaign:" + a.id) == Types{"campaign.resumed"});
  CHECK(a.types("type=update.started") == Types{"update.started"});
  CHECK(a.types("type=campaign.paused&actor=bob").empty());
  CHECK(a.types("stream=device:a&type=device.registered") == Types{"device.registered"});
  CHECK(a.types("stream=firmware:" + a.v2).front() == "firmware.registered");
  const std::string update = a.update_of(a.campaign, "a")["update_id"];
  CHECK(a.types("stream=update:" + update) == Types{"update.granted", "update.started", "update.attempt_ended"});
  CHECK(a.page("stream=campaign:" + a.id)["events"][0]["stream"] == "campaign:" + a.id);
}

TEST_CASE("a campaign and a device are asked for together: what concerns both") {
  Audited a;
  CHECK(a.types("campaign_id=" + a.id + "&device_id=a") == Types{"update.granted", "update.started", "update.attempt_ended"});
  CHECK(a.types("campaign_id=" + a.id + "&device_id=b").empty());
  CHECK(a.types("device_id=b").size() < a.types("device_id=a").size());
}

TEST_CASE("design 5: what a device reported on the way is in its audit, though it stands under its update alone") {
  Audited a;
  a.stage.device("c");
  const auto other = a.started({"c"});
  const auto action = a.begin("c");
  a.report("c", action, kDownloaded);
  CHECK(a.types("device_id=c&type=update.progress") == Types{"update.progress"});
  const auto all = a.types("device_id=c");
  CHECK(a.types("device_id=a&type=update.progress").empty());
  const std::string of_c = a.update_of(other, "c")["update_id"];
  CHECK(a.types("campaign_id=" + other.substr(other.rfind('/') + 1) + "&update_id=" + of_c + "&type=update.progress") ==
        Types{"update.progress"});
  const auto of_its_update = a.types("stream=update:" + of_c);
  CHECK(std::count(of_its_update.begin(), of_its_update.end(), "update.progress") == 1);
  CHECK(a.types("stream=update:" + of_c + "&device_id=c") == of_its_update);
  CHECK(a.types("stream=update:" + of_c + "&device_id=a").empty());
  // Nor is it missing of the campaign alone, where it is asked for, or what somebody did.
  const auto campaign = "campaign_id=" + other.substr(other.rfind('/') + 1);
  CHECK(a.types(campaign + "&type=update.progress,update.started") == Types{"update.started", "update.progress"});
  REQUIRE(a.stage.admin("POST", "/updates/" + of_c + "/cancel", "", "X-User-Id: eve\r\n").status == 200);
  CHECK(a.types(campaign + "&actor=eve") == Types{"update.cancel_requested"});
  CHECK(a.types(campaign + "&type=update.cancel_requested") == Types{"update.cancel_requested"});
  CHECK(a.types("campaign_id=" + a.id + "&type=update.cancel_requested").empty());
  Types paged;
  std::uint64_t after = 0;
  for (json page; paged.size() < all.size();) {
    page = a.page("device_id=c&limit=1&after=" + std::to_string(after));
    REQUIRE(page["events"].size() == 1);
    paged.push_back(page["events"][0]["type"]);
    after = page["next_after"];
  }
  CHECK(paged == all);
}

TEST_CASE("somebody who never did anything has no events, and is not made known by being asked for") {
  Audited a;
  CHECK(a.types("actor=eve").empty());
  CHECK(a.page("actor=eve")["more"] == false);
  CHECK_FALSE(a.stage.service().known_user("eve"));
}

TEST_CASE("what cannot be a stream, a type or an id is refused with its value") {
  Audited a;
  const auto unknown = a.stage.admin("GET", "/audit/events?type=campaign.eaten");
  CHECK(unknown.faults() == "type: enum\n");
  CHECK(unknown.body.find("campaign.eaten") != std::string::npos);
  for (const char* type : {"firmware.registered", "campaign.closed", "update.late_report", "user.erased"}) {
    CHECK(unknown.body.find(type) != std::string::npos);
    CHECK(a.stage.admin("GET", std::string("/audit/events?type=") + type).status == 200);
  }
  for (const char* stream : {"campaign:x", "camp", "update:", "user:ada", "gate:" , "firmware:12", "device:"}) {
    CAPTURE(stream);
    CHECK(a.stage.admin("GET", std::string("/audit/events?stream=") + stream).faults() == "stream: value_error\n");
  }
  CHECK(a.stage.admin("GET", "/audit/events?campaign_id=" + std::string(101, 'x')).faults() == "campaign_id: string_too_long\n");
  CHECK(a.stage.admin("GET", "/audit/events?campaign_id=x&update_id=y").faults() ==
        "campaign_id: value_error\nupdate_id: value_error\n");
}

TEST_CASE("pages follow each other by next_after until there are no more, and lose nothing") {
  Audited a;
  std::vector<std::string> all;
  std::uint64_t after = 0;
  json page;
  do {
    page = a.page("campaign_id=" + a.id + "&limit=2&after=" + std::to_string(after));
    for (const auto& event : page["events"]) all.push_back(event["type"]);
    CHECK(page["events"].size() <= 2);
    after = page["next_after"];
  } while (page["more"] == true);
  CHECK(all == a.types("campaign_id=" + a.id));
  CHECK(after == page["head"]);
}

TEST_CASE("until is the last position that is wanted, of pages and of files") {
  Audited a;
  const auto all = a.page("limit=5000")["events"];
  const std::uint64_t third = all[2]["position"];
  const auto page = a.page("limit=5000&until=" + std::to_string(third));
  CHECK(page["events"].size() == 3);
  CHECK(page["more"] == false);
  CHECK(page["next_after"] == third);
  CHECK(a.page("until=0")["events"].empty());
  CHECK(a.page("limit=5000&until=" + std::to_string(INT64_MAX))["events"] == all);
  CHECK(a.stage.admin("GET", "/audit/events?until=-1").faults() == "until: greater_than_equal\n");
}

TEST_CASE("the service says what it is, where it listens and what it can do") {
  Story s;
  const auto about = s.get("/service/stats");
  CHECK(about["name"] == "ota_service");
  CHECK(about["port"].is_null());   // no door is open here
  const auto features = about["features"].get<std::vector<std::string>>();
  CHECK(std::count(features.begin(), features.end(), "canary") == 1);
  CHECK(about["routes"].size() > 50);
}

}  // namespace
}  // namespace ota::http::test
