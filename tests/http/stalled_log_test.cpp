// A disk that does not answer: whoever wants nothing of the log is served, the others are told to come again.
#include <doctest/doctest.h>

#include <future>

#include "tests/actors/barrier.hpp"
#include "tests/http/api_stage.hpp"

using namespace ota;
using namespace ota::http::test;

namespace {

constexpr std::size_t kMayWait = 2;

}  // namespace

TEST_CASE("while the log stands still only some wait for it: the others are told, and reads go on") {
  actors::test::Barrier barrier;
  ApiStage stage(ApiStage::open_to_devices(), [&](actors::ServiceOptions& options) {
    options.tails = {&barrier};
    options.waiting_at_stall_max = kMayWait;
    options.stalled = std::chrono::milliseconds(0);
  });
  for (const auto* device : {"a", "b", "c"}) stage.device(device);
  const auto says = [&](const std::string& device) {
    return stage.ddi("PUT", "/" + device + "/configData", R"({"mode":"merge","data":{"site":"ams"}})");
  };
  const auto log = [&] { return stage.admin("GET", "/health/detailed").json()["dependencies"]["log"]; };
  CHECK(log()["status"] == "healthy");
  barrier.set(false);
  auto first = std::async(std::launch::async, says, "a");
  auto second = std::async(std::launch::async, says, "b");
  REQUIRE(ApiStage::eventually([&] { return stage.service().in_flight() == kMayWait; }));
  REQUIRE(ApiStage::eventually([&] { return stage.service().stalled_for().has_value(); }));

  // To a device it is the answer that all clients take for "say it again"; to an operator what it is.
  const auto device = says("c");
  CHECK(device.status == 429);
  CHECK(device.body.find("the log has not moved for ") != std::string::npos);
  CHECK_FALSE(device.header("Retry-After").empty());
  const auto admin = stage.admin("PUT", "/devices/d", R"({"device_model":"SF-100"})");
  CHECK(admin.status == 503);
  CHECK_FALSE(admin.header("Retry-After").empty());
  CHECK(stage.ddi("GET", "/c").status == 200);
  CHECK(stage.admin("GET", "/devices/c").status == 200);
  CHECK(log()["status"] == "stalled");
  CHECK(stage.admin("GET", "/health/detailed").json()["status"] == "degraded");

  barrier.set(true);
  CHECK(first.get().status == 200);
  CHECK(second.get().status == 200);
  CHECK(says("c").status == 200);
  CHECK(log()["status"] == "healthy");
}
