// POST /devices/import over HTTP: the report, what is refused as a whole, and what it leaves behind.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "http/limits.hpp"
#include "tests/http/story.hpp"
#include "tests/http/text_context.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

constexpr const char* kCsv = "text/csv";
constexpr const char* kLines = "application/x-ndjson";

json counts(int registered, int changed, int unchanged, int returned, int failed) {
  return {{"registered", registered}, {"changed", changed}, {"unchanged", unchanged}, {"returned", returned},
          {"failed", failed}};
}
json counts_of(const ApiAnswer& answer) {
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
  json found;
  std::uint64_t total = 0;
  for (const auto* name : {"registered", "changed", "unchanged", "returned", "failed"}) {
    found[name] = answer.json()[name];
    total += found[name].get<std::uint64_t>();
  }
  CHECK(answer.json()["total"] == total);
  return found;
}

TEST_CASE("api 5, import: a CSV file registers its devices, whose polls and lists know them at once") {
  ApiStage stage;
  const auto answer = stage.import(kCsv,
                                   "device_id,device_model,firmware_version,groups,user_id,attribute.site\r\n"
                                   "d-1,SF-100,1.0.0,beta;lab,ada,ams\r\n"
                                   "d-2,SF-100,1.1.0,,,\r\n",
                                   "X-User-Id: grace\r\nX-Request-Id: fleet-7\r\n");
  CHECK(counts_of(answer) == counts(2, 0, 0, 0, 0));
  CHECK(answer.json()["errors"] == json::array());
  CHECK(answer.json()["errors_truncated"] == false);
  const auto device = stage.admin("GET", "/devices/d-1").json();
  CHECK(device["device_model"] == "SF-100");
  CHECK(device["groups"] == json({"beta", "lab"}));
  CHECK(device["user_id"] == "ada");
  CHECK(device["attributes"]["site"] == "ams");
  CHECK(stage.admin("GET", "/devices?group=lab").json()["count"] == 1);
  CHECK(stage.admin("GET", "/devices?firmware_version=1.1.0").json()["devices"][0]["device_id"] == "d-2");
  CHECK(stage.ddi("GET", "/d-2").status == 200);
  const auto event = stage.admin("GET", "/audit/events?device_id=d-1").json()["events"][0];
  CHECK(event["type"] == "device.registered");
  CHECK(event["actor"] == "grace");
  CHECK(event["correlation_id"] == "fleet-7");
}

TEST_CASE("api 5, import: JSON Lines change devices that are here, and repeating them changes nothing") {
  ApiStage stage;
  stage.device("d-1");
  const std::string file =
      "{\"device_id\":\"d-1\",\"name\":\"Frame\",\"attributes\":{\"firmware_version\":null}}\n"
      "{\"device_id\":\"d-2\"}\n";
  CHECK(counts_of(stage.import(kLines, file)) == counts(1, 1, 0, 0, 0));
  const auto device = stage.admin("GET", "/devices/d-1").json();
  CHECK(device["name"] == "Frame");
  CHECK(device["firmware_version"].is_null());
  CHECK(device["device_model"] == "SF-100");
  const auto head = stage.service().log().head();
  CHECK(counts_of(stage.import(kLines, file, "Idempotency-Key: k\r\n")) == counts(0, 0, 2, 0, 0));
  CHECK(stage.service().log().head() == head);
}

TEST_CASE("decision 22: an import over HTTP brings a deleted device back, whose polls were 404") {
  ApiStage stage;
  stage.device("d");
  REQUIRE(stage.admin("DELETE", "/devices/d").status == 200);
  REQUIRE(stage.ddi("GET", "/d").status == 404);
  CHECK(counts_of(stage.import(kCsv, "device_id\nd\n")) == counts(0, 0, 0, 1, 0));
  CHECK(stage.ddi("GET", "/d").status == 200);
  CHECK(stage.admin("GET", "/devices/d").json()["firmware_version"] == "1.0.0");
}

TEST_CASE("api 5, import: bad lines are listed with line, field and value; the first 100, and all are counted") {
  ApiStage stage;
  std::string file = "device_id,name\ngood,x\n";
  file += "late," + std::string(129, 'n') + "\nbroken\n";
  for (int i = 0; i < 150; ++i) file += ",x\n";
  file += "also good,\n";
  const auto answer = stage.import(kCsv, file);
  CHECK(counts_of(answer) == counts(2, 0, 0, 0, 152));
  const auto errors = answer.json()["errors"];
  REQUIRE(errors.size() == 100);
  CHECK(answer.json()["errors_truncated"] == true);
  CHECK(errors[0]["line"] == 3);
  CHECK(errors[0]["field"] == "name");
  CHECK(errors[0]["message"].get<std::string>().find("got 129 in 'nnn") != std::string::npos);
  CHECK(errors[1] == json{{"line", 4}, {"field", nullptr}, {"message", "has 1 fields, the header has 2"}});
  CHECK(errors[99]["line"] == 102);
  CHECK(stage.admin("GET", "/devices/also%20good").status == 200);
}

TEST_CASE("api 5, import: what is not UTF-8 stands in a report that is") {
  ApiStage stage;
  const auto answer = stage.import(kCsv, "device_id,name\nd,\"\xff\"x\n\xfe,y\n");
  CHECK(counts_of(answer) == counts(0, 0, 0, 0, 2));
  CHECK(answer.json()["errors"].size() == 2);
}

TEST_CASE("api 5, import: a broken header is 422 and nothing is done") {
  ApiStage stage;
  for (const auto* file : {"", "name\nx\n", "device_id,colour\nd,red\n", "device_id;name\nd;x\n"}) {
    const auto answer = stage.import(kCsv, file);
    CHECK(answer.status == 422);
    CHECK(answer.json()["error"] == "ValidationError");
  }
  CHECK(stage.import(kCsv, "device_id,colour\nd,red\n").body.find("the column 'colour' is unknown") != std::string::npos);
  CHECK(stage.admin("GET", "/devices").json()["count"] == 0);
  CHECK(counts_of(stage.import(kCsv, "device_id,name\n")) == counts(0, 0, 0, 0, 0));
  CHECK(counts_of(stage.import(kLines, "")) == counts(0, 0, 0, 0, 0));
}

TEST_CASE("api 5, import: a type that is neither CSV nor JSON Lines is 415 before anything is read") {
  ApiStage stage;
  for (const auto* type : {"application/json", "text/plain", "multipart/form-data"}) {
    const auto answer = stage.import(type, "device_id\nd\n");
    CHECK(answer.status == 415);
    CHECK(answer.body.find(type) != std::string::npos);
  }
  CHECK(stage.admin("GET", "/devices").json()["count"] == 0);
}

TEST_CASE("api 5, import: a body that breaks off is an error that tells how far it came; what came before is in") {
  ApiStage stage;
  const auto answer = stage.import(kCsv, "device_id\nd-1\nd-2\nd-3", "", BodyOutcome::kCutOff);
  CHECK(answer.status == 400);
  CHECK(answer.json()["message"].get<std::string>().ends_with("; the 2 lines before that were imported"));
  CHECK(stage.admin("GET", "/devices").json()["count"] == 2);
  CHECK(counts_of(stage.import(kCsv, "device_id\nd-1\nd-2\nd-3")) == counts(1, 0, 2, 0, 0));
}

TEST_CASE("api 5, import: ten thousand lines in small pieces are all there, each with its own values") {
  ApiStage stage;
  std::string file = "device_id,attribute.number,groups\n";
  for (int i = 0; i < 10'000; ++i) file += fmt::format("d-{},{},g{}\n", i, i * 7, i % 3);
  CHECK(counts_of(stage.import(kCsv, file)) == counts(10'000, 0, 0, 0, 0));
  int right = 0;
  stage.service().views().each_device([&](const domain::Device& device) {
    const int i = std::stoi(device.id.value.substr(2));
    right += device.attribute("number") == std::to_string(i * 7) &&
             device.groups == std::vector<std::string>{fmt::format("g{}", i % 3)};
    return true;
  });
  CHECK(right == 10'000);
}

}  // namespace
}  // namespace ota::http::test
