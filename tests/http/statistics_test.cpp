// Statistics as they are asked for: BR-OTA-041 to 045, decision 30.
#include <doctest/doctest.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

TEST_CASE("BR-OTA-044: the average time of an update counts every fraction of a second") {
  Story s;
  const json devices{"a", "b", "c"};
  for (const std::string device : devices) s.stage.device(device);
  const auto campaign = s.started(devices);
  for (const std::string device : devices) {
    const auto action = s.begin(device);
    s.stage.advance(std::chrono::milliseconds(930));   // 0.0155 minutes
    s.report(device, action, kSucceeded);
  }
  CHECK(s.get("/stats")["avg_update_time"] == 0.02);
  CHECK(s.get("/stats/campaigns" + campaign.substr(campaign.rfind('/')))["avg_update_time"] == 0.02);
}

TEST_CASE("decision 3: a device that spells the newest version in its own way runs it") {
  Story s;
  const auto runs = [&](const std::string& device, const std::string& version) {
    const json facts{{"device_model", "SF-100"}, {"firmware_version", version}};
    REQUIRE(s.stage.admin("PUT", "/devices/" + device, facts.dump()).status == 201);
  };
  runs("a", "2.0.0+build7");
  runs("b", "2.00.0");
  CHECK(s.get("/stats")["devices_on_latest_firmware"] == 100.0);
  runs("c", "2.0.0-rc.1");
  runs("d", "1.0.0");
  CHECK(s.get("/stats")["devices_on_latest_firmware"] == 50.0);
  CHECK(s.get("/devices?firmware_version=2.0.0")["count"] == 2);
}

}  // namespace
}  // namespace ota::http::test
