// The administration's routes over a real service: what they answer, and what they leave behind.
#include <doctest/doctest.h>

#include <algorithm>
#include <future>
#include <thread>
#include <vector>

#include "http/commands.hpp"
#include "http/limits.hpp"
#include "http/time_format.hpp"
#include "tests/http/api_stage.hpp"

using namespace ota;
using namespace ota::http;
using nlohmann::json;
using test::ApiStage;
using test::metadata;

namespace {

std::string key(const std::string& value) { return "Idempotency-Key: " + value + "\r\n"; }

}  // namespace

TEST_CASE("PUT of a device with an Idempotency-Key takes effect once, and answers the same again") {
  ApiStage stage;
  const auto put = [&](const std::string& device, int x, const std::string& fields) {
    return stage.admin("PUT", "/devices/" + device,
                       json{{"attributes", {{"x", std::to_string(x)}}}}.dump(), fields);
  };
  const auto x_of = [&](const std::string& device) {
    return stage.admin("GET", "/devices/" + device).json()["attributes"]["x"];
  };
  CHECK(put("a", 2, key("k")).status == 201);
  CHECK(put("a", 3, "").status == 200);
  // The first request again: answered as before, without a second effect.
  CHECK(put("a", 2, key("k")).status == 201);
  CHECK(x_of("a") == "3");
  // Another body, another device, another verb.
  CHECK(put("a", 4, key("k")).faults() == "Idempotency-Key: idempotency_key_reused\n");
  CHECK(put("b", 2, key("k")).status == 422);
  CHECK(stage.admin("DELETE", "/devices/a", "", key("k")).status == 422);
  CHECK(x_of("a") == "3");
  CHECK(stage.admin("GET", "/devices/b").status == 404);
  // A change of a device that is known is remembered as well.
  CHECK(put("a", 5, key("change")).status == 200);
  CHECK(put("a", 6, key("change")).status == 422);
  CHECK(put("a", 7, key("other")).status == 200);
  CHECK(x_of("a") == "7");
}

TEST_CASE("a repeated Idempotency-Key answers what the first call answered, whatever has become of it since") {
  ApiStage stage;
  stage.device("d");
  const auto firmware = stage.firmware("2.0.0");
  const json body{{"name", "c"}, {"firmware_id", firmware}, {"target_devices", {"d"}}};
  const auto create = [&] { return stage.admin("POST", "/campaigns", body.dump(), key("create")); };
  const auto first = create();
  REQUIRE(first.status == 201);
  const auto campaign = "/campaigns/" + first.json()["campaign_id"].get<std::string>();
  const auto post = [&](const std::string& verb, const std::string& fields) {
    return stage.admin("POST", campaign + verb, R"({"reason":"x"})", fields);
  };
  const auto started = post("/start", key("start"));
  CHECK(started.json()["message"] == "Campaign started");
  REQUIRE(post("/cancel", "").status == 200);
  CHECK(create().body == first.body);
  CHECK(create().header("ETag") == first.header("ETag"));
  CHECK(post("/start", key("start")).body == started.body);
  CHECK(stage.admin("GET", campaign).json()["status"] == "cancelled");
  CHECK(stage.admin("GET", "/campaigns").json()["count"] == 1);
}

TEST_CASE("an answer that is kept names nobody: in the log are tokens") {
  ApiStage stage;
  const auto firmware = stage.firmware("2.0.0");
  const auto body = json{{"name", "ada"}, {"firmware_id", firmware}, {"target_devices", {"ada"}}}.dump();
  const auto create = [&] { return stage.admin("POST", "/campaigns", body, key("k") + "X-User-Id: ada\r\n"); };
  const auto first = create();
  REQUIRE(first.status == 201);
  REQUIRE(first.json()["created_by"] == "ada");
  CHECK(create().body == first.body);
  const auto token = projections::to_store(*stage.service().known_user("ada"));
  const auto hash = hash_of({domain::view_of(token.bytes), "k"});
  eventstore::CommandId command;
  std::copy_n(hash.begin(), command.bytes.size(), command.bytes.begin());
  const auto kept = stage.service().log().answer(command, stage.service().now());
  REQUIRE(kept);
  CHECK(kept->find("target_device_count") != std::string::npos);
  CHECK(kept->find(R"("created_by":"ada")") == std::string::npos);
  CHECK(kept->find(R"("created_by":"\u0001)") != std::string::npos);
}

TEST_CASE("what looks as a person's token and is somebody's own text stays that, when it is answered again") {
  ApiStage stage;
  for (const std::string text : {"\\u0001zz", "\\u00010000000000000001", "ada"}) {
    CAPTURE(text);
    const auto path = "/devices/d" + std::to_string(text.size());
    const auto body = R"({"attributes":{"user_id":")" + text + R"("},"user_id":"eve"})";
    const auto put = [&] { return stage.admin("PUT", path, body, key("k" + std::to_string(text.size())) + "X-User-Id: ada\r\n"); };
    auto first = put().json();
    auto second = put().json();
    for (auto* answer : {&first, &second}) answer->erase("request_id");   // a refusal is made anew
    CHECK(second == first);
  }
}

TEST_CASE("what a refusal quotes of a request is not kept: it may be a name") {
  ApiStage stage;
  const auto path = std::string("/devices/d");
  for (const std::string body : {R"({"device_model":"SF-100","user_id":77123456789})", R"({"device_model":"SF-100","user_id":"ida.lupino\u0007"})", R"({"user_id":"hal.jordan)"}) {
    CAPTURE(body);
    const auto head = stage.service().log().head();
    const auto refused = stage.admin("PUT", path, body, key("k") + "X-User-Id: ada\r\n");
    CHECK(refused.status == (body.ends_with("jordan") ? 400 : 422));
    const auto hash = hash_of({domain::view_of(projections::to_store(*stage.service().known_user("ada")).bytes), "k"});
    eventstore::CommandId command;
    std::copy_n(hash.begin(), command.bytes.size(), command.bytes.begin());
    stage.service().settle();
    CHECK_FALSE(stage.service().log().answer(command, stage.service().now()));
    CHECK(stage.service().log().head() == head);
  }
}

TEST_CASE("somebody without a name is in an answer that is kept what they were when it was given") {
  for (const std::string nobody : {"unknown user", "deleted user"}) {
    ApiStage stage;
    const auto body = json{{"device_model", "SF-100"}, {"user_id", nobody}}.dump();
    const auto put = [&] { return stage.admin("PUT", "/devices/d", body, key("k")); };
    const auto first = put();
    REQUIRE(first.status == 201);
    CHECK(put().body == first.body);
  }
}

TEST_CASE("an Idempotency-Key is remembered though its first call wrote nothing, or was refused") {
  ApiStage stage;
  stage.device("d");
  const auto campaign = "/campaigns/" + stage.campaign(stage.firmware("2.0.0"), {"d"});
  const auto post = [&](const std::string& verb, const std::string& fields) {
    return stage.admin("POST", campaign + verb, R"({"reason":"x"})", fields);
  };
  const auto refused = post("/resume", key("nothing to resume"));
  REQUIRE(post("/pause", "").status == 200);
  CHECK(post("/pause", key("again")).json()["message"] == "Campaign was paused already");
  REQUIRE(post("/resume", "").status == 200);
  CHECK(post("/pause", key("again")).json()["message"] == "Campaign was paused already");
  CHECK(stage.admin("GET", campaign).json()["status"] == "in_progress");
  CHECK(post("/cancel", key("again")).status == 422);
  CHECK(post("/resume", key("nothing to resume")).body == refused.body);
}

TEST_CASE("an attribute is text under a name, and says nothing else than the field of its name beside it") {
  ApiStage stage;
  const auto put = [&](const json& body) { return stage.admin("PUT", "/devices/d", body.dump()); };
  const auto faults = [&](const json& attributes) { return put({{"device_model", "SF-100"}, {"attributes", attributes}}).faults(); };
  CHECK(faults({{"a", std::string("x\0y", 3)}}) == "a: string_pattern_mismatch\n");
  CHECK(faults({{"a", "\x1b[2J"}}) == "a: string_pattern_mismatch\n");
  CHECK(faults({{"a", 7}, {"b", json::array()}}) == "a: string_type\nb: string_type\n");
  CHECK(faults({{"a", std::string(129, 'x')}}) == "a: string_too_long\n");
  for (const std::string name : {"", " ", "a\nb", "bell\a"}) {
    CAPTURE(name);
    CHECK(faults({{name, "x"}}) == "attributes: string_pattern_mismatch\n");
  }
  CHECK(faults({{std::string(129, 'n'), "x"}}) == "attributes: string_too_long\n");
  const auto two = put({{"device_model", "SF-100"}, {"attributes", {{"device_model", "SF-200"}}}});
  CHECK(two.faults() == "device_model: value_error\n");
  CHECK(two.body.find("SF-100") != std::string::npos);
  CHECK(two.body.find("SF-200") != std::string::npos);
  CHECK(faults({{"device_model", nullptr}}) == "device_model: value_error\n");
  CHECK(stage.admin("GET", "/devices/d").status == 404);
  CHECK(put({{"device_model", "SF-100"}, {"attributes", {{"device_model", "SF-100"}, {"site", "M\u00fcnchen"}, {"note", "a\tb"}}}}).status == 201);
}

TEST_CASE(
    "a device with more attributes than one may have is refused, and not registered by half") {
  ApiStage stage;
  json attributes;
  for (int i = 0; i < 101; ++i) attributes["a" + std::to_string(i)] = "x";
  const auto body = json{{"attributes", attributes}}.dump();
  CHECK(stage.admin("PUT", "/devices/many", body).faults() == "attributes: too_long\n");
  CHECK(stage.admin("PUT", "/devices/many", body, key("k")).status == 422);
  CHECK(stage.admin("GET", "/devices/many").status == 404);
}

TEST_CASE("DELETE of a device with an Idempotency-Key is of that device") {
  ApiStage stage;
  stage.device("d1");
  stage.device("d2");
  CHECK(stage.admin("DELETE", "/devices/d1", "", key("k")).json()["status"] == "deleted");
  CHECK(stage.admin("DELETE", "/devices/d1", "", key("k")).status == 200);
  CHECK(stage.admin("DELETE", "/devices/d2", "", key("k")).status == 422);
  CHECK(stage.admin("GET", "/devices/d2").json()["status"] == "registered");
  CHECK(stage.admin("DELETE", "/devices/d2", "", key("k2")).json()["status"] == "deleted");
}

TEST_CASE("a time that is asked for and not understood, or not supported, is refused") {
  ApiStage stage;
  stage.device("d");
  const auto campaign = stage.campaign(stage.firmware("2.0.0"), {"d"});
  stage.offered("d");
  const auto updates = stage.admin("GET", "/campaigns/" + campaign + "/updates").json()["updates"];
  const std::string update = updates[0]["update_id"];
  for (const std::string& path : {"/campaigns/" + campaign, "/updates/" + update}) {
    CHECK(stage.admin("GET", path).status == 200);
    CHECK(stage.admin("GET", path + "?as_of=1").status == 404);
  }
  for (const std::string& path : {"/stats/campaigns/" + campaign, std::string("/devices"), std::string("/firmware")}) {
    CAPTURE(path);
    CHECK(stage.admin("GET", path).status == 200);
    CHECK(stage.admin("GET", path + "?as_of=17").faults() == "as_of: not_supported\n");
    CHECK(stage.admin("GET", path + "?as_of=2026-01-02T03:04:05Z").faults() ==
          "as_of: not_supported\n");
    const auto nonsense = stage.admin("GET", path + "?as_of=yesterday");
    CHECK(nonsense.status == 422);
    CHECK(nonsense.faults() == "as_of: datetime_parsing\n");
    CHECK(nonsense.body.find("yesterday") != std::string::npos);
  }
  CHECK(stage.admin("GET", "/stats?from=2026-01-02T03:04:05Z&to=2026-01-02T03:04:04Z").faults() ==
        "to: value_error\n");
  CHECK(stage.admin("GET", "/stats/campaigns/" + campaign + "?from=2026-01-02T03:04:05Z").faults() ==
        "from: value_error\n");
  CHECK(stage.admin("GET", "/stats?from=nonsense&to=soon").faults() ==
        "from: datetime_parsing\nto: datetime_parsing\n");
}

TEST_CASE(
    "BR-OTA-043: statistics from a time on and to a time count what was created in between") {
  ApiStage stage;
  const auto firmware = stage.firmware("2.0.0");
  stage.device("old");
  stage.campaign(firmware, {"old"});
  stage.advance(std::chrono::hours(48));
  const auto between = format_time(stage.service().now());
  stage.advance(std::chrono::hours(1));
  stage.device("a");
  stage.device("b");
  stage.campaign(firmware, {"a", "b"});
  CHECK(stage.admin("GET", "/stats").json()["total_updates"] == 3);
  const auto since = stage.admin("GET", "/stats?from=" + between).json();
  CHECK(since["from"] == between);
  CHECK(since["total_updates"] == 2);
  CHECK(since["failed_updates"] == 0);
  CHECK(since["total_data_transferred"] == 0);
  CHECK(since["completed_updates"] == 0);
  CHECK(since["total_campaigns"] == 1);
  CHECK(since["to"].is_null());
  const auto until = stage.admin("GET", "/stats?to=" + between).json();
  CHECK(until["total_updates"] == 1);
  CHECK(until["total_campaigns"] == 1);
  CHECK(until["active_campaigns"] == 1);
  CHECK(until["last_24h_updates"] == 2);   // always the last 24 hours
  CHECK(stage.admin("GET", "/stats?from=" + between + "&to=" + between).json()["total_updates"] == 0);
}

TEST_CASE("a download's URL is absolute, as the caller names the service") {
  ApiStage stage;
  const auto firmware = stage.firmware("2.0.0");
  const auto answer = stage.admin("GET", "/firmware/" + firmware + "/download").json();
  CHECK(answer["download_url"] == "http://test/api/v1/ota/firmware/" + firmware + "/content");
  CHECK(answer["file_size"] == 14);
}

TEST_CASE("an update shows when its cancellation was asked for, and what it waits for") {
  ApiStage stage;
  stage.device("d");
  const auto campaign = stage.campaign(stage.firmware("2.0.0"), {"d"});
  const auto action = stage.offered("d");
  REQUIRE(stage.ddi("GET", "/d/deploymentBase/" + action).status == 200);
  const auto listed = stage.admin("GET", "/campaigns/" + campaign + "/updates").json();
  const std::string path = "/updates/" + listed["updates"][0]["update_id"].get<std::string>();
  CHECK(stage.admin("GET", path).json()["cancel_requested_at"].is_null());
  CHECK(stage.admin("GET", path).json().contains("waiting_for"));
  stage.advance(std::chrono::seconds(7));
  const auto asked_at = format_time(stage.service().now());
  const auto cancelled = stage.admin("POST", path + "/cancel");
  CHECK(cancelled.status == 200);
  CHECK(cancelled.json()["cancel_requested_at"] == asked_at);
}

TEST_CASE("a report on an update that was never granted is a conflict, not an unknown update") {
  ApiStage stage;
  stage.device("d");
  const auto campaign = stage.campaign(stage.firmware("2.0.0"), {"d"});
  const auto listed = stage.admin("GET", "/campaigns/" + campaign + "/updates").json();
  const std::string path = "/updates/" + listed["updates"][0]["update_id"].get<std::string>();
  CHECK(stage.admin("GET", path).status == 200);
  const auto answer = stage.admin("POST", path + "/status", R"({"status":"downloading"})");
  CHECK(answer.status == 409);
  CHECK(answer.json()["error"] == "StateTransition");
  CHECK(answer.json()["detail"]["current_state"] == "scheduled");
  stage.offered("d");
  CHECK(stage.admin("POST", path + "/status", R"({"status":"downloading"})").status == 200);
}

TEST_CASE("If-Match is compared as it was sent, and a list of revisions is read") {
  ApiStage stage;
  stage.device("d");
  const auto campaign = stage.campaign(stage.firmware("2.0.0"), {"d"});
  const std::string path = "/campaigns/" + campaign;
  const auto revision = stage.admin("GET", path).json()["revision"].get<std::uint64_t>();
  const auto tag = [](std::uint64_t number) { return '"' + std::to_string(number) + '"'; };
  const auto pause = [&](const std::string& tags) {
    return stage.admin("POST", path + "/pause", "", "If-Match: " + tags + "\r\n").status;
  };
  CHECK(pause(tag(revision + (std::uint64_t{1} << 32))) == 412);
  CHECK(pause(tag(0) + ", " + tag(revision + 1)) == 412);
  CHECK(pause("\"seven\"") == 412);
  CHECK(stage.admin("GET", path).json()["status"] == "in_progress");
  CHECK(pause(tag(revision + 1) + ", " + tag(revision)) == 200);
  CHECK(stage.admin("POST", path + "/resume", "", "If-Match: *\r\n").status == 200);
}

TEST_CASE("a request under a key is answered as before though its If-Match names what was, one revision or several") {
  ApiStage stage;
  stage.device("d");
  for (const std::string besides : {"", ", \"1000\""}) {
    const std::string path = "/campaigns/" + stage.campaign(stage.firmware(besides.empty() ? "2.0.0" : "3.0.0"), {"d"});
    const std::string seen = '"' + stage.admin("GET", path).json()["revision"].dump() + '"' + besides;
    const auto pause = [&](const std::string& key) {
      return stage.admin("POST", path + "/pause", "", "If-Match: " + seen + "\r\nIdempotency-Key: " + key + "\r\n");
    };
    const auto first = pause("one" + besides);
    CHECK(first.status == 200);
    const auto again = pause("one" + besides);
    CHECK(again.status == 200);
    CHECK(again.body == first.body);
    const auto other = pause("two" + besides);
    CHECK(other.status == 412);
    CHECK(other.json()["message"].get<std::string>().find("revision " + seen.substr(1, seen.find('"', 1) - 1)) != std::string::npos);
  }
}

TEST_CASE("an id in the path that cannot be is refused with its value") {
  ApiStage stage;
  const auto of = [&](const std::string& id) { return stage.admin("GET", "/devices/" + id).json()["message"].get<std::string>(); };
  CHECK(of("a%0Ab").find("'a\nb'") != std::string::npos);
  CHECK(of(std::string(300, 'x')).find("has 300 characters, more than 256: 'xxx") != std::string::npos);
  CHECK(of("%ff").find("is not UTF-8: '") != std::string::npos);
}

TEST_CASE("who is named too long is refused, not taken as nobody") {
  ApiStage stage;
  const auto put = [&](const std::string& user) {
    return stage.admin("PUT", "/devices/d", "{}", "X-User-Id: " + user + "\r\n");
  };
  CHECK(put(std::string(limits::kUserIdBytes + 1, 'u')).faults() == "X-User-Id: string_too_long\n");
  CHECK(put("\xFF\xFE").faults() == "X-User-Id: string_unicode\n");
  CHECK(stage.admin("GET", "/devices/d").status == 404);
  CHECK(put(std::string(limits::kUserIdBytes, 'u')).status == 201);
}

TEST_CASE("a repeated upload with its Idempotency-Key answers what the first one answered") {
  ApiStage stage;
  const auto first = stage.upload("bytes", metadata("2.0.0"), key("k"));
  CHECK(first.status == 201);
  const auto again = stage.upload("bytes", metadata("2.0.0"), key("k"));
  CHECK(again.status == 201);
  CHECK(again.json()["firmware_id"] == first.json()["firmware_id"]);
  CHECK(stage.upload("bytes", metadata("2.0.0")).status == 200);
  CHECK(stage.upload("other bytes", metadata("3.0.0"), key("k")).status == 422);
  CHECK(stage.artifacts().count() == 1);
}

TEST_CASE("a refused upload leaves no bytes, unless somebody needs them") {
  ApiStage stage;
  CHECK(stage.upload("bytes", metadata("2.0.0")).status == 201);
  CHECK(stage.upload("other bytes", metadata("2.0.0")).status == 409);
  CHECK(stage.artifacts().count() == 1);
  // The same refused bytes are those of another firmware.
  CHECK(stage.upload("other bytes", metadata("3.0.0")).status == 201);
  CHECK(stage.upload("other bytes", metadata("2.0.0")).status == 409);
  CHECK(stage.artifacts().count() == 2);
  CHECK(stage.upload("other bytes", metadata("3.0.0", "SF-200")).status == 201);
  CHECK(stage.artifacts().count() == 2);
}

TEST_CASE("the bytes of every registered firmware are there, whoever was refused beside it") {
  ApiStage stage;
  REQUIRE(stage.upload("taken", metadata("1.0.0")).status == 201);
  for (int round = 0; round < 20; ++round) {
    const std::string bytes = "bytes of round " + std::to_string(round);
    auto refused = std::async(std::launch::async,
                              [&] { return stage.upload(bytes, metadata("1.0.0")).status; });
    const auto accepted = stage.upload(bytes, metadata("2." + std::to_string(round) + ".0"));
    REQUIRE(accepted.status == 201);
    CHECK(refused.get() == 409);
    const std::string id = accepted.json()["firmware_id"];
    CHECK(stage.admin("GET", "/firmware/" + id + "/content").status == 200);
  }
  CHECK(stage.artifacts().count() == 21);
}

TEST_CASE("what would not fit into a campaign's event is refused with its size") {
  ApiStage stage;
  const auto firmware = stage.firmware("2.0.0");
  stage.device("d");
  const auto create = [&](const json& more) {
    json body{{"name", "test"}, {"firmware_id", firmware}, {"target_devices", {"d"}}};
    body.update(more);
    return stage.admin("POST", "/campaigns", body.dump());
  };
  std::vector<std::string> serials(8'000, "serial");
  const auto filter =
      create({{"target_filters", {{"attributes", {{"serial", {{"in", serials}}}}}}}});
  CHECK(filter.faults() == "target_filters: too_long\n");
  CHECK(filter.body.find("65536") != std::string::npos);
  // 600 groups of 128 bytes.
  const auto groups =
      create({{"target_groups", std::vector<std::string>(600, std::string(128, 'g'))}});
  CHECK(groups.faults() == "target_groups: too_long\n");
  CHECK(groups.body.find("76800") != std::string::npos);

  const std::vector<std::string> many(5, std::string(900, 'c'));
  const auto commands = create({{"pre_update_commands", many}, {"post_update_commands", many}});
  CHECK(commands.faults() == "pre_update_commands: too_long\npost_update_commands: too_long\n");
  CHECK(commands.body.find("at most 4096 bytes together, got 4500") != std::string::npos);
  const auto direct =
      stage.admin("POST", "/devices/d/update",
                  json{{"firmware_id", firmware}, {"pre_update_commands", many}}.dump());
  CHECK(direct.faults() == "pre_update_commands: too_long\n");

  const std::vector<std::string> some(4, std::string(1'000, 'c'));
  CHECK(create({{"pre_update_commands", some},
                {"post_update_commands", some},
                {"target_groups", std::vector<std::string>(500, std::string(128, 'g'))}})
            .status == 201);
}
