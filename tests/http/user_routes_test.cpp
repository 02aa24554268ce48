// Users over HTTP: their preferences, and whose a device is (decision 18).
#include <doctest/doctest.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

constexpr const char* kAnna = "/users/anna/firmware-preferences";

ApiAnswer put(ApiStage& stage, const std::string& path, const json& body, const std::string& fields = "") {
  return stage.admin("PUT", path, body.dump(), fields);
}

TEST_CASE("decision 18: who never said anything wants nothing in particular, and is made known to nobody by being asked for") {
  ApiStage stage;
  const auto answer = stage.admin("GET", kAnna);
  CHECK(answer.status == 200);
  CHECK(answer.json() ==
        json{{"user_id", "anna"}, {"beta_opt_in", false}, {"paused_until", nullptr}, {"updated_at", nullptr}});
  CHECK(stage.admin("GET", "/devices?user_id=anna").json()["count"] == 0);
  CHECK_FALSE(stage.service().known_user("anna").has_value());
}

TEST_CASE("decision 18: preferences are put whole, shown, and have a revision") {
  ApiStage stage;
  const auto first = put(stage, kAnna, {{"beta_opt_in", true}, {"paused_until", "2030-01-01T00:00:00Z"}});
  CHECK(first.status == 200);
  CHECK(first.json()["beta_opt_in"] == true);
  CHECK(first.json()["paused_until"] == "2030-01-01T00:00:00.000000Z");
  CHECK(first.json()["updated_at"].is_string());
  CHECK(first.header("ETag") == "\"1\"");
  CHECK(put(stage, kAnna, {{"beta_opt_in", true}}, "If-Match: \"7\"\r\n").status == 412);
  const auto second = put(stage, kAnna, {{"beta_opt_in", true}}, "If-Match: \"1\"\r\n");
  CHECK(second.json()["paused_until"] == nullptr);
  CHECK(stage.admin("GET", kAnna).json() == second.json());
  // The same again writes nothing.
  CHECK(put(stage, kAnna, {{"beta_opt_in", true}}).header("ETag") == second.header("ETag"));
}

TEST_CASE("decision 18: bad preferences are named, and nobody becomes known by them") {
  ApiStage stage;
  CHECK(put(stage, kAnna, {{"beta_opt_in", "yes"}, {"paused_until", "tomorrow"}}).faults() ==
        "beta_opt_in: bool_type\npaused_until: datetime_parsing\n");
  CHECK(stage.admin("PUT", kAnna, "[").status == 400);
  CHECK(stage.admin("PUT", "/users/%ff/firmware-preferences", "{}").status == 422);
  CHECK_FALSE(stage.service().known_user("anna").has_value());
}

TEST_CASE("decision 18: preferences under an Idempotency-Key are put once") {
  ApiStage stage;
  const std::string key = "Idempotency-Key: k1\r\n";
  const auto first = put(stage, kAnna, {{"beta_opt_in", true}}, key);
  CHECK(first.header("ETag") == "\"1\"");
  CHECK(put(stage, kAnna, {{"beta_opt_in", true}}, key).json() == first.json());
  CHECK(put(stage, kAnna, {{"beta_opt_in", false}}, key).status == 422);
}

TEST_CASE("decisions 6 and 18: a device's owner may opt in to beta firmware for it") {
  Story s;
  s.stage.device("d");
  auto beta = metadata("3.0.0");
  beta["is_beta"] = true;
  const auto firmware = s.stage.upload("beta", beta).json()["firmware_id"].get<std::string>();
  const json request{{"firmware_id", firmware}};
  CHECK(s.post("/devices/d/update", request).status == 422);
  CHECK(put(s.stage, "/devices/d", {{"user_id", "anna"}}).json()["user_id"] == "anna");
  CHECK(s.post("/devices/d/update", request).status == 422);
  REQUIRE(put(s.stage, kAnna, {{"beta_opt_in", true}}).status == 200);
  CHECK(s.post("/devices/d/update", request).status == 201);
}

TEST_CASE("decision 18: the gate of an owner who pauses names until when") {
  Story s;
  s.stage.device("d");
  REQUIRE(put(s.stage, "/devices/d", {{"user_id", "anna"}}).status == 200);
  REQUIRE(put(s.stage, kAnna, {{"paused_until", "2040-05-06T00:00:00Z"}}).status == 200);
  s.started({"d"});
  const auto gates = s.get("/devices/d/why")["updates"][0];
  CHECK(gates.dump().find("the device's owner has paused updates") != std::string::npos);
  CHECK(s.get("/devices/d/why")["sentence"].get<std::string>().find("until 2040-05-06") != std::string::npos);
}

TEST_CASE("decision 18: devices are listed by their owner, and one is nobody's again with null") {
  ApiStage stage;
  for (const auto* id : {"a", "b", "c"}) stage.device(id);
  put(stage, "/devices/a", {{"user_id", "anna"}});
  put(stage, "/devices/b", {{"user_id", "anna"}});
  put(stage, "/devices/c", {{"user_id", "bert"}});
  CHECK(stage.admin("GET", "/devices?user_id=anna").json()["count"] == 2);
  CHECK(put(stage, "/devices/a", {{"user_id", nullptr}}).json()["user_id"] == nullptr);
  const auto left = stage.admin("GET", "/devices?user_id=anna").json();
  CHECK(left["count"] == 1);
  CHECK(left["devices"][0]["device_id"] == "b");
  CHECK(left["filters"]["user_id"] == "anna");
  CHECK(put(stage, "/devices/a", {{"user_id", 7}}).status == 422);
  CHECK(put(stage, "/devices/a", {{"user_id", std::string(257, 'x')}}).status == 422);
}

TEST_CASE("decision 18: the audit shows a deleted user by no name") {
  ApiStage stage;
  put(stage, kAnna, {{"beta_opt_in", true}}, "X-User-Id: anna\r\n");
  REQUIRE(stage.service().delete_user("anna", {}).ok());
  const auto events = stage.admin("GET", "/audit/events?limit=50").json();
  CHECK(events.dump().find("\"anna\"") == std::string::npos);
  CHECK(events["events"][0]["actor"] == "deleted user");
}

}  // namespace
}  // namespace ota::http::test
