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
  CHECK(same["if_unknown_fail"]["status"] == "completed");
  CHECK(same["if_unknown_fail"]["counts"]["completed_devices"] == 4);
  CHECK(same["if_unknown_fail"]["counts"]["failed_devices"] == 2);
  CHECK(same["if_unknown_fail"]["stopped"].is_null());
  const auto strict = o.what_if({{"failure_threshold_percent", 10}});
  CHECK(strict["exact"] == true);
  CHECK(strict["if_unknown_fail"]["status"] == "rollback");
  CHECK(strict["if_unknown_fail"]["stopped"]["granted_devices"] == 2);
  CHECK(strict["if_unknown_fail"]["stopped"]["counts"]["failed_devices"] == 1);
  CHECK(o.get("/audit/events?limit=1")["head"] == events);
  CHECK(o.get(o.campaign)["status"] == "completed");
}

TEST_CASE("what cannot be replayed is refused, with what it is") {
  Over o;
  const auto refused = [&](const json& changes) { return o.stage.admin("POST", o.campaign + "/what-if", changes.dump()); };
  CHECK(refused({{"timeout_minutes", 10}}).faults() == "timeout_minutes: extra_forbidden\n");
  CHECK(refused({{"failure_threshold_percent", 0}}).faults() == "failure_threshold_percent: greater_than_equal\n");
  CHECK(refused({{"deployment_strategy", "eaten"}}).faults() == "deployment_strategy: enum\n");
  CHECK(refused({{"deployment_strategy", "blue_green"}}).status == 422);
  CHECK(refused(json::array({1})).status == 422);
  CHECK(o.stage.admin("POST", "/campaigns/camp_1/what-if").status == 404);
  o.stage.device("z");
  const auto running = o.started({"z"});
  CHECK(o.stage.admin("POST", running + "/what-if").status == 409);
}

}  // namespace
}  // namespace ota::http::test
