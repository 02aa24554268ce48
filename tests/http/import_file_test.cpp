// What the lines of a file of devices say, CSV and JSON Lines, and what is wrong with them.
#include "http/import_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "http/limits.hpp"

using namespace ota;
using namespace ota::http;

namespace {

struct ReadItems {
  std::vector<actors::ImportLine> devices;
  std::vector<std::string> bad;           // "3 groups: why"
  std::optional<Problem> refused;
};

ReadItems read_items(ImportFormat format, std::string_view text, std::size_t piece = 10'000) {
  ReadItems result;
  const auto file = ImportFile::make(
      format, {[&](actors::ImportLine line) { result.devices.push_back(std::move(line)); },
               [&](std::uint64_t line, const std::vector<BadField>& fields) {
                 for (const auto& field : fields) {
                   result.bad.push_back(fmt::format("{} {}: {}", line, field.name, field.message));
                 }
               }});
  bool goes_on = true;
  for (; goes_on && !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    goes_on = file->feed(text.substr(0, piece));
  }
  if (!goes_on || !file->finish()) result.refused = file->problem();
  return result;
}
ReadItems csv(std::string_view text, std::size_t piece = 10'000) { return read_items(ImportFormat::kCsv, text, piece); }
ReadItems jsonl(std::string_view text) { return read_items(ImportFormat::kJsonLines, text); }

// The faults of a refused header as "device_id: missing", one behind the other.
std::string faults(const ReadItems& read_items) {
  REQUIRE(read_items.refused);
  CHECK(read_items.refused->status == 422);
  std::string text;
  for (const auto& fault : read_items.refused->detail) {
    text += fault["loc"].back().get<std::string>() + ": " + fault["type"].get<std::string>() + "\n";
  }
  return text;
}

const std::string kLong(129, 'x');

}  // namespace

TEST_CASE("api 5, import: the content type names the format") {
  CHECK(import_format("text/csv") == ImportFormat::kCsv);
  CHECK(import_format("Text/CSV; charset=utf-8") == ImportFormat::kCsv);
  CHECK(import_format("application/x-ndjson") == ImportFormat::kJsonLines);
  CHECK(import_format("application/jsonl") == ImportFormat::kJsonLines);
  for (const auto* other : {"", "application/json", "text/plain", "application/octet-stream"}) {
    CHECK_FALSE(import_format(other));
  }
}

TEST_CASE("api 5, import: a CSV line says what PUT of a device says, in any order of columns") {
  const std::string text =
      "\xEF\xBB\xBFgroups,attribute.site,device_id,name,device_model,hardware_version,firmware_version,user_id\r\n"
      "beta;lab,ams,d-1,\"Frame, 1\",SF-100,1.2,1.0.0,ada\r\n"
      ",,d-2,,,,,\r\n";
  for (const std::size_t piece : {1, 3, 10'000}) {
    const auto result = csv(text, piece);
    REQUIRE_FALSE(result.refused);
    CHECK(result.bad.empty());
    REQUIRE(result.devices.size() == 2);
    const auto& one = result.devices[0];
    CHECK(one.number == 2);
    CHECK(one.device.value == "d-1");
    CHECK(one.change.values == domain::Attributes{{"site", "ams"},
                                                  {"name", "Frame, 1"},
                                                  {"device_model", "SF-100"},
                                                  {"hardware_version", "1.2"},
                                                  {"firmware_version", "1.0.0"}});
    CHECK(*one.change.groups == std::vector<std::string>{"beta", "lab"});
    CHECK(one.person == "ada");
    const auto& two = result.devices[1];
    CHECK(two.number == 3);
    CHECK(two.change.values.empty());
    CHECK_FALSE(two.change.groups);       // an empty field says nothing
    CHECK(two.person.empty());
  }
}

TEST_CASE("api 5, import: a header that cannot be refuses the file, and names every bad column") {
  CHECK(faults(csv("")) == "header: value_error\n");
  CHECK(faults(csv("\n\n")) == "header: value_error\n");
  CHECK(faults(csv("device_id,\"name\nx,y\n")) == "header: value_error\n");
  CHECK(faults(csv("name,colour\nx,y\n")) == "colour: extra_forbidden\ndevice_id: missing\n");
  CHECK(faults(csv("device_id,device_id,name,attribute.name,attribute.\n")) ==
        "device_id: value_error\nattribute.name: value_error\nattribute.: extra_forbidden\n");
  CHECK(faults(csv("device_id,attribute." + kLong + "\n")) == "attribute." + kLong.substr(0, 90) + "...: string_too_long\n");
  CHECK(faults(csv(std::string(limits::kImportLineBytes + 10, 'x') + "\nd\n")) == "header: value_error\n");
  CHECK(csv("device_id,attribute.device_id,attribute.groups\nd,x,y\n").devices.size() == 1);
  const auto refused = csv("device_id;name\nd;x\n");
  REQUIRE(refused.refused);
  CHECK(refused.refused->message.find("'device_id;name' is unknown") != std::string::npos);
}

TEST_CASE("api 5, import: only a header is a file without devices") {
  for (const auto* text : {"device_id", "device_id\n", "\xEF\xBB\xBF" "device_id,name\r\n\r\n"}) {
    const auto result = csv(text);
    CHECK_FALSE(result.refused);
    CHECK(result.devices.empty());
    CHECK(result.bad.empty());
  }
}

TEST_CASE("api 5, import: a bad CSV line is told of with its line, its fields and their values, and the others go on") {
  const auto result = csv(
      "device_id,name,groups,user_id,attribute.site\n"
      "good,,,,\n"
      "too,few\n"
      ",n,,,\n" +
      ("x," + kLong + ",a;" + kLong + "," + std::string(257, 'u') + "," + kLong + "\n") +
      "tab\there,,,,\n"
      "\xff\xfe,\xc3,,,\n" +
      std::string("nul,a\0b,,,\n", 11) +
      "..,,,,\n"
      "u,,,..,\n"
      "last,,,,\n");
  REQUIRE_FALSE(result.refused);
  REQUIRE(result.devices.size() == 2);
  CHECK(result.devices[0].device.value == "good");
  CHECK(result.devices[1].device.value == "last");
  CHECK(result.bad == std::vector<std::string>{
      "3 : has 2 fields, the header has 5",
      "4 device_id: field required",
      "5 name: must have at most 128 characters, got 129 in '" + kLong.substr(0, 100) + "...'",
      "5 groups: must have at most 128 characters, got 129 in '" + kLong.substr(0, 100) + "...'",
      "5 user_id: must have at most 256 bytes, got 257 in '" + std::string(100, 'u') + "...'",
      "5 attribute.site: must have at most 128 bytes, got 129 in '" + kLong.substr(0, 100) + "...'",
      "6 device_id: holds a control character: 'tab\there'",
      "7 device_id: must be UTF-8 text, got '\xff\xfe'",
      "7 name: must be UTF-8 text, got '\xc3'",
      "8 name: holds the control character 0x00 behind 'a'",
      "9 device_id: '..' cannot be an id: clients take it out of paths",
      "10 user_id: '..' cannot be an id: clients take it out of paths"});
}

TEST_CASE("api 5, import: a field of blanks says nothing that PUT would take") {
  const auto result = csv("device_id,device_model,firmware_version,groups,user_id,attribute.site\nb1, , , , , \nb2,SF-100,,,,\n");
  REQUIRE(result.devices.size() == 1);
  CHECK(result.bad.front() == "2 device_model: must not be blank, got ' '");
}

TEST_CASE("api 5, import: bounds are those of PUT: characters of names and versions, bytes of attributes") {
  std::string umlauts;
  for (int i = 0; i < 128; ++i) umlauts += "ü";
  const auto result = csv("device_id,name,attribute.site\nfits," + umlauts + ",\nlonger,," + umlauts + "\n");
  REQUIRE(result.devices.size() == 1);
  CHECK(result.devices[0].device.value == "fits");
  REQUIRE(result.bad.size() == 1);
  CHECK(result.bad[0].starts_with("3 attribute.site: must have at most 128 bytes, got 256"));
}

TEST_CASE("api 5, import: a line of 1 MB is told of and skipped, in both formats") {
  const std::string huge(1'000'000, 'x');
  const auto table = csv("device_id\na\n" + huge + "\n\"" + huge + "\"\nb\n");
  CHECK(table.devices.size() == 2);
  CHECK(table.bad.size() == 2);
  CHECK(table.bad[0] == fmt::format("3 : is longer than the {} bytes that a line may have", limits::kImportLineBytes));
  const auto lines = jsonl("{\"device_id\":\"a\"}\n{\"device_id\":\"" + huge + "\"}\n{\"device_id\":\"b\"}\n");
  CHECK(lines.devices.size() == 2);
  CHECK(lines.bad.size() == 1);
}

TEST_CASE("api 5, import: a JSON line says what PUT of a device says") {
  const auto result = jsonl(
      "\xEF\xBB\xBF{\"device_id\":\"d-1\",\"name\":\"Frame\",\"device_model\":\"SF-100\",\"groups\":[\"beta\",\"lab\"],"
      "\"user_id\":\"ada\",\"attributes\":{\"site\":\"ams\",\"old\":null},\"colour\":\"red\"}\r\n"
      "\n   \n"
      "{\"device_id\":\"d-2\",\"user_id\":null,\"groups\":[]}");
  CHECK(result.bad.empty());
  REQUIRE(result.devices.size() == 2);
  const auto& one = result.devices[0];
  CHECK(one.number == 1);
  CHECK(one.device.value == "d-1");
  CHECK(one.change.values == domain::Attributes{{"name", "Frame"}, {"device_model", "SF-100"}, {"site", "ams"}});
  CHECK(one.change.removed == std::vector<std::string>{"old"});
  CHECK(*one.change.groups == std::vector<std::string>{"beta", "lab"});
  CHECK(one.person == "ada");
  const auto& two = result.devices[1];
  CHECK(two.number == 4);
  CHECK(two.change.owner == domain::Caller{});
  CHECK(two.change.groups->empty());
}

TEST_CASE("api 5, import: a bad JSON line is told of with its line, its fields and their values, and the others go on") {
  const auto result = jsonl(
      "{\"device_id\":\"good\"}\n"
      "{\"device_id\":\"cut\n"
      "[1]\n"
      "{}\n"
      "{\"device_id\":7,\"name\":[],\"groups\":[\"a\",5],\"attributes\":{\"n\":1}}\n"
      "{\"device_id\":\"a\\u0000b\"}\n"
      "{\"device_id\":\"\xff\"}\n"
      "{\"device_id\":\"two\"}{}\n" +
      std::string(70, '[') + "\n" +
      "{\"device_id\":\"last\"}\n");
  REQUIRE(result.devices.size() == 2);
  CHECK(result.devices[1].device.value == "last");
  REQUIRE(result.bad.size() == 11);
  CHECK(result.bad[0].starts_with("2 : is not valid JSON: column "));
  CHECK(result.bad[1] == "3 : must be an object, got a list");
  CHECK(result.bad[2] == "4 device_id: field required");
  CHECK(result.bad[3] == "5 device_id: must be a string, got 7");
  CHECK(result.bad[4].starts_with("5 name: must be a string, got a list"));
  CHECK(result.bad[5] == "5 groups.1: must be a string, got 5");
  CHECK(result.bad[6] == "5 attributes.n: must be a string of at most 128 bytes, got 1");
  CHECK(result.bad[7].starts_with("6 device_id: holds the control character 0x00"));
  CHECK(result.bad[8].starts_with("7 : is not valid JSON: column "));
  CHECK(result.bad[9].starts_with("8 : is not valid JSON: column "));
  CHECK(result.bad[10] == "9 : is nested deeper than 64 levels");
}
