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

}  // namespace
}  // namespace ota::http::test
