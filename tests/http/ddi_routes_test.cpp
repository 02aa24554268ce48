// The devices' routes over a real service.
#include <doctest/doctest.h>

#include "tests/http/api_stage.hpp"

using namespace ota;
using namespace ota::http;
using nlohmann::json;
using test::ApiStage;

namespace {

constexpr const char* kProceeding =
    R"({"status":{"execution":"proceeding","result":{"finished":"none"}}})";
constexpr const char* kFailed =
    R"({"status":{"execution":"closed","result":{"finished":"failure"}}})";
constexpr const char* kSucceeded =
    R"({"status":{"execution":"closed","result":{"finished":"success"}}})";
constexpr const char* kRejected =
    R"({"status":{"execution":"rejected","result":{"finished":"none"}}})";

// A device with an offer.
struct OfferedAction {
  OfferedAction() {
    stage.device("d");
    campaign = stage.campaign(stage.firmware("2.0.0"), {"d"});
    action = stage.offered("d");
  }
  std::string base() const { return "/d/deploymentBase/" + action; }
  std::string cancel() const { return "/d/cancelAction/" + action; }
  json update() {
    return stage.admin("GET", "/campaigns/" + campaign + "/updates").json()["updates"][0];
  }
  ApiStage stage;
  std::string campaign;
  std::string action;
};

}  // namespace

TEST_CASE("a device is told to install only in an attempt that counts") {
  OfferedAction offered;
  auto& stage = offered.stage;
  SUBCASE("in progress, again and again") {
    CHECK(stage.ddi("GET", offered.base()).status == 200);
    CHECK(stage.ddi("GET", offered.base()).status == 200);
    CHECK(offered.update()["started_at"].is_string());
  }
  SUBCASE("lapsed") {
    stage.advance(std::chrono::hours(25));
    REQUIRE(ApiStage::eventually([&] { return offered.update()["status"] == "scheduled"; }));
    CHECK(stage.ddi("GET", offered.base()).status == 404);
    CHECK(offered.update()["started_at"].is_null());
  }
  SUBCASE("failed, another attempt follows") {
    CHECK(stage.ddi("GET", offered.base()).status == 200);
    CHECK(stage.ddi("POST", offered.base() + "/feedback", kFailed).status == 200);
    REQUIRE(offered.update()["status"] == "scheduled");
    CHECK(stage.ddi("GET", offered.base()).status == 404);
  }
  SUBCASE("succeeded: it may look again") {
    CHECK(stage.ddi("GET", offered.base()).status == 200);
    CHECK(stage.ddi("POST", offered.base() + "/feedback", kSucceeded).status == 200);
    CHECK(stage.ddi("GET", offered.base()).status == 200);
    CHECK(offered.update()["status"] == "completed");
  }
  SUBCASE("cancelled before it began") {
    stage.admin("POST", "/campaigns/" + offered.campaign + "/cancel");
    REQUIRE(ApiStage::eventually([&] { return offered.update()["status"] == "cancelled"; }));
    CHECK(stage.ddi("GET", offered.base()).status == 404);
  }
}

TEST_CASE("the answer to a cancellation has a place only where one was asked for") {
  OfferedAction offered;
  auto& stage = offered.stage;
  REQUIRE(stage.ddi("GET", offered.base()).status == 200);
  REQUIRE(stage.ddi("POST", offered.base() + "/feedback", kProceeding).status == 200);
  const auto refused = stage.ddi("POST", offered.cancel() + "/feedback", kSucceeded);
  CHECK(refused.status == 405);
  CHECK(refused.header("Allow") == "OPTIONS");
  CHECK(offered.update()["status"] == "downloading");

  const std::string update = offered.update()["update_id"];
  REQUIRE(stage.admin("POST", "/updates/" + update + "/cancel").status == 200);
  CHECK(stage.ddi("GET", offered.cancel()).status == 200);
  // Said twice, since the first answer was lost.
  CHECK(stage.ddi("POST", offered.cancel() + "/feedback", kRejected).status == 200);
  CHECK(stage.ddi("POST", offered.cancel() + "/feedback", kRejected).status == 200);
  CHECK(stage.ddi("GET", offered.base()).status == 200);
  CHECK(stage.ddi("POST", offered.base() + "/feedback", kSucceeded).status == 200);
  CHECK(offered.update()["status"] == "completed");
}

TEST_CASE("what devices accept and send is JSON, in the words that real clients use") {
  ApiStage stage;
  const auto poll = [&](const std::string& fields) { return stage.ddi("GET", "/d", "", fields); };
  CHECK(poll("").header("Content-Type") == "application/hal+json");
  CHECK(poll("Accept: */*\r\n").header("Content-Type") == "application/hal+json");
  CHECK(poll("Accept: application/json\r\n").header("Content-Type") == "application/json");
  CHECK(poll("Accept: application/json;charset=UTF-8\r\n").header("Content-Type") ==
        "application/json");
  CHECK(poll("Accept: text/html, application/hal+json;q=0.5\r\n").status == 200);
  const auto refused = poll("Accept: application/xml\r\n");
  CHECK(refused.status == 406);
  CHECK(refused.json()["message"].get<std::string>().find("application/xml") != std::string::npos);
  CHECK(poll("Accept: text/html\r\n").status == 406);
  CHECK(poll("Accept: application/json;q=0\r\n").status == 406);

  const auto put = [&](const std::string& type) {
    return stage
        .ddi("PUT", "/d/configData", R"({"data":{"a":"b"}})", "Content-Type: " + type + "\r\n")
        .status;
  };
  CHECK(put("application/json") == 200);
  CHECK(put("application/json;charset=UTF-8") == 200);
  CHECK(put("text/plain") == 415);
  CHECK(put("application/cbor") == 400);  // it is none
  CHECK(put("") == 415);
  // Artifacts are bytes: whatever Accept says.
  CHECK(stage
            .ddi("GET", "/d/softwaremodules/1/artifacts/x", "",
                 "Accept: application/octet-stream\r\n")
            .status == 404);
}

TEST_CASE("a poll that has nothing new to say is answered 304 to whoever asks for it") {
  ApiStage stage;
  stage.device("d");
  const auto first = stage.ddi("GET", "/d");
  const auto tag = first.header("ETag");
  CHECK(tag.size() == 34);
  CHECK(stage.ddi("GET", "/d").header("ETag") == tag);
  const auto same = stage.ddi("GET", "/d", "", "If-None-Match: \"x\", " + tag + "\r\n");
  CHECK(same.status == 304);
  CHECK(same.body.empty());
  CHECK(same.header("ETag") == tag);
  stage.campaign(stage.firmware("2.0.0"), {"d"});
  stage.offered("d");
  const auto changed = stage.ddi("GET", "/d", "", "If-None-Match: " + tag + "\r\n");
  CHECK(changed.status == 200);
  CHECK(changed.header("ETag") != tag);
}

TEST_CASE("an id that can be none is a bad request in the protocol's words, for messages and for bytes") {
  ApiStage stage;
  for (const std::string& id : {std::string("/a%zz"), std::string("/a%00b"), std::string("/a%ff"), "/" + std::string(257, 'a')}) {
    CAPTURE(id);
    CHECK(stage.ddi("GET", id).status == 400);
    CHECK(stage.ddi("GET", id + "/softwaremodules/1/artifacts/firmware.bin").status == 400);
  }
}
