// The past over HTTP: ?as_of= a time or a position, and what changed between two moments.
#include <doctest/doctest.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

struct Remembered : Story {
  Remembered() {
    for (const char* device : {"a", "b", "c"}) stage.device(device);
    campaign = started({"a", "b", "c"}, {{"failure_threshold_percent", 50}});
    note();
    update("a", kSucceeded);
    note();
    stage.advance(std::chrono::hours(2));
    REQUIRE(stage.admin("POST", campaign + "/pause", R"({"reason":"lunch"})").status == 200);
    note();
    stage.advance(std::chrono::minutes(5));
    REQUIRE(stage.admin("POST", campaign + "/resume").status == 200);
    stage.advance(std::chrono::minutes(5));
    update("b", kFailed);
    update("c", kSucceeded);
    says("a", "site", "berlin");
    note();
  }
  // What is shown now, to be asked for later.
  void note() {
    Then then;
    then.position = get("/audit/events?limit=1")["head"];
    for (const auto& path : {campaign, campaign + "/updates", std::string("/devices/a"), std::string("/devices/b/updates"),
                             std::string("/campaigns"), "/updates/" + update_of(campaign, "b")["update_id"].get<std::string>()}) {
      then.shown[path] = get(path);
    }
    then.statistics = get("/stats");
    moments.push_back(std::move(then));
  }
  struct Then {
    std::uint64_t position = 0;
    std::map<std::string, json> shown;
    json statistics;
  };
  std::string campaign;
  std::vector<Then> moments;
};

// Without what the log does not tell, and with what only the past says of itself.
void strip(json& value) {
  if (value.is_array()) {
    for (auto& element : value) strip(element);
  }
  if (!value.is_object()) return;
  for (const auto* name : {"as_of", "firmware", "last_seen", "address", "last_seen_since", "waiting_for", "targeted_devices",
                           // of the history's whole
                           "total_updates", "rollback_updates", "successful_updates", "failed_updates", "avg_success_rate",
                           "last_update", "device_id", "count", "filters", "next_cursor"}) {
    value.erase(name);
  }
  for (auto& [name, inner] : value.items()) strip(inner);
}

TEST_CASE("asked for a position, a resource answers what it answered then") {
  Remembered r;
  for (const auto& then : r.moments) {
    for (const auto& [path, shown] : then.shown) {
      CAPTURE(path);
      CAPTURE(then.position);
      auto past = r.get(path + "?as_of=" + std::to_string(then.position));
      auto was = shown;
      CHECK(past["as_of"]["position"] == then.position);
      strip(past);
      strip(was);
      CHECK(past == was);
    }
  }
}

TEST_CASE("asked for a time, it answers what the newest event until then had made of it") {
  Remembered r;
  const std::string paused = r.get("/audit/events?type=campaign.paused")["events"][0]["time"];
  CHECK(r.get(r.campaign + "?as_of=" + paused)["status"] == "paused");
  const std::string resumed = r.get("/audit/events?type=campaign.resumed")["events"][0]["time"];
  CHECK(r.get(r.campaign + "?as_of=" + resumed)["status"] == "in_progress");
  // Between the two, and to the microsecond.
  CHECK(r.get(r.campaign + "?as_of=" + paused.substr(0, paused.size() - 1) + "%2B00:00")["status"] == "paused");
}

TEST_CASE("the statistics are those of then, but for what was created within a day, and not of a period") {
  Remembered r;
  for (const auto& then : r.moments) {
    CAPTURE(then.position);
    auto past = r.get("/stats?as_of=" + std::to_string(then.position));
    auto was = then.statistics;
    CHECK(past["as_of"]["position"] == then.position);
    past.erase("as_of");
    for (const auto* name : {"last_24h_updates", "last_24h_failures", "last_24h_data_transferred"}) {
      CHECK(past[name].is_null());
      CHECK(was.erase(name) == 1);
      past.erase(name);
    }
    CHECK(past == was);
  }
  CHECK(r.moments.front().statistics != r.moments.back().statistics);
  const auto refused = r.stage.admin("GET", "/stats?as_of=1&from=2026-01-01T00:00:00Z");
  CHECK(refused.status == 422);
  CHECK(refused.body.find("as_of goes without it") != std::string::npos);
}

TEST_CASE("what was not there then is not found, and a moment that cannot be is refused with its value") {
  Remembered r;
  CHECK(r.stage.admin("GET", r.campaign + "?as_of=1").status == 404);
  CHECK(r.stage.admin("GET", r.campaign + "?as_of=0").status == 404);
  CHECK(r.stage.admin("GET", r.campaign + "?as_of=2001-01-01T00:00:00Z").status == 404);
  CHECK(r.stage.admin("GET", "/devices/nobody?as_of=5").status == 404);
  CHECK(r.get("/campaigns?as_of=1")["campaigns"].empty());
  const auto refused = [&](const std::string& moment) { return r.stage.admin("GET", r.campaign + "?as_of=" + moment); };
  CHECK(refused("yesterday").body.find("'yesterday' is neither a position of the log nor a time") != std::string::npos);
  CHECK(refused("999999").body.find("the log ends at") != std::string::npos);
  CHECK(refused("99999999999999999999999").status == 422);
  CHECK(refused("2101-01-01T00:00:00Z").body.find("is in the future") != std::string::npos);
  CHECK(refused("2026-01-01T00:00:00").body.find("does not say its zone") != std::string::npos);
  for (const auto* path : {"/campaigns", "/devices/a", "/devices/a/updates"}) {
    CHECK(r.stage.admin("GET", std::string(path) + "?as_of=x").faults() == "as_of: value_error\n");
  }
  CHECK(r.stage.admin("GET", r.campaign + "/updates?as_of=3&status=eaten").faults() == "status: enum\n");
}

TEST_CASE("two moments are compared field by field, and their events are counted by type") {
  Remembered r;
  const auto from = std::to_string(r.moments[1].position);
  const auto to = std::to_string(r.moments[2].position);
  const std::string id = r.campaign.substr(r.campaign.rfind('/') + 1);
  const auto all = r.get("/diff?from=" + from + "&to=" + to);
  CHECK(all["events"] == json{{"campaign.paused", 1}});
  CHECK(all["positions"] == 1);
  REQUIRE(all["changes"].size() == 1);
  const auto& change = all["changes"][0];
  CHECK(change["entity"] == "campaign:" + id);
  CHECK(change["happened"] == "changed");
  CHECK(change["fields"]["status"] == json{{"from", "in_progress"}, {"to", "paused"}});
  CHECK(change["fields"]["status_reason"] == json{{"from", nullptr}, {"to", "lunch"}});
  CHECK_FALSE(change["fields"].contains("name"));
  CHECK(r.get("/diff?from=" + from + "&to=" + to + "&campaign_id=" + id)["changes"] == all["changes"]);
  const auto nothing = r.get("/diff?from=" + from + "&to=" + to + "&device_id=b");
  CHECK(nothing["changes"].empty());
  CHECK(nothing["events"].empty());
}

TEST_CASE("between two moments something may have come, and the second is the present unless it is said") {
  Remembered r;
  const auto came = r.get("/diff?from=0");
  REQUIRE(came["changes"].size() == 1);
  CHECK(came["changes"][0]["happened"] == "came");
  CHECK(came["from"]["time"].is_null());
  const auto device = r.get("/diff?from=" + std::to_string(r.moments[2].position) + "&device_id=a");
  CHECK(device["changes"][0]["fields"]["attributes"]["to"]["site"] == "berlin");
  const std::string update = r.update_of(r.campaign, "b")["update_id"];
  const auto failed = r.get("/diff?from=" + std::to_string(r.moments[2].position) + "&update_id=" + update);
  CHECK(failed["changes"][0]["fields"]["attempt"] == json{{"from", 0}, {"to", 1}});
  CHECK(failed["events"]["update.attempt_ended"] == 1);
  CHECK(r.stage.admin("GET", "/diff").faults() == "from: missing\n");
  CHECK(r.stage.admin("GET", "/diff?from=5&to=4").faults() == "to: value_error\n");
  CHECK(r.stage.admin("GET", "/diff?from=5&device_id=a&update_id=" + update).faults() == "campaign_id: value_error\n");
  CHECK(r.stage.admin("GET", "/diff?from=5&device_id=nobody").status == 404);
}

}  // namespace
}  // namespace ota::http::test
