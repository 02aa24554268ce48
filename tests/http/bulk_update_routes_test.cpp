// POST /devices/bulk/update over HTTP: decisions 6 and 9, and no effect twice (design 2).
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <set>

#include "http/commands.hpp"
#include "http/limits.hpp"
#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

constexpr const char* kBulkPath = "/devices/bulk/update";

struct Bulk : Story {
  explicit Bulk(std::initializer_list<const char*> devices) {
    for (const auto* id : devices) stage.device(id);
  }
  ApiAnswer ask(const json& devices, json fields = json::object(), const std::string& key = "") {
    return stage.admin("POST", kBulkPath, body(devices, std::move(fields)), key.empty() ? "" : "Idempotency-Key: " + key + "\r\n");
  }
  std::string body(const json& devices, json fields = json::object()) {
    if (!fields.contains("firmware_id")) fields["firmware_id"] = v2;
    fields["device_ids"] = devices;
    return fields.dump();
  }
  json results(const ApiAnswer& answer) {
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    CHECK(answer.json()["total"] == answer.json()["results"].size());
    return answer.json()["results"];
  }
  // How many updates a device has ever had.
  std::size_t updates_of(const std::string& device) { return get("/devices/" + device + "/updates")["updates"].size(); }
};

TEST_CASE("S3/bulk: one answer for each device in the order asked, and each update is as asked") {
  Bulk bulk{"a", "b", "c"};
  const auto results = bulk.results(bulk.ask({"c", "nobody", "a", "b"}, {{"priority", "high"},
                                                                         {"max_retries", 1},
                                                                         {"timeout_minutes", 7},
                                                                         {"pre_update_commands", {"sync"}}}));
  REQUIRE(results.size() == 4);
  std::set<std::string> ids;
  for (const std::size_t at : {0, 2, 3}) {
    CHECK(results[at]["success"] == true);
    CHECK_FALSE(results[at].contains("error"));
    ids.insert(results[at]["update_id"].get<std::string>());
  }
  CHECK(ids.size() == 3);
  CHECK(results[0]["device_id"] == "c");
  CHECK(results[1] == json{{"device_id", "nobody"}, {"success", false}, {"kind", "NotFound"},
                           {"error", "Device not found: nobody"}});
  const auto update = bulk.get("/updates/" + results[2]["update_id"].get<std::string>());
  CHECK(update["device_id"] == "a");
  CHECK(update["priority"] == "high");
  CHECK(update["max_retries"] == 1);
  CHECK(update["to_version"] == "2.0.0");
  CHECK(update["status"] == "scheduled");
  bulk.update("a", kSucceeded);
  CHECK(bulk.firmware_version("a") == "2.0.0");
}

TEST_CASE("S3/bulk: a device's error is the problem that a single request for it has") {
  Bulk bulk{"fine", "pending"};
  REQUIRE(bulk.post("/devices/pending/update", {{"firmware_id", bulk.v2}}).status == 201);
  REQUIRE(bulk.stage.admin("PUT", "/devices/other", R"({"device_model":"XL-9"})").status == 201);
  REQUIRE(bulk.stage.admin("PUT", "/devices/newer", R"({"device_model":"SF-100","firmware_version":"3.0.0"})").status == 201);
  bulk.stage.device("gone");
  REQUIRE(bulk.stage.admin("DELETE", "/devices/gone").status == 200);
  const json devices{"pending", "other", "newer", "gone", "fine"};
  const auto results = bulk.results(bulk.ask(devices));
  std::map<std::string, std::string> kinds;
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(results[i].dump());
    const auto single = bulk.post("/devices/" + devices[i].get<std::string>() + "/update", {{"firmware_id", bulk.v2}}).json();
    CHECK(results[i]["success"] == false);
    CHECK(results[i]["error"] == single["message"]);
    CHECK(results[i]["kind"] == single["error"]);
    kinds[devices[i]] = results[i]["kind"];
  }
  CHECK(kinds == std::map<std::string, std::string>{{"pending", "Duplicate"},
                                                    {"other", "StateTransition"},
                                                    {"newer", "StateTransition"},
                                                    {"gone", "NotFound"}});
  CHECK(results[4]["success"] == true);
}

TEST_CASE("decision 6: beta firmware needs the opt-in of the request or of the device's owner, device by device") {
  Bulk bulk{"a"};
  REQUIRE(bulk.stage.admin("PUT", "/devices/fan", R"({"device_model":"SF-100","user_id":"ada"})").status == 201);
  REQUIRE(bulk.stage.admin("PUT", "/users/ada/firmware-preferences", R"({"beta_opt_in":true})").status == 200);
  auto fields = metadata("3.0.0-beta");
  fields["is_beta"] = true;
  const std::string beta = bulk.stage.upload("beta", fields).json()["firmware_id"];
  const auto results = bulk.results(bulk.ask({"a", "fan"}, {{"firmware_id", beta}}));
  CHECK(results[0]["kind"] == "ValidationError");
  CHECK(results[0]["error"].get<std::string>().find("Beta firmware requires explicit opt-in") != std::string::npos);
  CHECK(results[1]["success"] == true);
  CHECK(bulk.results(bulk.ask({"a"}, {{"firmware_id", beta}, {"allow_beta", true}}))[0]["success"] == true);
}

TEST_CASE("S3/bulk: what is wrong with the request is 422 and names the field, and nothing is done") {
  Bulk bulk{"a"};
  const auto faults = [&](const json& devices, const json& fields = json::object()) {
    const auto answer = bulk.ask(devices, fields);
    CHECK(answer.status == 422);
    return answer.faults();
  };
  CHECK(faults(json::array()) == "device_ids: too_short\n");
  CHECK(bulk.ask(json::array()).body.find("at least 1 device, got 0") != std::string::npos);
  json many = json::array();
  for (std::size_t i = 0; i <= limits::kBulkDevices; ++i) many.push_back(std::to_string(i));
  CHECK(faults(many) == "device_ids: too_long\n");
  CHECK(bulk.ask(many).body.find("10001") != std::string::npos);
  CHECK(bulk.stage.admin("POST", kBulkPath, R"({"firmware_id":")" + bulk.v2 + "\"}").faults() == "device_ids: missing\n");
  CHECK(faults("a") == "device_ids: list_type\n");
  CHECK(faults({"a"}, {{"priority", "urgent"}, {"max_retries", 11}}) == "priority: enum\nmax_retries: less_than_equal\n");
  const auto ids = bulk.ask({"a", 7, "", "x\ny", std::string(257, 'z')});
  CHECK(ids.status == 422);
  const auto texts = ids.json()["detail"];
  REQUIRE(texts.size() == 4);                // all of them, each at its place and with its value
  CHECK(texts[0]["loc"] == json({"body", "device_ids", 1}));
  CHECK(texts[0]["msg"] == "must be a string, got 7");
  CHECK(texts[1]["type"] == "string_too_short");
  CHECK(texts[2]["type"] == "string_pattern_mismatch");
  CHECK(texts[2]["msg"] == "holds a control character: 'x\ny'");
  CHECK(texts[3]["type"] == "string_too_long");
  CHECK(bulk.stage.admin("POST", kBulkPath, "{").status == 400);
  CHECK(bulk.updates_of("a") == 0);
}

TEST_CASE("S3/bulk: firmware that no device can be given refuses the request") {
  Bulk bulk{"a"};
  const auto unknown = bulk.ask({"a"}, {{"firmware_id", std::string(32, '0')}});
  CHECK(unknown.status == 404);
  CHECK(unknown.body.find("Firmware not found") != std::string::npos);
  REQUIRE(bulk.post("/firmware/" + bulk.v2 + "/deprecate").status == 200);
  CHECK(bulk.ask({"a"}).status == 409);
  CHECK(bulk.updates_of("a") == 0);
}

TEST_CASE("S3/bulk: a device that is named twice is asked once, and both entries tell what became of it") {
  for (const std::string key : {"", "with-a-key"}) {
    Bulk bulk{"a", "b"};
    const auto results = bulk.results(bulk.ask({"a", "b", "a", "nobody", "nobody"}, json::object(), key));
    REQUIRE(results.size() == 5);
    CHECK(results[0]["success"] == true);
    CHECK(results[2] == results[0]);
    CHECK(results[4] == results[3]);
    CHECK(bulk.updates_of("a") == 1);
  }
}

TEST_CASE("S3/bulk: a request that is repeated under its key answers the same updates and has no second effect") {
  Bulk bulk{"a", "b"};
  const auto first = bulk.results(bulk.ask({"a", "nobody", "b"}, json::object(), "k"));
  const auto head = bulk.stage.service().log().head();
  CHECK(bulk.results(bulk.ask({"a", "nobody", "b"}, json::object(), "k")) == first);
  CHECK(bulk.stage.service().log().head() == head);
  // Whatever has become of the updates and of their firmware.
  REQUIRE(bulk.post("/updates/" + first[0]["update_id"].get<std::string>() + "/cancel").status == 200);
  REQUIRE(bulk.post("/firmware/" + bulk.v2 + "/recall", {{"reason", "bad"}}).status == 200);
  const auto again = bulk.results(bulk.ask({"a", "nobody", "b"}, json::object(), "k"));
  CHECK(again[0] == first[0]);
  CHECK(again[2] == first[2]);
  CHECK(bulk.updates_of("a") == 1);
  // Another key is another request, and another caller's key as well.
  CHECK(bulk.ask({"a"}, json::object(), "other").status == 409);
}

TEST_CASE("S3/bulk: another body under the same key is 422, whichever devices it names, and has no effect") {
  Bulk bulk{"a", "b", "c"};
  REQUIRE(bulk.ask({"a", "b"}, json::object(), "k").status == 200);
  const auto head = bulk.stage.service().log().head();
  for (const auto& other : {bulk.ask({"b", "a"}, json::object(), "k"), bulk.ask({"a", "b", "c"}, json::object(), "k"),
                            bulk.ask({"c"}, json::object(), "k"), bulk.ask({"a", "b"}, {{"priority", "low"}}, "k"),
                            bulk.stage.admin("POST", "/devices/c/update", json{{"firmware_id", bulk.v2}}.dump(),
                                             "Idempotency-Key: k\r\n")}) {
    CHECK(other.status == 422);
    CHECK(other.faults() == "Idempotency-Key: idempotency_key_reused\n");
  }
  CHECK(bulk.stage.service().log().head() == head);
}

TEST_CASE("S3/bulk: behind an end in the middle the repeat answers what was done and does the rest") {
  Bulk bulk{"a", "b", "c"};
  // What a request leaves behind that the service did not survive: the key, and the first device's command.
  auto& service = bulk.stage.service();
  const auto body = bulk.body({"a", "b", "c"});
  actors::Meta meta;
  meta.repeatable = true;
  meta.status = 200;
  meta.request = hash_of({"POST", " ", std::string("/api/v1/ota") + kBulkPath, "\n", body});
  const auto half_of = [](const eventstore::Hash& hash) {
    eventstore::CommandId id;
    std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
    return id;
  };
  const std::string nobody(8, '\0');
  meta.command = half_of(hash_of({nobody, "k"}));
  REQUIRE(service.remember(meta).ok());
  meta.command = half_of(hash_of({nobody, "k", "\n", "b"}));
  const auto done = domain::UpdateId::direct(actors::new_uuid(service.now()));
  domain::UpdatePlan plan;
  plan.firmware = *domain::parse_firmware_id(bulk.v2);
  plan.to_version = "2.0.0";
  REQUIRE(service.device({"b"}, domain::RequestUpdate{done, {"b"}, plan}, meta).ok());

  const auto results = bulk.results(bulk.ask({"a", "b", "c"}, json::object(), "k"));
  CHECK(results[1] == json{{"device_id", "b"}, {"success", true}, {"update_id", domain::to_text(done)}});
  CHECK(results[0]["success"] == true);
  CHECK(results[2]["success"] == true);
  CHECK(bulk.updates_of("b") == 1);
  CHECK(bulk.results(bulk.ask({"a", "b", "c"}, json::object(), "k")) == results);
  for (const auto* device : {"a", "b", "c"}) CHECK(bulk.updates_of(device) == 1);
  CHECK(bulk.ask({"c"}, json::object(), "k").status == 422);
}

TEST_CASE("S3/bulk: behind an end in the middle, with firmware recalled since, what was done is answered and the rest refused") {
  Bulk bulk{"a", "b"};
  auto& service = bulk.stage.service();
  actors::Meta meta;
  meta.repeatable = true;
  meta.request = hash_of({"POST", " ", std::string("/api/v1/ota") + kBulkPath, "\n", bulk.body({"a", "b"})});
  meta.command = command_for({}, "k", {"a"});
  const auto done = domain::UpdateId::direct(actors::new_uuid(service.now()));
  domain::UpdatePlan plan;
  plan.firmware = *domain::parse_firmware_id(bulk.v2);
  plan.to_version = "2.0.0";
  REQUIRE(service.device({"a"}, domain::RequestUpdate{done, {"a"}, plan}, meta).ok());
  REQUIRE(bulk.post("/firmware/" + bulk.v2 + "/recall", {{"reason", "bad"}}).status == 200);
  const auto results = bulk.results(bulk.ask({"a", "b"}, json::object(), "k"));
  CHECK(results[0]["update_id"] == domain::to_text(done));
  CHECK(results[1]["kind"] == "StateTransition");
}

TEST_CASE("S3/bulk: thousands of devices are asked in one request") {
  Story story;
  constexpr std::size_t kDevices = 5'000;
  std::string file = "device_id,device_model,firmware_version\n";
  json devices = json::array();
  for (std::size_t i = 0; i < kDevices; ++i) {
    file += fmt::format("d-{},SF-100,1.0.0\n", i);
    devices.push_back(fmt::format("d-{}", i));
  }
  REQUIRE(story.stage.import("text/csv", file).status == 200);
  const auto answer = story.post(kBulkPath, {{"device_ids", devices}, {"firmware_id", story.v2}}).json();
  std::set<std::string> updates;
  std::size_t in_order = 0;
  for (std::size_t i = 0; i < kDevices; ++i) {
    const auto& result = answer["results"][i];
    in_order += result["device_id"] == devices[i] ? 1 : 0;
    updates.insert(result.value("update_id", ""));
  }
  CHECK(in_order == kDevices);
  CHECK(updates.size() == kDevices);
  CHECK_FALSE(updates.contains(""));
  CHECK(story.get("/stats")["pending_updates"] == kDevices);
}

}  // namespace
}  // namespace ota::http::test
