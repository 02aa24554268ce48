// tools/otactl: sizes, times, tables, addresses, events and files as text.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "domain/codec/codec.hpp"
#include "domain/streams.hpp"
#include "gateways/mqtt/topics.hpp"
#include "tools/otactl/device_list.hpp"
#include "tools/otactl/event_line.hpp"
#include "tools/otactl/human.hpp"
#include "tools/otactl/json_cells.hpp"
#include "tools/otactl/mqtt_users.hpp"
#include "tools/otactl/rollback_text.hpp"
#include "tools/otactl/table.hpp"
#include "tools/otactl/url.hpp"
#include "tools/otactl/uuid.hpp"

using namespace ota;
using namespace std::chrono_literals;

TEST_CASE("sizes have one decimal and never four digits before it") {
  CHECK(text::human_size(0) == "0 B");
  CHECK(text::human_size(1023) == "1023 B");
  CHECK(text::human_size(1024) == "1.0 KiB");
  CHECK(text::human_size(1024 * 1024 - 1) == "1.0 MiB");
  CHECK(text::human_size(524'288'000) == "500.0 MiB");
  CHECK(text::human_size(std::int64_t{1} << 62) == "4096.0 PiB");
}

TEST_CASE("durations show their two largest units") {
  CHECK(text::human_duration(0s) == "0 s");
  CHECK(text::human_duration(200s) == "3 min 20 s");
  CHECK(text::human_duration(7500s) == "2 h 5 min");
  CHECK(text::human_duration(367'200s) == "4 d 6 h");
}

TEST_CASE("times are shortened only when they are what we expect") {
  CHECK(text::human_time("2026-01-31T12:00:00.123456Z") == "2026-01-31 12:00:00Z");
  CHECK(text::human_time("2026-01-31T12:00:00Z") == "2026-01-31 12:00:00Z");
  CHECK(text::human_time("yesterday") == "yesterday");
}

TEST_CASE("foreign text cannot command the terminal") {
  CHECK(text::printable("a\x1b[31mb\nc\x7f") == "a?[31mb c?");
  CHECK(text::printable("\xc2\x9b"
                        "31m") == "?31m");  // the one-character form of ESC [
  CHECK(text::printable("Grüße") == "Grüße");
}

TEST_CASE("columns are aligned by characters, numbers to the right, without trailing blanks") {
  ctl::Table table{{{"NAME"}, {"SIZE", true}, {"NOTE"}}};
  table.add({"größe", "5", "x"});
  table.add({"a", "1000", ""});
  table.add({"b"});
  CHECK(table.text() ==
        "NAME   SIZE  NOTE\n"
        "größe     5  x\n"
        "a      1000\n"
        "b\n");
}

TEST_CASE("cells show absent values as a dash and format the rest") {
  const auto object = nlohmann::json::parse(
      R"({"a":null,"b":{"c":"x"},"n":12.50,"t":"2026-01-31T12:00:00Z",
          "s":2048,"l":["p","q"],"e":[],"f":true})");
  CHECK(ctl::cell(object, {"", {"a"}}) == "-");
  CHECK(ctl::cell(object, {"", {"missing"}}) == "-");
  CHECK(ctl::cell(object, {"", {"e"}}) == "-");
  CHECK(ctl::cell(object, {"", {"b.c"}}) == "x");
  CHECK(ctl::cell(object, {"", {"missing", "b.c"}}) == "x");
  CHECK(ctl::cell(object, {"", {"n"}, ctl::As::kPercent}) == "12.5 %");
  CHECK(ctl::cell(object, {"", {"t"}, ctl::As::kTime}) == "2026-01-31 12:00:00Z");
  CHECK(ctl::cell(object, {"", {"s"}, ctl::As::kSize}) == "2.0 KiB");
  CHECK(ctl::cell(object, {"", {"l"}}) == "p, q");
  CHECK(ctl::cell(object, {"", {"f"}, ctl::As::kYesNo}) == "yes");
  CHECK(ctl::cell(nlohmann::json("no object"), {"", {"a"}}) == "-");
}

TEST_CASE("lines leave out what is not there") {
  const auto object = nlohmann::json::parse(R"({"a":"x","b":null,"c":0})");
  CHECK(ctl::object_lines(object, {{"first", {"a"}}, {"b", {"b"}}, {"c", {"c"}}}) ==
        "first  x\n"
        "c      0\n");
}

TEST_CASE("a list says when there is more") {
  const std::vector<ctl::Shown> columns{{"ID", {"id"}}};
  const auto page = [](const char* text) { return nlohmann::json::parse(text); };
  CHECK(ctl::list_text(page(R"({"xs":[],"count":0})"), "xs", columns) == "none\n");
  CHECK(ctl::list_text(page(R"({"xs":[{"id":"1"}],"count":1,"offset":0})"), "xs", columns) ==
        "ID\n1\n");
  CHECK(ctl::list_text(page(R"({"xs":[{"id":"1"}],"count":9,"offset":4})"), "xs", columns) ==
        "ID\n1\n5 to 5 of 9\n");
  CHECK(ctl::list_text(page(R"({"xs":[{"id":"1"}],"next_cursor":"abc"})"), "xs", columns) ==
        "ID\n1\nmore with --cursor abc\n");
  CHECK(ctl::list_text(page("[]"), "xs", columns) == "no xs in the answer\n");
}

TEST_CASE("any id is one segment of an address") {
  CHECK(ctl::escape("pump-7_a.b~c") == "pump-7_a.b~c");
  CHECK(ctl::escape("a/b?c d%ü") == "a%2Fb%3Fc%20d%25%C3%BC");
}

TEST_CASE("a query leaves out what was not given") {
  CHECK(ctl::with_query("/x", {{"a", ""}, {"b", ""}}) == "/x");
  CHECK(ctl::with_query("/x", {{"a", ""}, {"b", "1&2"}, {"c", "3"}}) == "/x?b=1%262&c=3");
}

TEST_CASE("a file of devices has one id a line, blank lines and line ends aside") {
  CHECK(ctl::device_lines("") == std::vector<std::string>{});
  CHECK(ctl::device_lines("a\n\n  b c \r\n\t\nd") == std::vector<std::string>{"a", "b c", "d"});
}

TEST_CASE("idempotency keys are version 4 UUIDs and differ") {
  std::set<std::string> keys;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = ctl::random_uuid();
    REQUIRE(key.size() == 36);
    CHECK(key[14] == '4');
    CHECK(std::string_view{"89ab"}.find(key[19]) != std::string_view::npos);
    keys.insert(key);
  }
  CHECK(keys.size() == 1000);
}

TEST_CASE("why shows the gates in their order and points at the one that is closed first") {
  const auto answer = nlohmann::json::parse(
      R"({"device_id":"d","sentence":"x","updates":[{"campaign_id":"camp_1","update_id":"upd_1","sentence":"It waits.",
          "gates":[{"gate":"known","open":true,"fact":"registered","until":null},
                   {"gate":"window","open":false,"fact":"closed till the night","until":"2026-01-31T22:00:00Z"},
                   {"gate":"concurrency","open":false,"fact":"1 of 1","until":null}]}]})");
  CHECK(ctl::why_text(answer) ==
        "campaign camp_1\n"
        "It waits.\n"
        "    GATE                 FACT\n"
        "    known        open    registered\n"
        "->  window       closed  closed till the night, until 2026-01-31 22:00:00Z\n"
        "    concurrency  closed  1 of 1\n");
  CHECK(ctl::why_text(nlohmann::json::parse(R"({"device_id":"d","sentence":"Nothing.","updates":[]})")) ==
        "Nothing.\n");
  CHECK(ctl::why_text(nlohmann::json("no object")).empty());
}

TEST_CASE("a device that calls itself as the service does is no user of the broker, and breaks no configuration") {
  const auto text = ctl::mqtt_users_text({{"ota_service", "0f1e"}, {"pump", "1f2e"}}, "DEFAULT", "ota_service");
  const std::string name = "user: \"ota_service\"";
  CHECK(text.find(name) != std::string::npos);
  CHECK(text.find(name) == text.rfind(name));
  CHECK(text.find("0f1e") == std::string::npos);
  CHECK(text.find("user: \"pump\"") != std::string::npos);
}

TEST_CASE("the users of a broker are those that docs/ shows, and are named as their topics are") {
  const auto sources = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  std::ifstream shown(sources / "docs" / "nats-mqtt-users.conf");
  std::string line;
  REQUIRE(std::getline(shown, line));  // a comment about the file
  const std::string text(std::istreambuf_iterator<char>(shown), {});
  CHECK(ctl::mqtt_users_text({{"pump 7", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}}, "DEFAULT", "ota_service") == text);
  for (const auto* id : {"pump-7", "a b/c.d+#*>%", "\xC3\xBC", "A_z-09~"}) {
    CHECK(ctl::topic_level(id) == gateways::mqtt::encode_level(id));
  }
}

TEST_CASE("what was given as JSON is shown as such, as the service shows it; what is none is text") {
  domain::FirmwareRegistered registered;
  const auto shown = [&](std::string metadata) {
    registered.metadata_json = std::move(metadata);
    return nlohmann::json::parse(ctl::data_text(registered))["metadata_json"];
  };
  CHECK(shown(R"({"a":[1,{"b":"c"}]})") == nlohmann::json{{"a", {1, {{"b", "c"}}}}});
  CHECK(shown(R"({"a":1e999})") == R"({"a":1e999})");
  CHECK(shown("{,") == "{,");
  CHECK(shown(std::string("{}\0,", 4)) == std::string("{}\0,", 4));
}

TEST_CASE("an event of a log is one line of JSON, also where its bytes are no text") {
  const auto encoded = domain::encode(domain::FirmwareRestored{"a \"reason\"\n"});
  const auto stream = domain::stream_name(domain::ServiceStream{});
  eventstore::RecordedEvent event;
  event.position = {7};
  event.time = eventstore::Timestamp(std::chrono::seconds(1));
  event.stream = stream;
  event.type = encoded.type;
  event.payload = encoded.payload;
  event.correlation = "bad \xff bytes";
  const auto line = ctl::line_of(ctl::event_json(event));
  CHECK(line.find('\n') == line.size() - 1);
  const auto read = nlohmann::json::parse(line);
  CHECK(read["position"] == 7);
  CHECK(read["stream"] == "service");
  CHECK(read["time"] == "1970-01-01T00:00:01.000000Z");
  CHECK(read["data"]["reason"] == "a \"reason\"\n");
  CHECK(read["actor_token"].is_null());
}
