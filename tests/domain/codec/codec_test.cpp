// Events <-> bytes: nothing is lost, nothing harms the decoder, equal events have equal bytes.
#include "domain/codec/codec.hpp"
#include "domain/codec/readable.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/stubs/logging.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/domain/examples.hpp"
#include "tests/domain/given.hpp"
#include "tests/domain/source_tree.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

// message name -> its field names, as events.proto declares them.
std::map<std::string, std::set<std::string>> declared_fields() {
  std::ifstream file(source_root() / "domain/codec/events.proto");
  REQUIRE(file);
  const std::regex message(R"(^message (\w+) \{.*)");
  const std::regex field(R"(^  .*\b(\w+) = \d+[ ;].*)");
  std::map<std::string, std::set<std::string>> fields;
  std::string line;
  std::string current;
  std::smatch found;
  while (std::getline(file, line)) {
    if (std::regex_match(line, found, message)) {
      current = found[1];
      fields[current];
    } else if (line.starts_with("}")) {
      current.clear();
    } else if (!current.empty() && std::regex_match(line, found, field)) {
      fields[current].insert(found[1]);
    }
  }
  return fields;
}

}  // namespace

TEST_CASE("every event is read back as it was written, with all of its fields set") {
  for (const auto& example : examples()) {
    CAPTURE(example.message);
    const auto encoded = encode(example.event);
    CHECK(encoded.type == event_type(example.event));
    const auto decoded = decode(encoded.type, encoded.payload);
    REQUIRE(decoded);
    CHECK(*decoded == example.event);
  }
}

TEST_CASE("every event is read back with no field set, too") {
  std::vector<Event> empty = {
      FirmwareRegistered{}, DeviceRegistered{}, DeviceAttributesChanged{}, CampaignCreated{},
      UpdateRequested{},    AttemptGranted{},   ProgressReported{},        LateReportRecorded{},
      AttemptEnded{},       RetryAsked{},       CancelRefused{},           CampaignClosed{},
      FirmwareRecalled{},   CampaignApproved{}, CampaignScheduled{},       CampaignPaused{},
      CampaignFinished{},   CanaryPromoted{},   CanaryToppedUp{},          CampaignAborted{},
      FirmwareContentStored{}, FirmwareContentFailed{}, FirmwareSourceChanged{}};
  for (const auto& event : empty) {
    const auto encoded = encode(event);
    CAPTURE(event_name(encoded.type));
    CHECK(decode(encoded.type, encoded.payload) == event);
  }
}

TEST_CASE("every type of event has an example, a number and a name of its own") {
  std::set<std::size_t> with_example;
  for (const auto& example : examples()) with_example.insert(example.event.index());
  CHECK(with_example.size() == std::variant_size_v<EventVariant> - 1);  // all but UnknownEvent
  std::map<std::uint16_t, std::size_t> index_of;
  std::map<std::string_view, std::size_t> named;
  for (const auto& example : examples()) {
    const auto type = event_type(example.event);
    CHECK(type != 0);
    CHECK(index_of.emplace(type, example.event.index()).first->second == example.event.index());
    CHECK(named.emplace(event_name(type), example.event.index()).first->second ==
          example.event.index());
    CHECK(event_name(type) != "unknown");
  }
}

TEST_CASE("the examples set every field that events.proto declares") {
  const auto declared = declared_fields();
  CHECK(declared.size() > 30);
  std::map<std::string, std::string> texts;
  std::string all;
  for (const auto& example : examples()) {
    texts[example.message] += to_json_text(example.event);
    all += to_json_text(example.event);
  }
  for (const auto& [message, fields] : declared) {
    const auto own = texts.find(message);
    const auto& text = own == texts.end() ? all : own->second;  // a part of several events
    for (const auto& field : fields) {
      CAPTURE(message);
      CAPTURE(field);
      // What has no value is left out, but for a yes or no: one example must say yes.
      const bool is_set = text.find('"' + field + "\":") != std::string::npos;
      const bool says_no = text.find('"' + field + "\":false") != std::string::npos;
      CHECK((is_set && (!says_no || text.find('"' + field + "\":true") != std::string::npos)));
    }
  }
}

TEST_CASE("a type of a newer version is read as unknown, whatever its bytes") {
  for (const int number : {0, 8, 36, 57, 999, 65535}) {
    const auto type = static_cast<std::uint16_t>(number);
    CHECK(decode(type, "any \xff bytes") == Event(UnknownEvent{type}));
    CHECK(event_name(type) == "unknown");
  }
  CHECK(event_type(UnknownEvent{41}) == 41);
  CHECK(encode(UnknownEvent{41}).type == 41);
  CHECK(encode(UnknownEvent{41}).payload.empty());
  CHECK(to_json_text(UnknownEvent{41}) == "{}");
}

TEST_CASE("a field of a newer version is skipped") {
  auto encoded = encode(CampaignPaused{"weekend"});
  encoded.payload += "\xfa\x07\x03new";  // field 127, three bytes
  CHECK(decode(encoded.type, encoded.payload) == Event(CampaignPaused{"weekend"}));
}

TEST_CASE("damaged bytes are told, or mean some event, but never harm") {
  const google::protobuf::LogSilencer quiet;
  const auto encoded = encode(CampaignPaused{"weekend"});
  CHECK_FALSE(decode(encoded.type, encoded.payload.substr(0, 3)));
  CHECK_FALSE(decode(encoded.type, "\xff\xff\xff"));
  CHECK_FALSE(decode(encoded.type, "\x0a\x02\xc3("));  // a text that is not UTF-8
  for (const auto& example : examples()) {
    const auto whole = encode(example.event);
    for (std::size_t i = 0; i < whole.payload.size(); ++i) {
      decode(whole.type, std::string_view(whole.payload).substr(0, i));
      auto flipped = whole.payload;
      flipped[i] = static_cast<char>(~flipped[i]);
      decode(whole.type, flipped);
    }
  }
}

TEST_CASE("equal events have equal bytes, in whatever order their maps were filled") {
  DeviceRegistered forward;
  DeviceRegistered backward;
  for (int i = 0; i < 100; ++i) forward.attributes["key" + std::to_string(i)] = "v";
  for (int i = 99; i >= 0; --i) backward.attributes["key" + std::to_string(i)] = "v";
  CHECK(encode(forward).payload == encode(backward).payload);
}

TEST_CASE("a grant stays small: ids make up most of it") {
  CHECK(encode(granted()).payload.size() <= 24);
  CHECK(encode(started()).payload.size() <= 12);
  CHECK(encode(succeeded()).payload.size() <= 8);
}

TEST_CASE(
    "a pause of an older version, which said no cause, was an operator's, and still is written "
    "so") {
  const auto old = decode(event_type(CampaignPaused{}), "\x0a\x07weekend");
  REQUIRE(old);
  CHECK(*old == Event(CampaignPaused{"weekend", PauseCause::kOperator, {}}));
  CHECK(encode(*old).payload == "\x0a\x07weekend");
  for (const auto cause : {PauseCause::kRecalled, PauseCause::kCanary, PauseCause::kOwnFaults}) {
    const CampaignPaused paused{"why", cause, {}};
    CHECK(decode(event_type(paused), encode(paused).payload) == Event(paused));
  }
}

