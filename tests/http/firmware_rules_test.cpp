// The rules of firmware as they are met at the door: BR-OTA-002 to 009, BR-CON-004, decisions 1, 6 and 28.
#include <doctest/doctest.h>

#include "domain/ids.hpp"
#include "http/firmware_request.hpp"
#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

struct Reading {
  int status = 200;
  std::string body;
  domain::FirmwareRegistered record;
};

// What is made of a file of nine bytes.
Reading read(const json& metadata, const std::string& file_name = "f.bin",
             const std::vector<std::string>& extra_formats = {}) {
  actors::ArtifactDigests digests;
  digests.md5.fill(0xab);
  digests.sha256.fill(0xcd);
  digests.size = 9;
  FieldErrors errors;
  auto made = read_firmware(metadata.dump(), file_name, digests, extra_formats, errors);
  if (const auto* problem = std::get_if<Problem>(&made)) {
    return {problem->status, problem->message + problem->detail.dump(), {}};
  }
  return {200, "", std::get<domain::FirmwareRegistered>(made)};
}

json with_field(const char* name, const json& value) {
  auto fields = metadata("2.0.0");
  fields[name] = value;
  return fields;
}

std::string repeated(std::size_t times, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST_CASE("BR-OTA-002, decision 28: a format is told by the extension, in any case of letters") {
  for (const char* name : {"f.bin", "f.hex", "f.elf", "f.tar.gz", "f.zip", "F.BIN", "v2.0.Tar.Gz"}) {
    CAPTURE(name);
    CHECK(read(metadata("2.0.0"), name).status == 200);
  }
  for (const char* name : {"f", "bin", ".bin", "f.gz", "f.tar", "f.exe", "f.bin.txt", "fbin", "f.swu", ""}) {
    CAPTURE(name);
    const auto refused = read(metadata("2.0.0"), name);
    CHECK(refused.status == 400);
    CHECK(refused.body.find("Unsupported file format") == 0);
  }
  CHECK(read(metadata("2.0.0"), "f.swu", {"raucb", "swu"}).status == 200);
  CHECK(read(metadata("2.0.0"), "f.bin", {"raucb", "swu"}).status == 200);
  CHECK(read(metadata("2.0.0"), "f.exe", {"raucb", "swu"}).status == 400);
}

TEST_CASE("BR-OTA-003: each checksum that is given must be that of the bytes") {
  const auto md5 = repeated(16, "ab");
  const auto sha256 = repeated(32, "CD");
  auto fields = with_field("checksum_md5", md5);
  fields["checksum_sha256"] = sha256;
  CHECK(read(fields).status == 200);
  CHECK(read(with_field("checksum_sha256", sha256)).status == 200);
  fields["checksum_sha256"] = repeated(32, "ce");
  const auto wrong = read(fields);
  CHECK(wrong.status == 422);
  CHECK(wrong.body.find("SHA256 checksum mismatch") == 0);
  CHECK(read(with_field("checksum_md5", repeated(16, "00"))).body.find("MD5 checksum mismatch") == 0);
}

TEST_CASE("BR-OTA-004: the id is made of name, version and model, and of nothing else") {
  const auto id = [](const json& fields) { return domain::to_text(read(fields).record.id); };
  CHECK(id(metadata("2.0.0")) == id(with_field("manufacturer", "Other")));
  CHECK(id(metadata("2.0.0")) != id(metadata("2.0.1")));
  CHECK(id(metadata("2.0.0")) != id(metadata("2.0.0", "SF-200")));
  CHECK(id(metadata("2.0.0")) != id(with_field("name", "Frames")));
  // printf 'Frame:2.0.0:SF-100' | sha256sum | cut -c1-32
  CHECK(id(metadata("2.0.0")) == "4ba4e0e9b75ef83b72c5a942926f3a25");
}

TEST_CASE("BR-OTA-006: what a firmware must say of itself, and how long that may be") {
  for (const char* name : {"name", "version", "device_model", "manufacturer"}) {
    CAPTURE(name);
    auto fields = metadata("2.0.0");
    fields.erase(name);
    const auto missing = read(fields);
    CHECK(missing.status == 422);
    CHECK(missing.body.find(name) != std::string::npos);
    CHECK(read(with_field(name, "")).status == 422);
  }
  CHECK(read(with_field("name", repeated(200, "n"))).status == 200);
  CHECK(read(with_field("name", repeated(201, "n"))).status == 422);
  CHECK(read(with_field("name", repeated(200, "\u00e9"))).status == 200);  // characters, not bytes
  CHECK(read(with_field("version", repeated(50, "1"))).status == 200);
  CHECK(read(with_field("version", repeated(51, "1"))).status == 422);
}

TEST_CASE("BR-OTA-007: tags and metadata come back as they were given") {
  ApiStage stage;
  auto fields = metadata("2.0.0");
  fields["tags"] = {"stable", "\u00e9t\u00e9"};
  fields["metadata"] = {{"build", 17}, {"by", {{"host", "ci-3"}}}, {"none", nullptr}};
  const auto created = stage.upload("bytes", fields);
  REQUIRE_MESSAGE(created.status == 201, created.body);
  const auto shown = stage.admin("GET", "/firmware/" + created.json()["firmware_id"].get<std::string>()).json();
  CHECK(shown["tags"] == fields["tags"]);
  CHECK(shown["metadata"] == fields["metadata"]);
  CHECK(stage.admin("GET", "/firmware?tag=stable").json()["count"] == 1);
  CHECK(stage.admin("GET", "/firmware?tag=beta").json()["count"] == 0);
  fields["tags"] = "stable";
  CHECK(stage.upload("other", fields).status == 422);
  fields["tags"] = json::array();
  fields["metadata"] = {1, 2};
  CHECK(stage.upload("other", fields).status == 422);
}

// A firmware with this flag set, and a device that it is news to.
struct Flagged : Story {
  explicit Flagged(const char* flag) {
    auto fields = metadata("3.0.0");
    fields[flag] = true;
    const auto created = stage.upload("flagged", fields);
    REQUIRE_MESSAGE(created.status == 201, created.body);
    id = created.json()["firmware_id"];
    stage.device("d");
  }
  ApiAnswer campaign(json fields) {
    fields["name"] = "flagged";
    fields["firmware_id"] = id;
    fields["target_devices"] = {"d"};
    return post("/campaigns", fields);
  }
  ApiAnswer direct(json fields) {
    fields["firmware_id"] = id;
    return post("/devices/d/update", fields);
  }
  std::string id;
};

TEST_CASE("BR-OTA-008, decision 6: a security update has at least priority high") {
  Flagged f("is_security_update");
  CHECK(f.get("/firmware?is_security_update=true")["count"] == 1);
  const auto raised = [&](const char* asked) { return f.campaign({{"priority", asked}}).json()["priority"]; };
  CHECK(raised("low") == "high");
  CHECK(raised("normal") == "high");
  CHECK(raised("high") == "high");
  CHECK(raised("critical") == "critical");
  CHECK(raised("emergency") == "emergency");
  const auto direct = f.direct({{"priority", "low"}});
  CHECK(direct.status == 201);
  CHECK(direct.json()["priority"] == "high");
}

TEST_CASE("BR-OTA-009, decision 6: beta firmware is rolled out to nobody who was not asked") {
  Flagged f("is_beta");
  for (const auto& refused : {f.campaign(json::object()), f.direct(json::object())}) {
    CHECK(refused.status == 422);
    CHECK(refused.body.find("Beta firmware requires explicit opt-in") != std::string::npos);
    CHECK(refused.faults() == "allow_beta: value_error\n");
  }
  CHECK(f.get("/campaigns")["count"] == 0);
  CHECK(f.get("/devices/d/updates")["total_updates"] == 0);
  CHECK(f.campaign({{"allow_beta", true}}).status == 201);
  CHECK(f.direct({{"allow_beta", true}}).status == 201);
}

TEST_CASE("decision 2: who runs a recalled firmware can be listed") {
  Story s;
  for (const char* device : {"has-it", "has-not"}) s.stage.device(device);
  s.started({"has-it"});
  s.update("has-it", kSucceeded);
  REQUIRE(s.post("/firmware/" + s.v2 + "/recall", {{"reason", "bricks"}}).status == 200);
  const auto listed = s.get("/devices?device_model=SF-100&firmware_version=2.0.0");
  CHECK(listed["count"] == 1);
  CHECK(listed["devices"][0]["device_id"] == "has-it");
}

TEST_CASE("BR-CON-004: what is deleted is deprecated, and can still be read") {
  Story s;
  s.stage.device("d");
  const auto path = "/firmware/" + s.v2;
  const auto campaign = s.started({"d"});
  REQUIRE(s.stage.admin("DELETE", path).status == 200);
  CHECK(s.get(path)["status"] == "deprecated");
  CHECK(s.stage.admin("GET", path + "/content").status == 200);
  CHECK(s.post("/campaigns", {{"name", "x"}, {"firmware_id", s.v2}, {"target_devices", {"d"}}}).status == 409);
  CHECK(s.get("/devices/d/why")["sentence"] == "Every gate is open: the device is granted when it asks next.");
  REQUIRE(s.post(campaign + "/cancel").status == 200);
  CHECK(s.get(campaign)["status"] == "cancelled");
  CHECK(s.get("/campaigns?status=cancelled")["count"] == 1);
  CHECK(s.post(path + "/restore").json()["status"] == "available");
}

}  // namespace
}  // namespace ota::http::test
