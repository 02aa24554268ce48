// What if, over HTTP: of a campaign that really was.
#include <doctest/doctest.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

struct Over : Story {
  Over() {
    const std::vector<std::string> devices{"a", "b", "c", "d", "e", "f"};
    for (const auto& device : devices) stage.device(device);
    campaign = started(devices, {{"failure_threshold_percent", 60}, {"max_retries", 0}});
    for (const auto& device : devices) {
      stage.advance(std::chrono::minutes(1));
      update(device, device == "b" || device == "c" ? kFailed : kSucceeded);
    }
    REQUIRE(becomes(campaign, "completed"));
  }
  json what_if(const json& changes = json::object()) {
    const auto answer = stage.admin("POST", campaign + "/what-if", changes.dump());
    REQUIRE(answer.status == 200);
    return answer.json();
  }
  std::string campaign;
};

TEST_CASE("a campaign that is over, replayed as it was, ends as it ended; replayed more strictly, it stops") {
  Over o;
  const auto events = o.get("/audit/events?limit=1")["head"];
  const auto same = o.what_if();
  CHECK(same["exact"] == true);
  REQUIRE(same["scenarios"].size() == 1);
  const auto& was = same["scenarios"][0];
  CHECK(was["status"] == "completed");
  CHECK(was["counts"]["completed_devices"] == 4);
  CHECK(was["counts"]["failed_devices"] == 2);
  CHECK(was["stopped"].is_null());
  CHECK(was["ended_at"].is_string());
  CHECK(same["bounds"]["stopped"] == "never");
  CHECK(same["bounds"]["stopped_at"].is_null());
  const auto strict = o.what_if({{"failure_threshold_percent", 10}});
  CHECK(strict["exact"] == false);          // when it would have been written that it stops is not known
  CHECK(strict["scenarios"].size() == 4);
  CHECK(strict["bounds"]["stopped"] == "always");
  CHECK(strict["bounds"]["granted_when_stopped"] == json{{"min", 2}, {"max", 2}});
  CHECK(strict["bounds"]["failed_devices"] == json{{"min", 1}, {"max", 1}});
  for (const auto& scenario : strict["scenarios"]) {
    CHECK(scenario["status"] == "failed");
    CHECK(scenario["stopped"]["granted_devices"] == 2);
    CHECK(scenario["stopped"]["counts"]["failed_devices"] == 1);
  }
  CHECK(o.get("/audit/events?limit=1")["head"] == events);
  CHECK(o.get(o.campaign)["status"] == "completed");
}

TEST_CASE("what happened to the fleet and the firmware behind a campaign's end does not change the answer") {
  Over o;
  const auto before = o.what_if({{"max_concurrent_updates", 1}});
  REQUIRE(o.stage.admin("DELETE", "/devices/f").status < 300);
  CHECK(o.what_if({{"max_concurrent_updates", 1}}) == before);
  CHECK(o.what_if()["scenarios"][0]["counts"]["completed_devices"] == 4);
}

TEST_CASE("another pace is answered with bounds") {
  Over o;
  // One that may admit a device earlier: when it would have come is not known.
  const auto answer = o.what_if({{"deployment_strategy", "staged"}, {"batch_size", 2}});
  CHECK(answer["exact"] == false);
  REQUIRE(answer["scenarios"].size() == 4);
  CHECK(answer["scenarios"][0]["devices_come"] == "as_recorded");
  CHECK(answer["scenarios"][2]["devices_come"] == "at_once");
  CHECK(answer["bounds"]["completed_devices"] == json{{"min", 4}, {"max", 4}});
}

TEST_CASE("what cannot be replayed is refused, with what it is") {
  Over o;
  const auto refused = [&](const json& changes) { return o.stage.admin("POST", o.campaign + "/what-if", changes.dump()); };
  CHECK(refused({{"timeout_minutes", 10}}).faults() == "timeout_minutes: extra_forbidden\n");
  CHECK(refused({{"failure_threshold_percent", 0}}).faults() == "failure_threshold_percent: greater_than_equal\n");
  CHECK(refused({{"deployment_strategy", "eaten"}}).faults() == "deployment_strategy: enum\n");
  CHECK(refused({{"deployment_strategy", "blue_green"}}).faults() == "deployment_strategy: value_error\n");
  CHECK(refused({{"rollback_triggers", {"failure_rate", "timeout"}}}).faults() == "rollback_triggers: value_error\n");
  const auto says = [&](const json& changes) { return refused(changes).json().dump(); };
  CHECK(says({{"timeout_minutes", 10}}).find("got 10") != std::string::npos);
  CHECK(says({{"deployment_strategy", "blue_green"}}).find("got \\\"blue_green\\\"") != std::string::npos);
  CHECK(says({{"rollback_triggers", {"failure_rate", "timeout"}}}).find("got [\\\"failure_rate\\\",\\\"timeout\\\"]") != std::string::npos);
  CHECK(refused(json::array({1})).status == 422);
  CHECK(o.stage.admin("POST", "/campaigns/camp_1/what-if").status == 404);
  o.stage.device("z");
  const auto running = o.started({"z"});
  CHECK(o.stage.admin("POST", running + "/what-if").status == 409);
}

}  // namespace
}  // namespace ota::http::test
