// tools/otasim/mqtt: what a device over MQTT is told and what it says.
#include "tools/otasim/mqtt/mqtt_messages.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

using namespace ota::sim;
using nlohmann::json;

namespace {

json update_json() {
  return {{"type", "update"},
          {"update_id", "upd_1"},
          {"attempt", 2},
          {"action_id", 1000001},
          {"name", "Pump"},
          {"from_version", "1.0.0"},
          {"to_version", "2.0.0"},
          {"install", "now"},
          {"artifact",
           {{"filename", "pump.bin"},
            {"size", 200000},
            {"sha1", std::string(40, 'b')},
            {"sha256", std::string(64, 'a')},
            {"url", "https://ota.example/pump.bin"}}},
          {"deadline", "2026-01-01T00:00:00Z"}};
}

const AttemptName kName{"upd_1", 2};

json report(const Feedback& feedback) { return json::parse(report_text(kName, feedback)); }

}  // namespace

TEST_CASE("an id becomes one level of a topic, with one spelling") {
  CHECK(topic_level("pump_7-A") == "pump_7-A");
  CHECK(topic_level("pump 7/ü.+#") == "pump%207%2F%C3%BC%2E%2B%23");
  const MqttTopics topics = topics_of("DEFAULT", "pump 7");
  CHECK(topics.up == "ota/DEFAULT/pump%207/up");
  CHECK(topics.down == "ota/DEFAULT/pump%207/down");
  CHECK(topics.reply == "ota/DEFAULT/pump%207/reply");
}

TEST_CASE("an update is read as a deployment, with the attempt that it is") {
  const auto command = parse_command(update_json().dump());
  REQUIRE(command.value);
  CHECK(command.value->kind == MqttCommand::Kind::kUpdate);
  CHECK(command.value->name == kName);
  const Deployment& deployment = command.value->deployment;
  CHECK(deployment.action == "1000001");
  CHECK(deployment.version == "2.0.0");
  CHECK(deployment.name == "Pump");
  CHECK(deployment.update == Mode::kForced);
  REQUIRE(deployment.artifacts.size() == 1);
  CHECK(deployment.artifacts[0].size == 200000);
  CHECK(deployment.artifacts[0].url == "https://ota.example/pump.bin");
}

TEST_CASE(
    "install later is a deployment that waits for its window, never one that is downloaded only") {
  json update = update_json();
  update["install"] = "later";
  CHECK(parse_command(update.dump()).value->deployment.update == Mode::kSkip);
  CHECK(parse_command(update.dump()).value->deployment.window_closed);
  update["install"] = "never";
  CHECK(parse_command(update.dump()).value->deployment.update == Mode::kSkip);
  CHECK_FALSE(parse_command(update.dump()).value->deployment.window_closed);
  update["install"] = "soon";
  CHECK(parse_command(update.dump()).error ==
        "member 'install' is 'soon', not now, later or never");
}

TEST_CASE("an empty command is nothing to do; a question and a cancellation name their attempt") {
  CHECK(parse_command("").value->kind == MqttCommand::Kind::kNothing);
  json other{{"type", "cancel"}, {"update_id", "upd_1"}, {"attempt", 2}, {"action_id", 7}};
  CHECK(parse_command(other.dump()).value->kind == MqttCommand::Kind::kCancel);
  CHECK(parse_command(other.dump()).value->action == "7");
  other["type"] = "confirm";
  CHECK(parse_command(other.dump()).value->kind == MqttCommand::Kind::kConfirm);
  CHECK(parse_command(other.dump()).value->name == kName);
}

TEST_CASE("a command that cannot be followed is said to be so, with the member") {
  for (const char* member :
       {"type", "update_id", "attempt", "action_id", "to_version", "install"}) {
    json update = update_json();
    update.erase(member);
    CHECK(parse_command(update.dump()).error == fmt::format("member '{}' is missing", member));
  }
  for (const char* member : {"filename", "size", "sha1", "sha256", "url"}) {
    json update = update_json();
    update["artifact"].erase(member);
    CHECK(parse_command(update.dump()).error == fmt::format("member '{}' is missing", member));
  }
  json update = update_json();
  update["attempt"] = 0;
  CHECK(parse_command(update.dump()).error == "member 'attempt' is 0, not an integer >= 1");
  update["type"] = "dance";
  CHECK_FALSE(parse_command(update.dump()).value);
  CHECK_FALSE(parse_command("{").value);
  CHECK_FALSE(parse_command("[]").value);
}

TEST_CASE("an answer says whether it went well, and to an accepted attempt whether to go") {
  auto reply = parse_reply(R"({"id":"1-2","ok":true})");
  REQUIRE(reply.value);
  CHECK(reply.value->id == "1-2");
  CHECK(reply.value->ok);
  CHECK_FALSE(reply.value->go);
  reply = parse_reply(
      R"({"id":"3","ok":true,"update_id":"u","attempt":1,"go":true,"url":"http://h/f"})");
  CHECK(reply.value->go);
  CHECK(reply.value->url == "http://h/f");
  reply = parse_reply(R"({"update_id":"u","attempt":1,"go":false,"message":"it is over"})");
  CHECK(reply.value->ok);
  CHECK_FALSE(reply.value->go);
  CHECK(reply.value->message == "it is over");
  reply =
      parse_reply(R"({"id":"4","ok":false,"error":"not_found","message":"Update u not found"})");
  CHECK_FALSE(reply.value->ok);
  CHECK(reply.value->error == "not_found");
  CHECK_FALSE(parse_reply(R"({"id":"4"})").value);
  CHECK_FALSE(parse_reply(R"({"go":true,"ok":true})").value);  // and no url
}

TEST_CASE("what an update reports has a word of its own for each step") {
  CHECK(report({"proceeding", "none", "download started", {}, 0}) ==
        json{{"type", "status"},
             {"update_id", "upd_1"},
             {"attempt", 2},
             {"status", "downloading"},
             {"progress", 0},
             {"details", {"download started"}}});
  CHECK(report({"downloaded", "none", "checksums verified", {}, {}})["status"] == "verifying");
  CHECK(report({"downloaded", "none", "checksums verified", {}, {}})["checksum_verified"] == true);
  CHECK(report({"downloaded", "success", "not to be installed", {}, {}})["status"] == "verifying");
  CHECK(report({"proceeding", "none", "installing", {}, 50})["status"] == "installing");
  CHECK(report({"closed", "success", "installed", {}, {}})["status"] == "completed");
  const json failed = report({"closed", "failure", "no space", 28, {}});
  CHECK(failed["status"] == "failed");
  CHECK(failed["error_code"] == "E28");
  CHECK(failed["error_message"] == "no space");
}

TEST_CASE("a message is given its id when it is sent") {
  const json message = json::parse(with_id("3-1", hello_text({{"device_model", "SF-100"}})));
  CHECK(message ==
        json{{"id", "3-1"}, {"type", "hello"}, {"attributes", {{"device_model", "SF-100"}}}});
  CHECK(json::parse(bye_text()) == json{{"type", "bye"}});
  CHECK(json::parse(status_text(kName, "accepted"))["status"] == "accepted");
}
