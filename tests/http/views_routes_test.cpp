// The views as a whole over REST: where they stand, rebuilt, compared; and one work at a time.
#include <doctest/doctest.h>

#include <future>

#include "tests/http/api_stage.hpp"

namespace ota::http::test {
namespace {

// Begins a work, and answers what it came to.
nlohmann::json outcome_of(ApiStage& stage, const std::string& work, const std::string& member) {
  REQUIRE(stage.admin("POST", "/views/" + work).status == 202);
  nlohmann::json state;
  REQUIRE(ApiStage::eventually([&] {
    state = stage.admin("GET", "/views").json();
    return state["running"].is_null() && !state[member].is_null();
  }));
  return state[member];
}

}  // namespace

TEST_CASE("the views say where they stand") {
  ApiStage stage;
  stage.device("a");
  const auto state = stage.admin("GET", "/views").json();
  CHECK(state["position"] == stage.service().log().head().value);
  CHECK(state["head"] == state["position"]);
  CHECK(state["behind"] == 0);
  CHECK(state["schema"] > 0);
  CHECK(state["broken"] == nullptr);
  CHECK(state["running"] == nullptr);
  CHECK(state["last_rebuild"] == nullptr);
  CHECK(state["last_verification"] == nullptr);
}

TEST_CASE("the views are rebuilt while devices report, and show what they showed") {
  ApiStage stage;
  const auto firmware = stage.firmware("2.0.0");
  for (const auto* device : {"a", "b"}) stage.device(device);
  const auto campaign = stage.campaign(firmware, {"a", "b"});
  const auto action = stage.offered("a");
  const auto before = stage.admin("GET", "/campaigns/" + campaign).json();
  const auto digest = stage.service().views().digest();
  const auto outcome = outcome_of(stage, "rebuild", "last_rebuild");
  CHECK(outcome["error"] == nullptr);
  CHECK(outcome["position"] == stage.service().log().head().value);
  CHECK(stage.service().views().digest() == digest);
  CHECK(stage.admin("GET", "/campaigns/" + campaign).json() == before);
  // What polls read was carried over: the device goes on where it was, and what comes is shown.
  CHECK(stage.offered("a") == action);
  CHECK(stage.ddi("POST", "/a/deploymentBase/" + action + "/feedback",
                  R"({"id":")" + action + R"(","status":{"execution":"closed","result":{"finished":"success"}}})")
            .status == 200);
  CHECK(stage.admin("GET", "/campaigns/" + campaign).json()["completed_devices"] == 1);
  const auto compared = outcome_of(stage, "verify", "last_verification");
  CHECK(compared["error"] == nullptr);
  CHECK(compared["equal"] == true);
  CHECK(compared["position"] == stage.service().log().head().value);
  CHECK(compared["rows"] > 10);
  CHECK(compared["digest"] == compared["digest_expected"]);
  CHECK(compared["differing"].empty());
}

TEST_CASE("one work at a time: the same is the same once more, another has to wait, and health says what goes on") {
  ApiStage stage;
  stage.device("a");
  // A reader that does not end holds what a rebuild wants to delete.
  std::promise<void> reads;
  std::promise<void> let_go;
  auto reader = std::async(std::launch::async, [&] {
    stage.service().views().each_device([&](const domain::Device&) {
      reads.set_value();
      let_go.get_future().get();
      return true;
    });
  });
  reads.get_future().get();
  CHECK(stage.admin("POST", "/views/rebuild").status == 202);
  CHECK(stage.admin("POST", "/views/rebuild").json()["running"]["work"] == "rebuild");
  const auto head = stage.service().log().head().value;
  REQUIRE(ApiStage::eventually([&] { return stage.admin("GET", "/views").json()["running"]["done"] == head; }));
  const auto refused = stage.admin("POST", "/views/verify");
  CHECK(refused.status == 409);
  CHECK(refused.body.find("The views are at another work, 'rebuild'") != std::string::npos);
  const auto views = stage.admin("GET", "/health/detailed").json()["dependencies"]["views"];
  CHECK(views["status"] == "healthy");
  CHECK(views["running"] == "rebuild: " + std::to_string(head) + " of " + std::to_string(head) + " events");
  // Neither polls nor reports wait for that reader.
  stage.device("b");
  CHECK(stage.admin("GET", "/devices/b").status == 200);
  let_go.set_value();
  reader.get();
  REQUIRE(ApiStage::eventually([&] { return stage.admin("GET", "/views").json()["running"].is_null(); }));
  CHECK(stage.admin("GET", "/views").json()["last_rebuild"]["error"] == nullptr);
}

TEST_CASE("without room for a second set of views none is built") {
  ApiStage stage(ApiStage::open_to_devices(), [](actors::ServiceOptions& options) {
    options.disk.keep_free = 1'000'000;
    options.disk.free_bytes = [](const auto&) { return std::optional<std::uint64_t>(1'000'001); };
  });
  stage.device("a");
  for (const auto* work : {"rebuild", "verify"}) {
    const auto refused = stage.admin("POST", std::string("/views/") + work);
    CHECK(refused.status == 503);
    CHECK(refused.body.find("what is built beside the views may take") != std::string::npos);
    CHECK_FALSE(refused.header("Retry-After").empty());
  }
  CHECK(stage.admin("GET", "/views").json()["last_rebuild"] == nullptr);
}

}  // namespace ota::http::test
