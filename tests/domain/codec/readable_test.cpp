// Events as people read them: no field of an event shows a number that is a word, or bytes that are an id.
#include "domain/codec/readable.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <regex>

#include "domain/codec/codec.hpp"
#include "tests/domain/examples.hpp"
#include "tests/domain/source_tree.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

std::string shown(const Event& event) { return to_json_text(event); }
Time at(std::int64_t seconds) { return Time(std::chrono::seconds(seconds)); }

}  // namespace

TEST_CASE("an event reads in words, dates and ids, and says nothing where it has nothing to say") {
  CHECK(shown(CampaignPaused{"weekend"}) == R"({"reason":"weekend","cause":"operator"})");
  CHECK(shown(CampaignStarted{}) == "{}");
  CHECK(shown(GrantLapsed{2, 0, true}) == R"({"attempt":2,"retry":true})");
  CHECK(shown(AttemptStarted{1, at(1'777'627'800), false, false, true}) ==
        R"({"attempt":1,"timeout_at":"2026-05-01T09:30:00.000000Z","released":false,"extended":false,"downloads_here":true})");
  CHECK(shown(UpdateCancelled{CancelCause::kNotSeen, 0, 0, false}) == R"({"cause":"not_seen","retry":false})");
  CHECK(shown(UpdateUndone{UpdateId::in_campaign({{0xab}}, {7}, 2)}) ==
        R"({"by":"upd_ab000000000000000000000000000000000000072"})");
}

TEST_CASE("a person is a token, which whoever knows the name puts it in the place of") {
  DeviceRegistered registered;
  registered.owner = {0x1234};
  CHECK(shown(registered).find(R"("owner":"user:0000000000001234")") != std::string::npos);
  for (const auto& [name, value] : readable(registered)) {
    if (name == "owner") CHECK(std::get<Caller>(value.value) == Caller{0x1234});
  }
  registered.owner = {};
  CHECK(shown(registered).find("owner") == std::string::npos);
  DeviceAttributesChanged changed;
  changed.owner = Caller{};  // it has none any more: that is said
  CHECK(shown(changed).find(R"("owner":"user:0000000000000000")") != std::string::npos);
}

TEST_CASE("a success has no kind of failure, and a set of devices is how many they are") {
  AttemptEnded ended;
  ended.success = true;
  CHECK(shown(ended).find("kind") == std::string::npos);
  ended.success = false;
  ended.kind = FailureKind::kTimeout;
  CHECK(shown(ended).find(R"("kind":"timeout")") != std::string::npos);
  CampaignTargetPart part{3, to_bytes(Bitmap::bitmapOf(3, 1, 2, 70'000))};
  CHECK(shown(part) == R"({"index":3,"targets":{"devices":3}})");
}

TEST_CASE("a word of a newer version is its number") {
  auto encoded = encode(CampaignClosed{});
  encoded.payload = "\x08\x63";
  CHECK(shown(*decode(encoded.type, encoded.payload)).starts_with(R"({"outcome":99)"));
}

TEST_CASE("a minute that no day has is its number") {
  UpdateRequested requested;
  requested.plan.maintenance_window = MaintenanceWindow{1'439, 5'000, "UTC"};
  CHECK(shown(requested).find(R"("maintenance_window":{"start_minute":"23:59","end_minute":5000,"timezone":"UTC"})") !=
        std::string::npos);
}

TEST_CASE("text of any kind is JSON text, and what was given as JSON can be told apart") {
  CHECK(shown(CampaignPaused{"\"a\\b\"\n\x01\x7f\xc3\xa4"}) ==
        "{\"reason\":\"\\\"a\\\\b\\\"\\u000a\\u0001\x7f\xc3\xa4\",\"cause\":\"operator\"}");
  FirmwareRegistered registered;
  registered.metadata_json = R"({"a":1})";
  for (const auto& [name, value] : readable(registered)) {
    if (name == "metadata_json") CHECK(std::get<JsonText>(value.value).text == R"({"a":1})");
  }
  CHECK(shown(registered).find(R"("metadata_json":"{\"a\":1}")") != std::string::npos);
  const auto with = [&](IsJson is_json) { return to_json_text(registered, is_json); };
  CHECK(with([](std::string_view text) { return text == R"({"a":1})"; }).find(R"("metadata_json":{"a":1})") != std::string::npos);
  CHECK(with([](std::string_view) { return false; }).find(R"("metadata_json":"{)") != std::string::npos);
}

TEST_CASE("every field of bytes, every moment and every enumeration says how it reads") {
  std::ifstream file(source_root() / "domain/codec/events.proto");
  const std::regex field(R"(^  (?:optional |repeated )?(\w+) (\w+) = \d+(?: \[\(reads_as\) = (\w+)\])?;.*)");
  const std::regex moment(R"(.*_(at|by|until|start|end)|until)");
  std::size_t fields = 0;
  std::smatch found;
  for (std::string line; std::getline(file, line);) {
    if (!std::regex_match(line, found, field)) continue;
    ++fields;
    CAPTURE(line);
    if (found[1] == "bytes") CHECK(found[3] != "");
    if (found[1] == "int64") CHECK(found[3] == "TIME");
    if (found[1] == "uint32") CHECK_FALSE(std::regex_match(found[2].str(), moment));
  }
  CHECK(fields > 150);
}

// A number in words.hpp or in an event's own enumeration shows as a word: of all fields of the examples only these numbers are
// meant to be numbers.
TEST_CASE("no example shows a bare number where the domain has a word") {
  for (const auto& example : examples()) {
    CAPTURE(example.message);
    const auto text = shown(example.event);
    CAPTURE(text);
    for (const auto* word : {"cause", "trigger", "strategy", "priority", "outcome", "phase", "kind", "rule", "decision", "via",
                             "change", "status", "rollback_triggers"}) {
      const auto found = text.find('"' + std::string(word) + "\":");
      if (found == std::string::npos) continue;
      const char first = text[found + std::string(word).size() + 3];
      CHECK((first == '"' || first == '['));
      CHECK(text.find('"' + std::string(word) + "\":[1") == std::string::npos);
    }
  }
}
