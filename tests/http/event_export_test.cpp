// Events as files: JSON Lines and CSV of exactly what the pages show; who read them is written down where that is wanted.
#include <doctest/doctest.h>

#include <sstream>

#include "http/csv_records.hpp"
#include "http/line_stream.hpp"
#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

struct Exported : Story {
  Exported() {
    for (const char* device : {"a", "b,\"c\""}) stage.device(device == std::string("a") ? "a" : "b%2C%22c%22");
    campaign = started({"a", "b,\"c\""}, {{"description", "with, \"quotes\"\nand lines"}, {"failure_threshold_percent", 60}});
    id = campaign.substr(campaign.rfind('/') + 1);
    update("a", kFailed);
    stage.advance(std::chrono::hours(1));
    REQUIRE(stage.admin("POST", campaign + "/pause", R"({"reason":"lunch, at last"})", "X-User-Id: ada\r\n").status == 200);
  }
  ApiAnswer exported(const std::string& path) { return stage.admin_download(path); }
  std::vector<json> lines(const std::string& query) {
    std::vector<json> all;
    const auto answer = exported("/audit/events?format=jsonl&" + query);
    REQUIRE(answer.status == 200);
    std::istringstream text(answer.body);
    for (std::string line; std::getline(text, line);) all.push_back(json::parse(line));
    return all;
  }
  std::vector<std::vector<std::string>> records(const std::string& query) {
    std::vector<std::vector<std::string>> all;
    const auto answer = exported("/audit/events?format=csv&" + query);
    REQUIRE(answer.status == 200);
    CsvRecords reader(1 << 20,
                      [&](std::uint64_t, std::span<const std::string_view> fields) { all.emplace_back(fields.begin(), fields.end()); },
                      [](std::uint64_t, const std::string& why) { FAIL(why); });
    LineStream text(1 << 20, [&](const TextLine& line) { reader.take(line); });
    text.feed(answer.body);
    text.finish();
    reader.finish();
    return all;
  }
  std::string campaign;
  std::string id;
};

TEST_CASE("a file of JSON lines has the very events of the pages") {
  Exported e;
  const auto page = e.get("/audit/events?limit=5000");
  CHECK(json(e.lines("")) == page["events"]);
  CHECK(json(e.lines("device_id=a")) == e.get("/audit/events?device_id=a")["events"]);
  CHECK(e.lines("limit=3").size() == 3);
  CHECK(e.lines("type=campaign.cancelled").empty());
  const auto paused = e.lines("type=campaign.paused");
  REQUIRE(paused.size() == 1);
  CHECK(paused[0]["actor"] == "ada");
  CHECK(paused[0]["data"] == json{{"reason", "lunch, at last"}, {"cause", "operator"}});
}

TEST_CASE("a CSV file has them as records, whatever is in their fields") {
  Exported e;
  const auto all = e.records("");
  const auto events = e.get("/audit/events?limit=5000")["events"];
  REQUIRE(all.size() == events.size() + 1);
  CHECK(all[0] == std::vector<std::string>{"position", "time", "type", "stream", "device_id", "campaign_id", "actor",
                                           "correlation_id", "causation", "data"});
  bool seen = false;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& record = all[i + 1];
    REQUIRE(record.size() == 10);
    CHECK(record[0] == std::to_string(events[i]["position"].get<std::uint64_t>()));
    CHECK(record[2] == events[i]["type"]);
    CHECK(json::parse(record[9]) == events[i]["data"]);
    seen = seen || record[4] == "b,\"c\"";
    if (record[2].starts_with("campaign.")) CHECK(record[5] == e.id);
    if (record[2] == "update.granted") CHECK(record[5] == e.id);
  }
  CHECK(seen);
  CHECK(e.records("type=campaign.cancelled").size() == 1);
}

TEST_CASE("a part of the time is asked for: from a moment on, and before another") {
  Exported e;
  const std::string paused = e.get("/audit/events?type=campaign.paused")["events"][0]["time"];
  const auto types = [&](const std::string& query) {
    std::vector<std::string> all;
    for (const auto& event : e.lines(query)) all.push_back(event["type"]);
    return all;
  };
  CHECK(types("from=" + paused).front() == "campaign.paused");
  CHECK(types("to=" + paused).back() != "campaign.paused");
  CHECK(types("from=" + paused).size() + types("to=" + paused).size() == types("").size());
  CHECK(types("to=2001-01-01T00:00:00Z").empty());
  CHECK(types("from=2101-01-01T00:00:00Z").empty());
  CHECK(types("from=2001-01-01T00:00:00Z&to=2101-01-01T00:00:00Z").size() == types("").size());
  const auto page = e.get("/audit/events?to=" + paused + "&limit=5000");
  CHECK(page["more"] == false);
  CHECK(page["events"].size() == types("to=" + paused).size());
  CHECK(e.stage.admin("GET", "/audit/events?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z").faults() == "to: value_error\n");
  CHECK(e.stage.admin("GET", "/audit/events?from=yesterday").faults() == "from: datetime_parsing\n");
  CHECK(e.stage.admin("GET", "/audit/events?format=xml").faults() == "format: enum\n");
}

TEST_CASE("a file says what it is") {
  Exported e;
  const auto csv = e.exported("/audit/events?format=csv");
  CHECK(csv.header("Content-Type") == "text/csv; charset=utf-8; header=present");
  const auto head = e.get("/audit/events?limit=1")["head"].get<std::uint64_t>();
  CHECK(csv.header("Content-Disposition") == "attachment; filename=\"events-" + std::to_string(head) + ".csv\"");
  CHECK(e.exported("/audit/events?format=jsonl").header("Content-Type") == "application/x-ndjson");
}

TEST_CASE("what an event says is in words, dates and ids") {
  Exported e;
  const auto created = e.lines("type=campaign.created").at(0)["data"];
  CHECK(created["policy"]["strategy"] == "immediate");
  CHECK(created["policy"]["rollback_triggers"] == json{"failure_rate"});
  CHECK(created["firmware"] == e.v2);
  CHECK(created["targets"] == json{{"devices", 2}});
  const auto ended = e.lines("type=update.attempt_ended").at(0)["data"];
  CHECK(ended["kind"] == "device");
  CHECK(ended["success"] == false);
  const std::string granted = e.lines("type=update.granted").at(0)["data"]["start_by"];
  CHECK(granted.starts_with("2026-"));
}

TEST_CASE("who reads the audit is in it, if that is wanted, and nothing is shown that could not be written down") {
  ApiOptions options = ApiStage::open_to_devices();
  options.record_audit_reads = true;
  ApiStage stage(options);
  stage.device("a");
  const auto ask = [&](const std::string& path, const std::string& who) {
    return stage.admin("GET", path, "", who.empty() ? "" : "X-User-Id: " + who + "\r\n");
  };
  CHECK(ask("/audit/events?device_id=a", "eve").json()["events"].size() >= 1);
  CHECK(ask("/devices/a/story", "eve").status == 200);
  const auto reads = ask("/audit/events?stream=audit", "ada").json()["events"];
  REQUIRE(reads.size() == 3);
  CHECK(reads[0]["type"] == "audit.read");
  CHECK(reads[0]["actor"] == "eve");
  CHECK(reads[0]["data"] == json{{"what", "/api/v1/ota/audit/events?device_id=a"}});
  CHECK(reads[1]["data"]["what"] == "/api/v1/ota/devices/a/story");
  CHECK(reads[2]["actor"] == "ada");   // it reads itself being read
  CHECK(ask("/health", "eve").status == 200);
  CHECK(ask("/audit/events?stream=audit&actor=eve", "ada").json()["events"].size() == 2);
  // Who was asked for is a token in the log, and gone with the person.
  const auto asked = ask("/audit/events?stream=audit&limit=100", "ada").json()["events"];
  CHECK(asked[3]["data"] == json{{"what", "/api/v1/ota/audit/events?stream=audit&actor=*"}, {"of_actor", "eve"}});
  REQUIRE(stage.service().delete_user("eve", {}).ok());
  const auto erased = ask("/audit/events?stream=audit&limit=100", "ada").json()["events"];
  CHECK(erased[3]["data"]["of_actor"] == "deleted user");
  CHECK(json(erased).dump().find("\"eve\"") == std::string::npos);
  // All that was asked for is there, and nothing that says nothing.
  const std::string types = "campaign.created,campaign.started,campaign.paused,campaign.resumed,campaign.cancelled,campaign.closed";
  ask("/audit/events?x=" + std::string(300, 'A') + "&type=" + types + "&type=device.deleted&device_id=b%26%C3%A4&actor=mallory", "ada");
  const auto last = ask("/audit/events?stream=audit&limit=100", "ada").json()["events"][6]["data"];
  CHECK(last == json{{"what", "/api/v1/ota/audit/events?type=" + types + "&device_id=?&actor=*"}});
  // What is refused may be a name that was meant for something else.
  for (const auto* path : {"/audit/events?stream=user:grace.hopper", "/audit/events?type=grace.hopper", "/audit/events?from=grace.hopper",
                           "/audit/events?campaign_id=grace.hopper", "/audit/events/grace.hopper/proof", "/devices/grace.hopper/story"}) {
    CHECK(ask(path, "ada").status >= 400);
  }
  const auto refused = ask("/audit/events?stream=audit&limit=100", "ada").json()["events"];
  REQUIRE(refused.size() == 15);
  CHECK(refused[8]["data"]["what"] == "/api/v1/ota/audit/events?stream=?");
  CHECK(refused[12]["data"]["what"] == "/api/v1/ota/audit/events/?/proof");
  CHECK(json(refused).dump().find("grace") == std::string::npos);
  // Where a stream goes on is what was read.
  REQUIRE(stage.admin("HEAD", "/events/stream?type=campaign.created&after=0", "", "Last-Event-ID: 2\r\nX-User-Id: ada\r\n").status == 200);
  const auto streamed = ask("/audit/events?stream=audit&limit=100", "ada").json()["events"];
  CHECK(streamed[streamed.size() - 2]["data"]["what"] == "/api/v1/ota/events/stream?after=2&type=campaign.created");
}

}  // namespace
}  // namespace ota::http::test
