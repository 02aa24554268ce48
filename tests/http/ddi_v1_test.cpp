// The parts of the devices' protocol that few clients use: CBOR, auto-confirmation, history, what is declared, quotas.
#include <doctest/doctest.h>

#include "domain/limits.hpp"
#include "http/cbor.hpp"
#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

json says(const std::string& execution, const std::string& finished, const json& details = json::array()) {
  return {{"status", {{"execution", execution}, {"result", {{"finished", finished}}}, {"details", details}}}};
}

// A device with an offer.
struct Offered : Story {
  explicit Offered(json options = json::object()) {
    stage.device("d");
    campaign = started({"d"}, std::move(options));
    action = stage.offered("d");
    base = "/d/deploymentBase/" + action;
  }
  json update() { return update_of(campaign, "d"); }
  ApiAnswer feedback(const json& body, const std::string& fields = "") {
    return stage.ddi("POST", base + "/feedback", body.dump(), fields);
  }
  // Asks for its bytes.
  ApiAnswer fetch(const std::string& fields = "") {
    const auto artifact = stage.ddi("GET", base).json()["deployment"]["chunks"][0]["artifacts"][0];
    const std::string href = artifact["_links"]["download-http"]["href"];
    return stage.download(href.substr(href.find("/d/")), fields);
  }
  std::string campaign;
  std::string action;
  std::string base;
};

TEST_CASE("DDI in CBOR: the same messages with the same names") {
  Offered o;
  const auto accept = "Accept: application/cbor\r\n";
  const auto poll = o.stage.ddi("GET", "/d", "", accept);
  CHECK(poll.status == 200);
  CHECK(poll.header("Content-Type") == "application/cbor");
  auto read = parse_cbor(poll.body);
  REQUIRE(std::holds_alternative<json>(read));
  CHECK(std::get<json>(read) == o.stage.ddi("GET", "/d").json());
  CHECK(o.stage.ddi("GET", "/d", "", accept + ("If-None-Match: " + poll.header("ETag") + "\r\n")).status == 304);
  CHECK(poll.header("Vary") == "Accept");
  const auto tagged = [&](const std::string& fields) { return o.stage.ddi("GET", "/d", "", fields).header("ETag"); };
  CHECK(tagged("Accept: application/json\r\n") != tagged("Accept: application/hal+json\r\n"));
  const auto second = o.stage.ddi("GET", "/d", "", "Accept: text/html\r\nAccept: application/cbor\r\n");
  CHECK(second.header("Content-Type") == "application/cbor");

  const auto type = "Content-Type: application/cbor\r\n";
  const auto report = to_cbor_text(says("proceeding", "none", {"halfway"}));
  CHECK(o.stage.ddi("POST", o.base + "/feedback", report, type).status == 200);
  CHECK(o.update()["details"] == json{"halfway"});
  CHECK(o.stage.ddi("PUT", "/d/configData", to_cbor_text({{"data", {{"site", "ams"}}}}), type).status == 200);
  CHECK(o.get("/devices/d")["attributes"]["site"] == "ams");
  CHECK(o.stage.ddi("POST", o.base + "/feedback", report.substr(1), type).status == 400);
  CHECK(o.stage.ddi("POST", o.base + "/feedback", "{}", type).status == 400);
  CHECK(o.stage.ddi("POST", o.base + "/feedback", "{}", "Content-Type: text/plain\r\n").status == 415);
  CHECK(o.stage.ddi("GET", "/d", "", "Accept: text/html\r\n").status == 406);
}

TEST_CASE("what is not there is named as it was asked for, and what is too large is refused in no words") {
  Offered o;
  CHECK(o.stage.ddi("GET", "/d/deploymentBase/99999999999").json()["message"] == "Action not found: 99999999999 of device d");
  const auto large = o.stage.ddi("PUT", "/d/configData", json{{"data", {{"a", std::string(2'000'000, 'x')}}}}.dump());
  CHECK(large.status == 413);
  CHECK(large.body.empty());
}

TEST_CASE("an id that clients take out of paths is none") {
  ApiStage stage;
  for (const auto* dots : {"%2E", "%2e%2E"}) {
    CHECK(stage.ddi("GET", std::string("/") + dots).status == 400);
    CHECK(stage.admin("PUT", std::string("/devices/") + dots, "{}").status == 422);
  }
  CHECK(stage.ddi("GET", "/a%C2%85b").status == 400);
  for (const auto* user : {"..", "a\xC2\x85"}) {
    const auto refused = stage.admin("PUT", "/devices/d", json{{"user_id", user}}.dump(), "Content-Type: application/json\r\n");
    CHECK(refused.status == 422);
    CHECK(refused.body.find("user_id") != std::string::npos);
  }
}

TEST_CASE("auto-confirmation: whatever waits is confirmed, and nothing waits any more") {
  Story s;
  s.stage.device("d");
  const auto first = s.started({"d"}, {{"requires_device_confirmation", true}});
  REQUIRE(ApiStage::eventually([&] { return s.links("d").contains("confirmationBase"); }));
  const auto before = s.stage.ddi("GET", "/d/confirmationBase").json();
  CHECK(before["autoConfirm"] == json{{"active", false}});
  CHECK(before["_links"].contains("activateAutoConfirm"));
  CHECK(before["_links"].contains("confirmationBase"));

  const std::string activate = "/d/confirmationBase/activateAutoConfirm";
  CHECK(s.stage.ddi("POST", activate, R"({"initiator":7})").status == 400);
  CHECK(s.stage.ddi("POST", activate, json{{"remark", std::string(513, 'x')}}.dump()).status == 400);
  CHECK(s.stage.ddi("POST", activate, R"({"initiator":"ada","remark":"night shift"})").status == 200);
  CHECK(s.stage.ddi("POST", activate).status == 409);
  const auto after = s.stage.ddi("GET", "/d/confirmationBase").json();
  CHECK(after["autoConfirm"]["active"] == true);
  CHECK(after["autoConfirm"]["initiator"] == "ada");
  CHECK(after["autoConfirm"]["remark"] == "night shift");
  CHECK(after["autoConfirm"]["activatedAt"].is_number_integer());
  CHECK(after["_links"].contains("deactivateAutoConfirm"));
  CHECK(s.get("/devices/d")["auto_confirm"]["initiator"] == "ada");
  s.update("d", kSucceeded);
  CHECK(s.update_of(first, "d")["status"] == "completed");

  s.stage.device("e");
  REQUIRE(s.stage.ddi("POST", "/e/confirmationBase/activateAutoConfirm").status == 200);
  const auto second = s.started({"e"}, {{"requires_device_confirmation", true}});
  REQUIRE(ApiStage::eventually([&] { return s.links("e").contains("deploymentBase"); }));
  CHECK(s.update_of(second, "e")["consented"] == false);

  const std::string deactivate = "/d/confirmationBase/deactivateAutoConfirm";
  CHECK(s.stage.ddi("POST", deactivate).status == 200);
  CHECK(s.stage.ddi("POST", deactivate).status == 200);
  CHECK(s.get("/devices/d")["auto_confirm"].is_null());
  CHECK(s.stage.ddi("POST", "/nobody/confirmationBase/activateAutoConfirm").status == 404);
}

TEST_CASE("actionHistory: what the device said, newest first, and only if it is asked for") {
  Offered o;
  CHECK_FALSE(o.stage.ddi("GET", o.base + "?actionHistory=10").json().contains("actionHistory"));
  o.feedback(says("proceeding", "none", {"first", "second"}));
  o.feedback(says("proceeding", "none", {"third"}));
  CHECK_FALSE(o.stage.ddi("GET", o.base).json().contains("actionHistory"));
  CHECK_FALSE(o.stage.ddi("GET", o.base + "?actionHistory=0").json().contains("actionHistory"));
  const auto all = o.stage.ddi("GET", o.base + "?c=-1&actionHistory=-1").json()["actionHistory"];
  CHECK(all["messages"] == json{"third", "second", "first"});
  for (const auto& path : {o.base, "/d/installedBase/" + o.action, "/d/confirmationBase/" + o.action}) {
    const auto refused = o.stage.ddi("GET", path + "?actionHistory=x");
    CHECK(refused.status == 400);
    CHECK(refused.json()["message"].get<std::string>().find("'x'") != std::string::npos);
  }
  CHECK(all["status"] == "RETRIEVED");
  CHECK(o.stage.ddi("GET", o.base + "?actionHistory=2").json()["actionHistory"]["messages"] == json{"third", "second"});
  o.feedback(says("closed", "success", {"done"}));
  const auto installed = o.stage.ddi("GET", "/d/installedBase/" + o.action + "?actionHistory=1").json();
  CHECK(installed["actionHistory"]["status"] == "FINISHED");
  CHECK(installed["actionHistory"]["messages"] == json{"done"});
}

TEST_CASE("installedBase: what a device says that it runs is its version") {
  Story s;
  s.stage.device("d");
  const auto name = s.get("/firmware")["firmware"][0]["name"];
  const auto put = [&](const json& body) { return s.stage.ddi("PUT", "/d/installedBase", body.dump()).status; };
  CHECK(put({{"name", name}}) == 400);
  CHECK(put({{"name", name}, {"version", 2}}) == 400);
  CHECK(put({{"name", name}, {"version", "9.9.9"}}) == 404);
  CHECK(put({{"name", name}, {"version", "2.0.0"}}) == 201);
  CHECK(s.get("/devices/d")["firmware_version"] == "2.0.0");
  CHECK(put({{"name", name}, {"version", "2.0.0"}}) == 200);
  CHECK(s.stage.ddi("PUT", "/nobody/installedBase", R"({"name":"a","version":"b"})").status == 404);
}

TEST_CASE("a thousand reports of one attempt are recorded; then its end alone, and whoever goes on is told 429") {
  Offered o;
  for (std::uint32_t i = 0; i < domain::limits::kReportEntries; ++i) {
    REQUIRE(o.feedback(says("proceeding", "none", {"line " + std::to_string(i)})).status == 200);
  }
  const auto refused = o.feedback(says("proceeding", "none", {"one more"}));
  CHECK(refused.status == 429);
  CHECK_FALSE(refused.header("Retry-After").empty());
  CHECK(o.feedback(says("closed", "success")).status == 200);
  CHECK(o.update()["status"] == "completed");
}

TEST_CASE("success without a single request for the bytes is suspicious, and shown") {
  Offered o;
  REQUIRE(o.stage.ddi("GET", o.base).status == 200);
  o.feedback(says("closed", "success"));
  CHECK(o.update()["status"] == "completed");
  CHECK(o.get("/updates/" + o.update()["update_id"].get<std::string>())["success_without_download"] == true);
  CHECK(o.get("/stats" + o.campaign)["suspicious_updates"] == 1);
}

TEST_CASE("whoever asked for its bytes, in whatever way, is not suspected") {
  for (const auto* fields : {"", "Range: bytes=0-0\r\n"}) {
    CAPTURE(fields);
    Offered o;
    CHECK(o.fetch(fields).status < 300);
    REQUIRE(ApiStage::eventually([&] { return o.update()["status"] == "downloading"; }));
    o.feedback(says("closed", "success"));
    CHECK(o.update()["status"] == "completed");
    CHECK(o.get("/updates/" + o.update()["update_id"].get<std::string>())["success_without_download"] == false);
    CHECK(o.get("/stats" + o.campaign)["suspicious_updates"] == 0);
  }
}

TEST_CASE("who looked at the bytes and got none is suspected") {
  Offered o;
  const auto artifact = o.stage.ddi("GET", o.base).json()["deployment"]["chunks"][0]["artifacts"][0];
  const std::string href = artifact["_links"]["download-http"]["href"];
  const auto path = href.substr(href.find("/d/"));
  CHECK(o.stage.ddi("HEAD", path).status == 200);
  CHECK(o.stage.ddi("GET", path, "", "Range: bytes=99999999-\r\n").status == 416);
  CHECK(o.stage.ddi("GET", path, "", "If-None-Match: *\r\n").status == 304);
  CHECK(o.stage.ddi("GET", path + ".MD5SUM").status == 200);
  o.feedback(says("closed", "success"));
  CHECK(o.get("/updates/" + o.update()["update_id"].get<std::string>())["success_without_download"] == true);
}

TEST_CASE("a deployment is small, of one application, and its links have the tenant as it is written") {
  Offered o;
  const auto answer = o.stage.ask_as({}, "GET", "/default/controller/v1" + o.base);
  REQUIRE(answer.status == 200);
  CHECK(answer.body.size() < 1'100);
  const auto chunk = answer.json()["deployment"]["chunks"][0];
  CHECK(chunk["part"] == "bApp");
  CHECK(chunk["artifacts"].size() == 1);
  const auto poll = o.stage.ask_as({}, "GET", "/default/controller/v1/d");
  REQUIRE(poll.status == 200);
  for (const auto& body : {answer.body, poll.body}) {
    CHECK(body.find("/DEFAULT/controller/v1/d/") != std::string::npos);
    CHECK(body.find("/default/") == std::string::npos);
  }
}

TEST_CASE("HEAD is for artifacts: of a message it would register, grant or begin something unseen") {
  Offered o;
  for (const std::string path : {"/stranger", "/d", "/d/deploymentBase/1", "/d/confirmationBase"}) {
    const auto answer = o.stage.ddi("HEAD", path);
    CHECK(answer.status == 405);
    CHECK(answer.header("Allow") == "GET");
  }
  CHECK(o.stage.ddi("HEAD", o.base).status == 405);
  CHECK(o.update()["started_at"].is_null());
  CHECK(o.stage.admin("GET", "/devices/stranger").status == 404);
}

TEST_CASE("a client that says success, tells the version that it still runs, and reboots then, has succeeded") {
  Offered o;
  const auto rauc = "Content-Type: application/json\r\nUser-Agent: rauc-hawkbit-c-agent/1.4\r\n";
  REQUIRE(o.fetch().status == 200);
  REQUIRE(o.feedback(says("closed", "success"), rauc).status == 200);
  const auto tell = [&](const char* version) {
    return o.stage.ddi("PUT", "/d/configData", json{{"data", {{"firmware_version", version}}}}.dump(), rauc).status;
  };
  CHECK_FALSE(o.links("d").contains("configData"));   // it is not asked yet
  CHECK(tell("1.0.0") == 200);
  CHECK(o.update()["status"] == "completed");
  o.stage.advance(std::chrono::minutes(16));
  CHECK(o.links("d").contains("configData"));
  CHECK(tell("2.0.0") == 200);
  CHECK_FALSE(o.links("d").contains("configData"));
  CHECK(o.update()["status"] == "completed");
  CHECK(o.firmware_version("d") == "2.0.0");
}

TEST_CASE("reports on what is over: taken as late, or 410 where that is wished and can be lived with") {
  for (const bool gone : {false, true}) {
    CAPTURE(gone);
    auto options = ApiStage::open_to_devices();
    options.late_feedback_gone = gone;
    ApiStage stage(std::move(options));
    stage.device("d");
    const auto campaign = stage.campaign(stage.firmware("2.0.0"), {"d"});
    const auto base = "/d/deploymentBase/" + stage.offered("d");
    stage.admin("POST", "/campaigns/" + campaign + "/cancel");
    // Not by asking as the device: its first fetch would begin the attempt.
    REQUIRE(ApiStage::eventually(
        [&] { return stage.admin("GET", "/campaigns/" + campaign + "/updates").json()["updates"][0]["status"] == "cancelled"; }));
    CHECK(stage.ddi("GET", base).status == 404);
    const auto late = says("closed", "failure").dump();
    CHECK(stage.ddi("POST", base + "/feedback", late).status == (gone ? 410 : 200));
    CHECK(stage.ddi("POST", base + "/feedback", late, "Content-Type: application/json\r\nUser-Agent: libcurl-agent/1.0\r\n")
              .status == 200);
  }
}

TEST_CASE("whoever asks too often is refused with an empty answer, and its downloads wait instead") {
  auto options = ApiStage::open_to_devices();
  options.device_rates.device = {1, 30};
  ApiStage stage(std::move(options));
  stage.device("d");
  stage.campaign(stage.firmware("2.0.0"), {"d"});
  REQUIRE(ApiStage::eventually([&] { return stage.service().offers_something(); }));  // asking for it costs
  const auto action = stage.offered("d");
  const auto artifact = stage.ddi("GET", "/d/deploymentBase/" + action).json()["deployment"]["chunks"][0]["artifacts"][0];
  const std::string href = artifact["_links"]["download-http"]["href"];
  ApiAnswer last;
  for (int i = 0; i < 60 && last.status != 429; ++i) last = stage.ddi("GET", "/d");
  REQUIRE(last.status == 429);
  CHECK(last.body.empty());
  CHECK_FALSE(last.header("Retry-After").empty());
  CHECK(stage.download(href.substr(href.find("/d/"))).status == 200);
  stage.device("e");  // it does not pay for the other
  CHECK(stage.ddi("GET", "/e").status == 200);
}

TEST_CASE("whoever reads an artifact in many small pieces may say how it goes all the same") {
  auto options = ApiStage::open_to_devices();
  options.device_rates.device = {1, 200};
  options.device_rates.address_reads = {1, 200};
  options.device_rates.limit_private = true;
  ApiStage stage(std::move(options));
  stage.device("d");
  stage.campaign(stage.firmware("2.0.0"), {"d"});
  REQUIRE(ApiStage::eventually([&] { return stage.service().offers_something(); }));  // asking for it costs
  const auto base = "/d/deploymentBase/" + stage.offered("d");
  const std::string href =
      stage.ddi("GET", base).json()["deployment"]["chunks"][0]["artifacts"][0]["_links"]["download-http"]["href"];
  for (int i = 0; i < 300; ++i) REQUIRE(stage.download(href.substr(href.find("/d/")), "Range: bytes=0-0\r\n").status == 206);
  CHECK(stage.ddi("GET", "/d").status == 200);
  CHECK(stage.ddi("POST", base + "/feedback", says("proceeding", "none").dump()).status == 200);
}

TEST_CASE("a fleet that comes at once is told to come back one after the other; who is awaited comes sooner") {
  auto options = ApiStage::open_to_devices();
  options.poll_pace = {.polls_per_s = 4, .soon = std::chrono::seconds(30), .jitter_percent = 0};
  ApiStage stage(std::move(options));
  const auto sleep = [&](const std::string& device) {
    return stage.ddi("GET", "/" + device).json()["config"]["polling"]["sleep"].get<std::string>();
  };
  for (int i = 0; i < 20; ++i) {  // strangers may be in a target list
    CHECK(sleep("new-" + std::to_string(i)) == (i < 4 ? "00:00:30" : i < 8 ? "00:00:31" : i < 12 ? "00:00:32" : i < 16 ? "00:00:33" : "00:00:34"));
  }
  for (int i = 0; i < 12; ++i) {
    CHECK(sleep("new-" + std::to_string(i)) == (i < 3 ? "00:05:00" : i < 6 ? "00:05:01" : i < 9 ? "00:05:02" : "00:05:03"));
  }
  stage.device("target");
  stage.campaign(stage.firmware("2.0.0"), {"target"});
  REQUIRE_FALSE(stage.offered("target").empty());
  CHECK(sleep("target") < "00:01:00");
}

// The artifact that a new device is offered, and the path of its link.
std::pair<json, std::string> offered_artifact(ApiStage& stage) {
  stage.device("d");
  stage.campaign(stage.firmware("2.0.0"), {"d"});
  const auto artifact =
      stage.ddi("GET", "/d/deploymentBase/" + stage.offered("d")).json()["deployment"]["chunks"][0]["artifacts"][0];
  const std::string href = artifact["_links"]["download-http"]["href"];
  return {artifact, href.substr(href.find("/d/"))};
}

TEST_CASE("downloads are sent elsewhere where that is set, for clients that go there") {
  auto options = ApiStage::open_to_devices();
  options.redirect_url = "https://cdn.example/fw/{sha256}/{file}";
  ApiStage stage(std::move(options));
  const auto [artifact, path] = offered_artifact(stage);
  const auto sent = stage.download(path, "User-Agent: rauc-hawkbit-c-agent/1.4\r\n");
  CHECK(sent.status == 302);
  CHECK(sent.body.empty());
  CHECK(sent.header("Location") == "https://cdn.example/fw/" + artifact["hashes"]["sha256"].get<std::string>() + "/" +
                                       artifact["filename"].get<std::string>());
  CHECK(stage.download(path).status == 200);
  CHECK(stage.download(path + ".MD5SUM", "User-Agent: rauc-hawkbit-c-agent/1.4\r\n").status == 200);
}

TEST_CASE("downloads are sent to a store of objects with a link that it takes for its own") {
  auto options = ApiStage::open_to_devices();
  options.redirect_url = "https://store.example:9000/fw/{sha256}";
  options.store_key = {.id = "AKIA", .secret = "secret"};
  ApiStage stage(std::move(options));
  const auto [artifact, path] = offered_artifact(stage);
  const auto sent = stage.download(path, "User-Agent: libcurl-agent/1.0\r\n");
  CHECK(sent.status == 302);
  const auto url = "https://store.example:9000/fw/" + artifact["hashes"]["sha256"].get<std::string>();
  CHECK(sent.header("Location") == presigned("GET", url, {.id = "AKIA", .secret = "secret"}, stage.service().now()));
}

TEST_CASE("devices in a blocked network are told 403 and no more; others, and administrators there, are served") {
  auto options = ApiStage::open_to_devices();
  options.blocked_addresses = IpNetworks::parse("192.0.2.0/24");
  ApiStage stage(std::move(options));
  stage.device("d");
  const std::string path = "/DEFAULT/controller/v1/d";
  const auto refused = stage.ask_as({"192.0.2.7"}, "GET", path);
  CHECK(refused.status == 403);
  CHECK(refused.body.empty());
  CHECK(stage.ask_as({"192.0.2.7"}, "GET", path + "/softwaremodules/1/artifacts/f.bin").status == 403);
  CHECK(stage.ask_as({"192.0.3.7"}, "GET", path).status == 200);
  CHECK(stage.ask_as({"192.0.2.7"}, "GET", "/api/v1/ota/devices/d").status == 200);
}

TEST_CASE("a client that takes skip for the end cannot do a download alone: it is taken as declined") {
  Offered o(json{{"download_only", true}});
  const auto swupdate = "Content-Type: application/json\r\nUser-Agent: libcurl-agent/1.0\r\n";
  CHECK(o.stage.ddi("GET", o.base).json()["deployment"]["update"] == "skip");
  CHECK(o.feedback(says("closed", "success", {"Skipped Update."}), swupdate).status == 200);
  CHECK(o.update()["status"] == "cancelled");
  CHECK(o.update()["error_code"] == "declined");
}

TEST_CASE("a client that installs whatever it is offered is not offered what is to be downloaded alone: that is declined") {
  auto options = ApiStage::open_to_devices();
  SUBCASE("as it says itself") {}
  SUBCASE("as all devices of its model are") { options.client_of_model = {{"SF-100", "zephyr"}}; }
  const bool says_it = options.client_of_model.empty();
  Story s{.stage = ApiStage(std::move(options))};
  s.stage.device("d");
  s.says("d", says_it ? "ddi_client" : "device_model", says_it ? "zephyr" : "SF-100");
  const auto campaign = s.started({"d"}, {{"download_only", true}});
  REQUIRE(ApiStage::eventually([&] {
    CHECK_FALSE(s.links("d").contains("deploymentBase"));
    return s.update_of(campaign, "d")["status"] == "cancelled";
  }));
  CHECK(s.update_of(campaign, "d")["error_code"] == "declined");
  const auto next = s.started({"d"});
  s.update("d", kSucceeded);
  CHECK(s.update_of(next, "d")["status"] == "completed");
}

TEST_CASE("what was not installed after all is not shown as installed") {
  Offered o;
  REQUIRE(o.fetch().status == 200);
  o.feedback(says("closed", "success"));
  CHECK(o.links("d").contains("installedBase"));
  o.stage.advance(std::chrono::minutes(16));
  o.says("d", "firmware_version", "1.0.0");
  CHECK(o.update()["error_code"] == "wrong_version");
  CHECK_FALSE(o.links("d").contains("installedBase"));
}

TEST_CASE("a number that nobody has is not found, however large; what is no number is a bad request") {
  Offered o;
  for (const std::string place : {"deploymentBase/", "cancelAction/", "installedBase/", "confirmationBase/"}) {
    CAPTURE(place);
    CHECK(o.stage.ddi("GET", "/d/" + place + "4294967296").status == 404);
    CHECK(o.stage.ddi("GET", "/d/" + place + "99999999999999999999").status == 404);
    CHECK(o.stage.ddi("GET", "/d/" + place + "-1").status == 400);
    CHECK(o.stage.ddi("GET", "/d/" + place + "1e3").status == 400);
  }
  CHECK(o.stage.ddi("GET", "/d/softwaremodules/99999999999999999999/artifacts").status == 404);
  CHECK(o.stage.ddi("GET", "/d/softwaremodules/os/artifacts").status == 400);
}

}  // namespace
}  // namespace ota::http::test
