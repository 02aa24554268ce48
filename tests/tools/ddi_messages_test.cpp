// tools/otasim/ddi_messages: the JSON of the device protocol, as a client reads and writes it.
#include "tools/otasim/ddi_messages.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

using namespace ota::sim;
using namespace std::chrono_literals;

namespace {

const std::string kSha256(64, 'a');
const std::string kSha1(40, 'b');

std::string deployment_json(const std::string& size, const std::string& hashes,
                            const std::string& update = "attempt") {
  return fmt::format(R"({{"id":"4711","deployment":{{"download":"forced","update":"{}",)"
                     R"("chunks":[{{"part":"os",)"
                     R"("version":"3.2.0","name":"rootfs",)"
                     R"("artifacts":[{{"filename":"r.swu","size":{},"hashes":{},)"
                     R"("_links":{{"download-http":{{"href":"http://h/a/r.swu"}}}}}}]}}]}}}})",
                     update, size, hashes);
}

std::string good_hashes() {
  return fmt::format(R"({{"sha1":"{}","md5":"x","sha256":"{}"}})", kSha1, kSha256);
}

}  // namespace

TEST_CASE("a polling interval is read as HH:MM:SS and nothing else") {
  CHECK(parse_sleep("00:00:00") == 0s);
  CHECK(parse_sleep("00:05:00") == 300s);
  CHECK(parse_sleep("23:59:59") == 86399s);
  for (const char* wrong : {"", "5", "0:05:00", "00:05", "24:00:00", "00:60:00", "00:00:60",
                            "00-05-00", "0a:00:00", "PT5M", "00:05:00 "})
    CHECK_FALSE(parse_sleep(wrong));
}

TEST_CASE("a poll answer without links asks for nothing") {
  const auto reply = parse_poll(R"({"config":{"polling":{"sleep":"00:05:00"}}})");
  REQUIRE(reply.value);
  CHECK(reply.value->sleep == 300s);
  CHECK(reply.value->cancel_url.empty());
  CHECK(reply.value->config_url.empty());
  CHECK(reply.value->deployment_url.empty());
}

TEST_CASE("the links of a poll answer are taken as given") {
  const auto reply = parse_poll(
      R"({"config":{"polling":{"sleep":"00:00:30"}},"_links":{)"
      R"("deploymentBase":{"href":"https://h/T/controller/v1/d/deploymentBase/4711?c=-1"},)"
      R"("configData":{"href":"https://h/T/controller/v1/d/configData"}},"unknown":1})");
  REQUIRE(reply.value);
  CHECK(reply.value->deployment_url == "https://h/T/controller/v1/d/deploymentBase/4711?c=-1");
  CHECK(reply.value->config_url == "https://h/T/controller/v1/d/configData");
}

TEST_CASE("a poll answer that a client could not use names the member at fault") {
  CHECK(parse_poll("").error != "");
  CHECK(parse_poll("[]").error.find("'config'") != std::string::npos);
  CHECK(parse_poll(R"({"config":{"polling":{}}})").error.find("'sleep'") != std::string::npos);
  CHECK(parse_poll(R"({"config":{"polling":{"sleep":"PT5M"}}})").error.find("PT5M") !=
        std::string::npos);
  CHECK(parse_poll(R"({"config":{"polling":{"sleep":"00:05:00"}},)"
                   R"("_links":{"configData":{"href":"/relative"}}})")
            .error.find("not absolute") != std::string::npos);
}

TEST_CASE("a deployment is read with its artifacts") {
  const auto deployment = parse_deployment(deployment_json("73400320", good_hashes()));
  REQUIRE_MESSAGE(deployment.value, deployment.error);
  CHECK(deployment.value->action == "4711");
  CHECK(deployment.value->version == "3.2.0");
  CHECK(deployment.value->download == Mode::kForced);
  CHECK(deployment.value->update == Mode::kAttempt);
  CHECK_FALSE(deployment.value->window_closed);
  REQUIRE(deployment.value->artifacts.size() == 1);
  const Artifact& artifact = deployment.value->artifacts[0];
  CHECK(artifact.size == 73400320);
  CHECK(artifact.sha256 == kSha256);
  CHECK(artifact.sha1 == kSha1);
  CHECK(artifact.url == "http://h/a/r.swu");
}

TEST_CASE("an action id may be a number") {
  const auto text = deployment_json("1", good_hashes());
  const auto deployment = parse_deployment(R"({"id":4711)" + text.substr(text.find(",\"depl")));
  REQUIRE(deployment.value);
  CHECK(deployment.value->action == "4711");
}

TEST_CASE("a deployment with a size, hash or mode that no client can use is refused") {
  CHECK(parse_deployment(deployment_json("0", good_hashes())).error.find("r.swu") !=
        std::string::npos);
  CHECK(parse_deployment(deployment_json("1.5", good_hashes())).error != "");
  CHECK(parse_deployment(deployment_json("\"1\"", good_hashes())).error != "");
  CHECK(parse_deployment(deployment_json("1", "{}")).error.find("'sha256'") != std::string::npos);
  const std::string upper = R"({"sha1":"x","sha256":")" + std::string(64, 'A') + "\"}";
  CHECK(parse_deployment(deployment_json("1", upper)).error.find("lower-case") !=
        std::string::npos);
  CHECK(parse_deployment(deployment_json("1", good_hashes(), "maybe")).error.find("maybe") !=
        std::string::npos);
}

TEST_CASE("feedback goes to the action's address without its query") {
  CHECK(feedback_url("http://h/d/deploymentBase/4711?c=-1") ==
        "http://h/d/deploymentBase/4711/feedback");
  CHECK(feedback_url("http://h/d/cancelAction/4711") == "http://h/d/cancelAction/4711/feedback");
}

TEST_CASE("feedback carries what the protocol requires and no empty members") {
  const auto full = nlohmann::json::parse(
      feedback_body({"closed", "failure", "flash write error", 31, 50}, 1767225600000ms));
  CHECK(full["timestamp"] == 1767225600000);
  CHECK(full["status"]["execution"] == "closed");
  CHECK(full["status"]["result"]["finished"] == "failure");
  CHECK(full["status"]["result"]["progress"] == nlohmann::json{{"cnt", 50}, {"of", 100}});
  CHECK(full["status"]["code"] == 31);
  CHECK(full["status"]["details"] == nlohmann::json::array({"flash write error"}));
  const auto least = nlohmann::json::parse(feedback_body({"closed", "success", "", {}, {}}, 0ms));
  CHECK_FALSE(least["status"].contains("code"));
  CHECK_FALSE(least["status"].contains("details"));
  CHECK_FALSE(least["status"]["result"].contains("progress"));
}

TEST_CASE("attributes are merged") {
  const auto body = nlohmann::json::parse(config_body({{"device_model", "SF-100"}}, "merge"));
  CHECK(body == nlohmann::json{{"mode", "merge"}, {"data", {{"device_model", "SF-100"}}}});
}

TEST_CASE("a cancel names the action to stop") {
  CHECK(parse_cancel(R"({"id":"11","cancelAction":{"stopId":"4711"}})").value == "4711");
  CHECK(parse_cancel(R"({"id":"11"})").error.find("cancelAction") != std::string::npos);
}

TEST_CASE("a client that knows no mode says none") {
  const auto body = nlohmann::json::parse(config_body({{"a", "b"}}, nullptr));
  CHECK_FALSE(body.contains("mode"));
  CHECK(body["data"]["a"] == "b");
}

TEST_CASE("an action's link ends in its id, whatever is asked behind it") {
  CHECK(action_of_link("http://h/D/controller/v1/d/cancelAction/4711?c=1") == "4711");
  CHECK(action_of_link("http://h/D/controller/v1/d/cancelAction/12") == "12");
}
