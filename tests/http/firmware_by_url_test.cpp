// Firmware whose bytes are held elsewhere, over the routes: registered by URL, waited for, there or failed (decision 29).
#include <doctest/doctest.h>

#include "http/commands.hpp"
#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

const std::string kFile = "the bytes of a frame";
const std::string kUrl = "https://files.example/frames/frame.bin?token=17";
constexpr const char* kJson = "Content-Type: application/json\r\n";

struct FakeFetcher final : actors::ContentFetcher {
  std::optional<actors::FetchState> state(domain::FirmwareId) const override { return told; }
  std::optional<actors::FetchState> told = actors::FetchState{};
};

ApiOptions with(const actors::ContentFetcher* fetcher) {
  auto options = ApiStage::open_to_devices();
  options.fetcher = fetcher;
  return options;
}

std::string hex(const auto& bytes) { return domain::to_hex(domain::view_of(bytes)); }

json by_url(const std::string& version = "2.0.0", const std::string& url = kUrl) {
  auto fields = metadata(version);
  fields["file_url"] = url;
  fields["file_size"] = kFile.size();
  fields["checksum_sha256"] = hex(hash_of({kFile}));
  return fields;
}

struct Elsewhere {
  FakeFetcher fetcher;
  ApiStage stage{with(&fetcher)};

  ApiAnswer post(const json& fields, const std::string& more = "") {
    return stage.admin("POST", "/firmware", fields.dump(), kJson + more);
  }
  std::string registered(const json& fields = by_url()) {
    const auto answer = post(fields);
    REQUIRE_MESSAGE(answer.status == 201, answer.body);
    return answer.json()["firmware_id"];
  }
  std::string staying_elsewhere() {
    auto fields = by_url();
    fields["fetch"] = false;
    return registered(fields);
  }
  json show(const std::string& id) { return stage.admin("GET", "/firmware/" + id).json(); }
  ApiAnswer content(const std::string& id) { return stage.admin("GET", "/firmware/" + id + "/content"); }
  ApiAnswer download(const std::string& id) { return stage.admin("GET", "/firmware/" + id + "/download"); }

  // What the fetcher does when all of it has come.
  void bring(const std::string& id) {
    const auto upload = stage.artifacts().begin_upload();
    upload->write(kFile);
    const auto digests = upload->finish();
    upload->commit();
    command(id, domain::StoreContent{digests.md5, digests.sha1, digests.sha256, digests.size});
  }
  void command(const std::string& id, domain::FirmwareCommand command) {
    const auto answer = stage.service().firmware(*domain::parse_firmware_id(id), std::move(command), {});
    REQUIRE(answer.ok());
  }
  bool is_offered(const std::string& device) {
    const auto poll = stage.ddi("GET", "/" + device).json();
    return poll.contains("_links") && poll["_links"].contains("deploymentBase");
  }
  // "content: <why>" if that is the first gate that is closed.
  std::string closed(const std::string& device) {
    const auto why = stage.admin("GET", "/devices/" + device + "/why").json();
    for (const auto& gate : why["updates"][0]["gates"]) {
      if (!gate["open"].get<bool>()) return gate["gate"].get<std::string>() + ": " + gate["fact"].get<std::string>();
    }
    return "";
  }
};

TEST_CASE("decision 29: a firmware is registered by URL, and its content is pending") {
  Elsewhere e;
  auto fields = by_url();
  fields["tags"] = {"stable"};
  fields["checksum_md5"] = std::string(32, 'A');
  const auto created = e.post(fields);
  REQUIRE_MESSAGE(created.status == 201, created.body);
  const auto firmware = created.json();
  const std::string id = firmware["firmware_id"];
  CHECK(firmware["content"] == "pending");
  CHECK(firmware["content_error"].is_null());
  CHECK(firmware["content_received"] == 0);
  CHECK(firmware["source_url"] == kUrl);
  CHECK(firmware["fetch"] == true);
  CHECK(firmware["file_url"] == "/api/v1/ota/firmware/" + id + "/content");
  CHECK(firmware["file_name"] == "frame.bin");
  CHECK(firmware["file_size"] == kFile.size());
  CHECK(firmware["checksum_sha256"] == fields["checksum_sha256"]);
  CHECK(firmware["checksum_md5"] == std::string(32, 'a'));
  CHECK(firmware["tags"] == fields["tags"]);
  CHECK(firmware["status"] == "available");
  CHECK(e.stage.artifacts().count() == 0);
  CHECK(e.stage.admin("GET", "/firmware?content=pending").json()["count"] == 1);
  CHECK(e.stage.admin("GET", "/firmware?content=here").json()["count"] == 0);
  CHECK(e.stage.admin("GET", "/firmware?content=lost").faults() == "content: enum\n");
}

TEST_CASE("decision 29: what the fetcher knows is shown, and then the content is here") {
  Elsewhere e;
  const auto id = e.registered();
  CHECK(e.show(id)["checksum_md5"].is_null());
  e.fetcher.told = actors::FetchState{false, 7, "the source answered HTTP 503", std::chrono::seconds(32)};
  CHECK(e.show(id)["content_received"] == 7);
  CHECK(e.show(id)["content_error"] == "the source answered HTTP 503");
  for (const auto& early : {e.content(id), e.download(id)}) {
    CHECK(early.status == 503);
    CHECK(early.header("Retry-After") == "32");
    CHECK(early.body.find("HTTP 503") != std::string::npos);
    CHECK(early.body.find("token") == std::string::npos);
  }
  e.fetcher.told = actors::FetchState{true, 19, "", std::chrono::seconds(0)};
  CHECK(e.content(id).header("Retry-After") == "2");
  e.fetcher.told.reset();
  e.bring(id);
  const auto here = e.show(id);
  CHECK(here["content"] == "here");
  CHECK(here["content_error"].is_null());
  CHECK(here["content_received"] == kFile.size());
  CHECK(here["source_url"] == kUrl);
  CHECK(here["checksum_md5"].get<std::string>().size() == 32);
  CHECK(e.content(id).status == 200);
  CHECK(e.content(id).header("ETag") == '"' + hex(hash_of({kFile})) + '"');
  CHECK(e.download(id).json()["download_url"].get<std::string>().ends_with("/firmware/" + id + "/content"));
  // An upload has no source.
  const auto uploaded = e.show(e.stage.firmware("3.0.0"));
  CHECK(uploaded["content"] == "here");
  CHECK(uploaded["source_url"].is_null());
  CHECK(uploaded["fetch"].is_null());
}

TEST_CASE("decision 29: content that failed is told with its reason, and looked for anew when it is registered once more") {
  Elsewhere e;
  const auto id = e.registered();
  e.command(id, domain::GiveUpContent{kUrl, "the source answered HTTP 404"});
  CHECK(e.show(id)["content"] == "failed");
  CHECK(e.show(id)["content_error"] == "the source answered HTTP 404");
  CHECK(e.stage.admin("GET", "/firmware?content=failed").json()["count"] == 1);
  for (const auto& refused : {e.content(id), e.download(id)}) {
    CHECK(refused.status == 409);
    CHECK(refused.json()["detail"]["current_state"] == "failed");
    CHECK(refused.body.find("HTTP 404") != std::string::npos);
  }
  const auto again = e.post(by_url("2.0.0", "https://mirror.example/frame.bin"));
  CHECK(again.status == 200);
  CHECK(again.json()["firmware_id"] == id);
  CHECK(again.json()["content"] == "pending");
  CHECK(again.json()["source_url"] == "https://mirror.example/frame.bin");
}

TEST_CASE("decision 29: with fetch false the content stays where it is, and requests are sent there") {
  Elsewhere e;
  auto fields = by_url();
  fields["fetch"] = false;
  const auto id = e.registered(fields);
  const auto firmware = e.show(id);
  CHECK(firmware["content"] == "pending");
  CHECK(firmware["content_error"].is_null());
  CHECK(firmware["fetch"] == false);
  CHECK(firmware["file_url"] == kUrl);
  CHECK(e.content(id).status == 302);
  CHECK(e.content(id).header("Location") == kUrl);
  CHECK(e.content(id).header("Cache-Control") == "no-store");
  CHECK(e.download(id).status == 200);
  CHECK(e.download(id).json()["download_url"] == kUrl);
}

TEST_CASE("decision 29: a service that does not fetch says so") {
  ApiStage stage;
  const auto created = stage.admin("POST", "/firmware", by_url().dump(), kJson);
  REQUIRE(created.status == 201);
  CHECK(created.json()["content_error"] == "fetching is switched off (firmware.fetch)");
  const auto content = stage.admin("GET", "/firmware/" + created.json()["firmware_id"].get<std::string>() + "/content");
  CHECK(content.status == 503);
  CHECK(content.header("Retry-After") == "600");
}

TEST_CASE("decision 1: the same bytes are the firmware that is there, wherever they come from; others are refused") {
  Elsewhere e;
  const auto id = e.registered();
  CHECK(e.post(by_url()).status == 200);
  auto other = by_url();
  other["checksum_sha256"] = std::string(64, 'a');
  CHECK(e.post(other).status == 409);
  other = by_url();
  other["file_size"] = 21;
  CHECK(e.post(other).status == 409);
  CHECK(e.stage.upload("other bytes", metadata("2.0.0")).status == 409);
  CHECK(e.stage.artifacts().count() == 0);
  // Under another name, too.
  auto renamed = by_url("2.0.0", "https://mirror.example/frame.bin");
  renamed["name"] = "Frames";
  const auto same = e.post(renamed);
  CHECK(same.status == 200);
  CHECK(same.json()["firmware_id"] == id);
  CHECK(same.json()["source_url"] == "https://mirror.example/frame.bin");
  renamed["file_size"] = 21;
  CHECK(e.post(renamed).status == 409);
}

TEST_CASE("decision 29: an upload of the registered bytes is the content, under whatever name it comes") {
  for (const char* name : {"Frame", "Frames"}) {
    CAPTURE(name);
    Elsewhere e;
    const auto id = e.registered();
    auto fields = metadata("2.0.0");
    fields["name"] = name;
    const auto uploaded = e.stage.upload(kFile, fields);
    CHECK(uploaded.status == 200);
    CHECK(uploaded.json()["firmware_id"] == id);
    CHECK(uploaded.json()["content"] == "here");
    CHECK(e.content(id).status == 200);
    CHECK(e.post(by_url()).status == 200);
  }
}

TEST_CASE("an answer that was lost is given again, and a key is not used twice") {
  Elsewhere e;
  const std::string key = "Idempotency-Key: once\r\n";
  const auto first = e.post(by_url(), key);
  CHECK(first.status == 201);
  const auto again = e.post(by_url(), key);
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(e.post(by_url("3.0.0"), key).status == 422);
  CHECK(e.stage.admin("GET", "/firmware").json()["count"] == 1);
}

TEST_CASE("BR-OTA-001, 002, 003, 006: what a registration by URL must say") {
  Elsewhere e;
  const auto faults = [&](const char* name, const json& value) {
    auto fields = by_url();
    fields[name] = value;
    const auto answer = e.post(fields);
    return std::to_string(answer.status) + " " + (answer.status == 422 ? answer.faults() : "");
  };
  for (const char* name : {"file_url", "file_size", "checksum_sha256", "name", "version", "device_model", "manufacturer"}) {
    CAPTURE(name);
    CHECK(faults(name, nullptr) == "422 " + std::string(name) + ": missing\n");
  }
  CHECK(e.post(json::object()).faults() ==
        "file_url: missing\nname: missing\nversion: missing\ndevice_model: missing\nmanufacturer: missing\nfile_size: missing\n"
        "checksum_sha256: missing\n");
  CHECK(faults("file_url", "ftp://files.example/f.bin") == "422 file_url: value_error\n");
  CHECK(faults("file_url", "https://ada:secret@files.example/f.bin") == "422 file_url: value_error\n");
  CHECK(faults("file_url", "https://files.example/" + std::string(2'048, 'f') + ".bin") == "422 file_url: string_too_long\n");
  CHECK(faults("file_url", 7) == "422 file_url: string_type\n");
  CHECK(faults("checksum_sha256", std::string(63, 'a')) == "422 checksum_sha256: string_too_short\n");
  CHECK(faults("checksum_sha256", std::string(64, 'g')) == "422 checksum_sha256: string_pattern_mismatch\n");
  CHECK(faults("checksum_md5", "12") == "422 checksum_md5: string_too_short\n");
  CHECK(faults("file_size", 0) == "422 file_size: greater_than_equal\n");
  CHECK(faults("fetch", "no") == "422 fetch: bool_type\n");
  CHECK(faults("file_size", 524'288'001) == "400 ");
  CHECK(faults("file_size", 524'288'000) == "201 ");
  for (const char* url : {"https://files.example/f.exe", "https://files.example/f?x=f.bin", "https://files.example/f.bin/",
                          "https://files.example/a%00.bin", "https://files.example"}) {
    CAPTURE(url);
    const auto refused = e.post(by_url("3.0.0", url));
    CHECK(refused.status == 400);
    CHECK(refused.body.find("Unsupported file format") != std::string::npos);
  }
  CHECK(e.post(by_url("3.0.0", "https://files.example/a%2Fb.BIN")).json()["file_name"] == "b.BIN");
  CHECK(e.stage.admin("POST", "/firmware", "{", kJson).status == 400);
  CHECK(e.stage.admin("POST", "/firmware", "bytes", "Content-Type: application/octet-stream\r\n").status == 400);
  CHECK(e.stage.admin("POST", "/firmware", by_url().dump() + std::string(1024 * 1024, ' '), kJson).status == 413);
}

TEST_CASE("decision 29: a campaign waits for the content, and goes on by itself when it comes") {
  Elsewhere e;
  const auto id = e.registered();
  e.stage.device("d");
  const auto campaign = e.stage.campaign(id, {"d"});
  CHECK_FALSE(e.is_offered("d"));
  CHECK(e.closed("d") ==
        "content: the content of firmware Frame 2.0.0 is not here yet: it is fetched from https://files.example/frames/frame.bin");
  e.command(id, domain::GiveUpContent{kUrl, "the source answered HTTP 404"});
  CHECK_FALSE(e.is_offered("d"));
  CHECK(e.closed("d") == "content: the content of firmware Frame 2.0.0 could not be fetched: the source answered HTTP 404");
  e.bring(id);
  CHECK_FALSE(e.stage.offered("d").empty());
  CHECK(e.stage.admin("GET", "/campaigns/" + campaign).json()["in_progress_devices"] == 1);
}

TEST_CASE("decision 29: a direct update waits for the content, and goes on by itself when it comes") {
  Elsewhere e;
  const auto id = e.registered();
  e.stage.device("d");
  const auto asked = e.stage.admin("POST", "/devices/d/update", json{{"firmware_id", id}}.dump());
  REQUIRE_MESSAGE(asked.status == 201, asked.body);
  CHECK_FALSE(e.is_offered("d"));
  CHECK(e.closed("d").find("content: the content of firmware Frame 2.0.0 is not here yet") == 0);
  CHECK(e.stage.admin("GET", "/updates/" + asked.json()["update_id"].get<std::string>()).json()["waiting_for"] == "content");
  e.bring(id);
  CHECK_FALSE(e.stage.offered("d").empty());
  const auto path = "/d/deploymentBase/" + e.stage.offered("d");
  const auto artifact = e.stage.ddi("GET", path).json()["deployment"]["chunks"][0]["artifacts"][0];
  CHECK(artifact["filename"] == "frame.bin");
  CHECK(artifact["size"] == kFile.size());
  CHECK(artifact["hashes"]["md5"] == e.show(id)["checksum_md5"]);
}

TEST_CASE("decision 29: firmware that stays elsewhere is offered to nobody who polls, and `why` says so") {
  Elsewhere e;
  const auto id = e.staying_elsewhere();
  e.stage.device("d");
  e.stage.campaign(id, {"d"});
  CHECK_FALSE(e.is_offered("d"));
  CHECK(e.closed("d") ==
        "content: firmware Frame 2.0.0 stays at https://files.example/frames/frame.bin (\"fetch\": false): it is never offered to "
        "devices that poll");
  // Until somebody brings the bytes after all.
  CHECK(e.stage.upload(kFile, metadata("2.0.0")).status == 200);
  CHECK_FALSE(e.stage.offered("d").empty());
}

TEST_CASE("decision 29: what stays elsewhere was granted to a device over MQTT, and is not offered to it when it polls") {
  Elsewhere e;
  const auto id = e.staying_elsewhere();
  e.stage.device("d");
  REQUIRE(e.stage.service().device({"d"}, domain::SetPush{true}, {}).ok());
  const auto campaign = e.stage.campaign(id, {"d"});
  CHECK_FALSE(e.is_offered("d"));
  const auto granted = [&] { return e.stage.service().views().polls().find("d")->active; };
  REQUIRE(ApiStage::eventually([&] {
    CHECK_FALSE(e.is_offered("d"));
    return granted().value != 0;
  }));
  CHECK(e.stage.ddi("GET", "/d/deploymentBase/" + std::to_string(granted().value)).status == 404);
  const auto update = e.stage.admin("GET", "/campaigns/" + campaign + "/updates").json()["updates"][0];
  CHECK(update["status"] == "in_progress");
  CHECK(update["started_at"].is_null());  // nor has the attempt begun
  // With the bytes here it may have them in either way.
  CHECK(e.stage.upload(kFile, metadata("2.0.0")).status == 200);
  CHECK(e.is_offered("d"));
}

TEST_CASE("decision 29: what stays elsewhere and waits for consent is not shown to who polls") {
  Elsewhere e;
  const auto id = e.staying_elsewhere();
  e.stage.device("d");
  REQUIRE(e.stage.service().device({"d"}, domain::SetPush{true}, {}).ok());
  const json asked{{"name", "consent"}, {"firmware_id", id}, {"target_devices", {"d"}}, {"requires_device_confirmation", true}};
  const auto created = e.stage.admin("POST", "/campaigns", asked.dump());
  REQUIRE_MESSAGE(created.status == 201, created.body);
  REQUIRE(e.stage.admin("POST", "/campaigns/" + created.json()["campaign_id"].get<std::string>() + "/start").status == 200);
  const auto is_asked = [&] { return e.stage.ddi("GET", "/d").json().value("_links", json::object()).contains("confirmationBase"); };
  REQUIRE(ApiStage::eventually([&] {
    CHECK_FALSE(is_asked());
    return e.stage.service().views().polls().find("d")->consent.value != 0;
  }));
  CHECK_FALSE(is_asked());
  CHECK_FALSE(e.stage.ddi("GET", "/d/confirmationBase").json()["_links"].contains("confirmationBase"));
}

TEST_CASE("decision 2, 29: recalled firmware is not fetched any more") {
  Elsewhere e;
  const auto id = e.registered();
  REQUIRE(e.stage.admin("POST", "/firmware/" + id + "/recall", R"({"reason":"bad"})").status == 200);
  CHECK(e.show(id)["content_error"].is_null());
  const auto content = e.content(id);
  CHECK(content.status == 409);
  CHECK(content.json()["detail"]["current_state"] == "recalled");
}

}  // namespace
}  // namespace ota::http::test
