// The past over HTTP: ?as_of= a time or a position, and what changed between two moments.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "eventstore/fault.hpp"
#include "http/past_answers.hpp"
#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

struct Remembered : Story {
  Remembered() {
    for (const char* device : {"a", "b", "c"}) stage.device(device);
    campaign = started({"a", "b", "c"}, {{"failure_threshold_percent", 50}});
    note();
    update("a", kSucceeded);
    note();
    stage.advance(std::chrono::hours(2));
    REQUIRE(stage.admin("POST", campaign + "/pause", R"({"reason":"lunch"})").status == 200);
    note();
    stage.advance(std::chrono::minutes(5));
    REQUIRE(stage.admin("POST", campaign + "/resume").status == 200);
    stage.advance(std::chrono::minutes(5));
    update("b", kFailed);
    update("c", kSucceeded);
    says("a", "site", "berlin");
    note();
  }
  // What is shown now, to be asked for later.
  void note() {
    Then then;
    then.position = get("/audit/events?limit=1")["head"];
    for (const auto& path : {campaign, campaign + "/updates", std::string("/devices/a"), std::string("/devices/b/updates"),
                             std::string("/campaigns"), "/updates/" + update_of(campaign, "b")["update_id"].get<std::string>()}) {
      then.shown[path] = get(path);
    }
    then.statistics = get("/stats");
    moments.push_back(std::move(then));
  }
  struct Then {
    std::uint64_t position = 0;
    std::map<std::string, json> shown;
    json statistics;
  };
  std::string campaign;
  std::vector<Then> moments;
};

// Without what the log does not tell, and with what only the past says of itself.
void strip(json& value) {
  if (value.is_array()) {
    for (auto& element : value) strip(element);
  }
  if (!value.is_object()) return;
  for (const auto* name : {"as_of", "download_count", "success_rate", "last_seen", "address", "last_seen_since", "waiting_for",
                           // of the history's whole
                           "total_updates", "rollback_updates", "successful_updates", "failed_updates", "avg_success_rate",
                           "last_update", "device_id", "count", "filters", "next_cursor"}) {
    value.erase(name);
  }
  for (auto& [name, inner] : value.items()) strip(inner);
}

TEST_CASE("asked for a position, a resource answers what it answered then") {
  Remembered r;
  for (const auto& then : r.moments) {
    for (const auto& [path, shown] : then.shown) {
      CAPTURE(path);
      CAPTURE(then.position);
      auto past = r.get(path + "?as_of=" + std::to_string(then.position));
      auto was = shown;
      CHECK(past["as_of"]["position"] == then.position);
      strip(past);
      strip(was);
      CHECK(past == was);
    }
  }
}

TEST_CASE("the firmware of a past campaign and update is what it was then, without what is counted of it") {
  Remembered r;
  REQUIRE(r.stage.admin("POST", "/firmware/" + r.v2 + "/deprecate", R"({"reason":"old"})").status == 200);
  const auto update = "/updates/" + r.update_of(r.campaign, "b")["update_id"].get<std::string>();
  CHECK(r.get(r.campaign)["firmware"]["status"] == "deprecated");
  const auto as_of = "?as_of=" + std::to_string(r.moments.back().position);
  for (const auto& path : {r.campaign, update}) {
    const auto firmware = r.get(path + as_of)["firmware"];
    CHECK(firmware["firmware_id"] == r.v2);
    CHECK(firmware["status"] == "available");
    CHECK(firmware["status_reason"].is_null());
    CHECK(firmware.contains("download_count"));
    CHECK(firmware["download_count"].is_null());
    CHECK(firmware["success_rate"].is_null());
  }
}

TEST_CASE("only so many ask of the past at once, and those who ask of the present are not among them") {
  Remembered r;
  const auto at = std::to_string(r.moments.back().position);
  auto all = r.stage.api().past_questions.take(r.stage.api().past_questions.places());
  REQUIRE(all);
  for (const auto& path : {r.campaign, r.campaign + "/updates", std::string("/campaigns"), std::string("/devices/a"),
                           std::string("/devices/a/updates"), std::string("/stats")}) {
    CAPTURE(path);
    const auto answer = r.stage.admin("GET", path + "?as_of=" + at);
    CHECK(answer.status == 503);
    CHECK(answer.header("Retry-After") == "5");
    CHECK(answer.body.find("8 questions about the past are being answered already") != std::string::npos);
    CHECK(r.stage.admin("GET", path).status == 200);
  }
  CHECK(r.stage.admin("GET", "/diff?from=1").status == 503);
  CHECK(r.stage.admin("GET", r.campaign + "?as_of=x").status == 422);
  all.reset();
  CHECK(r.stage.admin("GET", r.campaign + "?as_of=" + at).status == 200);
  CHECK(r.stage.admin("GET", "/diff?from=1").status == 200);
}

// Stands behind the views and in the way of the next group, until it is opened.
class Barrier final : public eventstore::Tail {
 public:
  void on_group(const eventstore::GroupPtr&) override {
    std::unique_lock lock(mutex_);
    somebody_waits_ = closed_;
    opened_.wait(lock, [this] { return !closed_; });
    somebody_waits_ = false;
  }
  void close(bool closed) {
    const std::lock_guard lock(mutex_);
    closed_ = closed;
    opened_.notify_all();
  }
  bool somebody_waits() {
    const std::lock_guard lock(mutex_);
    return somebody_waits_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool closed_ = false;
  bool somebody_waits_ = false;
};

TEST_CASE("a moment that the views do not show yet is waited for, and then refused") {
  Barrier barrier;
  auto options = ApiStage::open_to_devices();
  options.views_wait = std::chrono::milliseconds(1);
  ApiStage stage(options, [&](actors::ServiceOptions& o) { o.tails.push_back(&barrier); });
  const auto first = *domain::parse_firmware_id(stage.firmware("1.0.0"));
  const auto second = *domain::parse_firmware_id(stage.firmware("2.0.0"));
  auto& service = stage.service();
  const auto shown = service.log().head().value;
  barrier.close(true);
  service.count_download(first);
  REQUIRE(ApiStage::eventually([&] { return barrier.somebody_waits(); }));
  service.count_download(second);
  REQUIRE(ApiStage::eventually([&] { return service.log().head().value == shown + 2; }));
  REQUIRE(service.views().position().value == shown + 1);
  for (const auto* path : {"/stats", "/campaigns"}) {
    CHECK(stage.admin("GET", path + std::string("?as_of=") + std::to_string(shown + 1)).status == 200);
    const auto refused = stage.admin("GET", path + std::string("?as_of=") + std::to_string(shown + 2));
    CHECK(refused.status == 503);
    CHECK(refused.header("Retry-After") == "1");
    CHECK(refused.body.find(fmt::format("The views are at event {} yet, and event {} is asked for", shown + 1, shown + 2)) !=
          std::string::npos);
  }
  CHECK(stage.admin("GET", "/diff?from=0").status == 503);
  barrier.close(false);
  service.settle();
  CHECK(stage.admin("GET", "/stats?as_of=" + std::to_string(shown + 2)).status == 200);
}

TEST_CASE("asked for a time, it answers what the newest event until then had made of it") {
  Remembered r;
  const std::string paused = r.get("/audit/events?type=campaign.paused")["events"][0]["time"];
  CHECK(r.get(r.campaign + "?as_of=" + paused)["status"] == "paused");
  const std::string resumed = r.get("/audit/events?type=campaign.resumed")["events"][0]["time"];
  CHECK(r.get(r.campaign + "?as_of=" + resumed)["status"] == "in_progress");
  // Between the two, and to the microsecond.
  CHECK(r.get(r.campaign + "?as_of=" + paused.substr(0, paused.size() - 1) + "%2B00:00")["status"] == "paused");
}

TEST_CASE("the statistics are those of then, but for what was created within a day, and not of a period") {
  Remembered r;
  for (const auto& then : r.moments) {
    CAPTURE(then.position);
    auto past = r.get("/stats?as_of=" + std::to_string(then.position));
    auto was = then.statistics;
    CHECK(past["as_of"]["position"] == then.position);
    past.erase("as_of");
    for (const auto* name : {"last_24h_updates", "last_24h_failures", "last_24h_data_transferred"}) {
      CHECK(past[name].is_null());
      CHECK(was.erase(name) == 1);
      past.erase(name);
    }
    CHECK(past == was);
  }
  CHECK(r.moments.front().statistics != r.moments.back().statistics);
  const auto refused = r.stage.admin("GET", "/stats?as_of=1&from=2026-01-01T00:00:00Z");
  CHECK(refused.status == 422);
  CHECK(refused.body.find("as_of goes without it") != std::string::npos);
}

TEST_CASE("what was not there then is not found, and a moment that cannot be is refused with its value") {
  Remembered r;
  CHECK(r.stage.admin("GET", r.campaign + "?as_of=1").status == 404);
  CHECK(r.stage.admin("GET", r.campaign + "?as_of=0").status == 404);
  CHECK(r.stage.admin("GET", r.campaign + "?as_of=2001-01-01T00:00:00Z").body.find("at position 0, before the first event") !=
        std::string::npos);
  CHECK(r.stage.admin("GET", r.campaign + "?as_of=5&as_of=7").body.find("is given twice, with '5' and '7'") != std::string::npos);
  CHECK(r.stage.admin("GET", "/devices/nobody?as_of=5").status == 404);
  CHECK(r.get("/campaigns?as_of=1")["campaigns"].empty());
  const auto refused = [&](const std::string& moment) { return r.stage.admin("GET", r.campaign + "?as_of=" + moment); };
  CHECK(refused("yesterday").body.find("'yesterday' is neither a position of the log nor a time") != std::string::npos);
  CHECK(refused("999999").body.find("the log ends at") != std::string::npos);
  CHECK(refused("99999999999999999999999").status == 422);
  CHECK(refused("2101-01-01T00:00:00Z").body.find("is in the future") != std::string::npos);
  CHECK(refused("2026-01-01T00:00:00").body.find("does not say its zone") != std::string::npos);
  for (const auto* path : {"/campaigns", "/devices/a", "/devices/a/updates"}) {
    CHECK(r.stage.admin("GET", std::string(path) + "?as_of=x").faults() == "as_of: value_error\n");
  }
  CHECK(r.stage.admin("GET", r.campaign + "/updates?as_of=3&status=eaten").faults() == "status: enum\n");
}

TEST_CASE("two moments are compared field by field, and their events are counted by type") {
  Remembered r;
  const auto from = std::to_string(r.moments[1].position);
  const auto to = std::to_string(r.moments[2].position);
  const std::string id = r.campaign.substr(r.campaign.rfind('/') + 1);
  const auto all = r.get("/diff?from=" + from + "&to=" + to);
  CHECK(all["events"] == json{{"campaign.paused", 1}});
  CHECK(all["positions"] == 1);
  REQUIRE(all["changes"].size() == 1);
  const auto& change = all["changes"][0];
  CHECK(change["entity"] == "campaign:" + id);
  CHECK(change["happened"] == "changed");
  CHECK(change["fields"]["status"] == json{{"from", "in_progress"}, {"to", "paused"}});
  CHECK(change["fields"]["status_reason"] == json{{"from", nullptr}, {"to", "lunch"}});
  CHECK_FALSE(change["fields"].contains("name"));
  CHECK(r.get("/diff?from=" + from + "&to=" + to + "&campaign_id=" + id)["changes"] == all["changes"]);
  const auto nothing = r.get("/diff?from=" + from + "&to=" + to + "&device_id=b");
  CHECK(nothing["changes"].empty());
  CHECK(nothing["events"].empty());
}

TEST_CASE("between two moments something may have come, and the second is the present unless it is said") {
  Remembered r;
  const auto came = r.get("/diff?from=0");
  CHECK(came["from"]["time"].is_null());
  // The campaign, both versions of the firmware, three devices.
  std::map<std::string, int> kinds;
  for (const auto& change : came["changes"]) {
    CHECK(change["happened"] == "came");
    const auto entity = change["entity"].get<std::string>();
    ++kinds[entity.substr(0, entity.find(':'))];
  }
  CHECK(kinds == std::map<std::string, int>{{"campaign", 1}, {"firmware", 2}, {"device", 3}});
  CHECK(came["changed"] == 6);
  CHECK(came["more"] == json{{"campaigns", 0}, {"firmware", 0}, {"devices", 0}, {"updates", 0}});
  const auto device = r.get("/diff?from=" + std::to_string(r.moments[2].position) + "&device_id=a");
  CHECK(device["changes"][0]["fields"]["attributes"]["to"]["site"] == "berlin");
  const std::string update = r.update_of(r.campaign, "b")["update_id"];
  const auto failed = r.get("/diff?from=" + std::to_string(r.moments[2].position) + "&update_id=" + update);
  CHECK(failed["changes"][0]["fields"]["attempt"] == json{{"from", 0}, {"to", 1}});
  CHECK(failed["events"]["update.attempt_ended"] == 1);
  CHECK(r.stage.admin("GET", "/diff").faults() == "from: missing\n");
  CHECK(r.stage.admin("GET", "/diff?from=5&to=4").faults() == "to: value_error\n");
  CHECK(r.stage.admin("GET", "/diff?from=5&device_id=a&update_id=" + update).faults() == "campaign_id: value_error\n");
  CHECK(r.stage.admin("GET", "/diff?from=5&device_id=nobody").status == 404);
}

// By their entity.
std::map<std::string, json> changes_of(const json& diff) {
  std::map<std::string, json> changes;
  for (const auto& change : diff["changes"]) changes[change["entity"]] = change;
  return changes;
}

TEST_CASE("a device that is deleted changes the campaigns that it waited in, and no others") {
  Story s;
  for (const char* device : {"a", "b", "c", "e"}) s.stage.device(device);
  const auto entity = [](const std::string& path) { return "campaign:" + path.substr(path.rfind('/') + 1); };
  const auto touched = s.started({"a", "b"}, {{"max_concurrent_updates", 1}});
  const auto untouched = s.started({"c"});
  const std::string from = s.get("/audit/events?limit=1")["head"].dump();
  s.stage.advance(std::chrono::minutes(1));
  REQUIRE(s.stage.admin("DELETE", "/devices/b").status == 200);
  REQUIRE(s.stage.admin("POST", "/firmware/" + s.v1 + "/deprecate", R"({"reason":"old"})").status == 200);
  const auto asked = s.post("/devices/e/update", {{"firmware_id", s.v2}});
  REQUIRE(asked.status == 201);
  auto changes = changes_of(s.get("/diff?from=" + from));
  REQUIRE(changes.contains(entity(touched)));
  CHECK(changes[entity(touched)]["fields"] == json{{"cancelled_devices", {{"from", 0}, {"to", 1}}},
                                                   {"pending_devices", {{"from", 2}, {"to", 1}}},
                                                   {"progress_percentage", {{"from", 0.0}, {"to", 50.0}}}});
  CHECK_FALSE(changes.contains(entity(untouched)));
  CHECK(changes["device:b"]["fields"]["status"] == json{{"from", "registered"}, {"to", "deleted"}});
  CHECK(changes["firmware:" + s.v1]["fields"]["status"] == json{{"from", "available"}, {"to", "deprecated"}});
  CHECK(changes["update:" + asked.json()["update_id"].get<std::string>()]["happened"] == "came");
  CHECK(changes.contains("device:e"));
  CHECK(changes.size() == 5);
  // Where nothing lies in between nothing has changed.
  const auto nothing = s.get("/diff?from=" + s.get("/audit/events?limit=1")["head"].dump());
  CHECK(nothing["changes"].empty());
  CHECK(nothing["changed"] == 0);
}

TEST_CASE("more devices than are compared are told by their number") {
  Story s;
  const std::string from = s.get("/audit/events?limit=1")["head"].dump();
  std::string file = "device_id,firmware_version\n";
  for (std::size_t i = 0; i < limits::kComparedOfKind + 3; ++i) file += fmt::format("pump-{},1.0.0\n", i);
  REQUIRE(s.stage.import("text/csv", file).status == 200);
  const auto diff = s.get("/diff?from=" + from);
  CHECK(diff["changes"].size() == limits::kComparedOfKind);
  CHECK(diff["more"]["devices"] == 3);
  CHECK(diff["changed"].is_null());   // not all were compared
  CHECK(diff["events"]["device.registered"] == limits::kComparedOfKind + 3);
  CHECK(s.get("/diff?type=device.deleted&from=" + from)["events"].empty());
}

}  // namespace
// What is being written bears the time when that began, and is seen when it ends.
TEST_CASE("a time that has just passed has one answer: it waits for what was being written, or is refused") {
  auto options = ApiStage::open_to_devices();
  options.views_wait = std::chrono::milliseconds(1);
  ApiStage stage(options);
  stage.device("before");
  stage.advance(std::chrono::seconds(1));
  std::promise<void> begun, goes_on;
  std::atomic<bool> is_first{true};
  eventstore::fault::set_hook([&](std::string_view passed) {
    if (passed != "journal.before_write" || !is_first.exchange(false)) return;
    begun.set_value();
    goes_on.get_future().wait();
  });
  std::thread writer([&] { stage.ddi("GET", "/d"); });
  begun.get_future().wait();
  stage.advance(std::chrono::seconds(1));
  const auto then = format_time(stage.service().now() - std::chrono::milliseconds(500));
  for (const auto& path : {"/devices/d?as_of=" + then, "/diff?from=0&to=" + then, "/audit/events?to=" + then, "/stats?as_of=" + then}) {
    CAPTURE(path);
    const auto refused = stage.admin("GET", path);
    CHECK(refused.status == 503);
    CHECK(refused.json()["message"].get<std::string>().find("The log has not moved for 1 ms") == 0);
    CHECK(refused.header("Retry-After") == "1");
  }
  // Of a position there is no doubt.
  CHECK(stage.admin("GET", "/devices/before?as_of=" + std::to_string(stage.service().log().head().value)).status == 200);
  // Nor of a time that the log is past.
  const auto past = format_time(stage.service().log().head_time() - std::chrono::hours(1));
  CHECK(stage.admin("GET", "/devices/before?as_of=" + past).status == 404);
  CHECK(stage.admin("GET", "/audit/events?to=" + past).status == 200);
  goes_on.set_value();
  writer.join();
  eventstore::fault::set_hook({});
  CHECK(ApiStage::eventually([&] { return stage.admin("GET", "/devices/d?as_of=" + then).status == 200; }));
}

TEST_CASE("what was not over when the question came is refused, however late it is when that is looked at") {
  ApiStage stage;
  stage.device("d");
  stage.advance(std::chrono::seconds(10));
  const auto came = stage.service().now() - std::chrono::seconds(5);
  const auto read = [&](domain::Time time) {
    FieldErrors errors;
    QueryReader query("as_of=" + format_time(time), errors);
    const auto at = read_moment(query, "as_of", stage.api(), came);
    return at ? std::string("answered") : errors.problem().message;
  };
  CHECK(read(came - domain::Duration(1)) == "answered");
  CHECK(read(came).find("is not over yet: it is " + format_time(came)) != std::string::npos);
  CHECK(read(came + std::chrono::seconds(1)).find("is in the future: it is " + format_time(came)) != std::string::npos);
}

TEST_CASE("behind a clock that was set back the log stands at the time of its newest event, which is not over") {
  ApiStage stage;
  stage.device("d");
  const auto newest = format_time(stage.service().log().head_time());
  const auto asked = [&](const std::string& time) { return stage.admin("GET", "/devices/d?as_of=" + time); };
  stage.advance(std::chrono::hours(-1));
  CHECK(asked(newest).body.find("'" + newest + "' is not over yet: it is " + newest) != std::string::npos);
  CHECK(asked(format_time(stage.service().log().head_time() + std::chrono::seconds(1))).body.find("is in the future") != std::string::npos);
  CHECK(asked(format_time(stage.service().log().head_time() - domain::Duration(1))).status == 404);
  stage.advance(std::chrono::hours(1) + std::chrono::seconds(1));
  CHECK(asked(newest).status == 200);
}

}  // namespace ota::http::test
