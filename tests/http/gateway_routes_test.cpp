// Gateways report on behalf of devices: POST /updates/{id}/status (spec/api.md section 5, decisions 8, 26, 27).
#include <doctest/doctest.h>

#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

struct Gateway : Story {
  explicit Gateway(int max_retries = 3, const json& triggers = json::array()) {
    stage.device("d");
    campaign = started({"d", "never-seen"}, {{"max_retries", max_retries}, {"rollback_triggers", triggers}});
    begin("d");
    update = "/updates/" + update_of(campaign, "d")["update_id"].get<std::string>();
  }
  json says(const json& body) {
    const auto answer = post(update + "/status", body);
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return answer.json();
  }
  // The next attempt, once it may be.
  void again() {
    stage.advance(std::chrono::hours(2));
    begin("d");
  }
  std::size_t events(const std::string& type) {
    return get("/audit/events?stream=update:" + update.substr(update.rfind('/') + 1) + "&type=" + type)["events"].size();
  }
  json last(const std::string& type) {
    const auto found = get("/audit/events?stream=update:" + update.substr(update.rfind('/') + 1) + "&type=" + type)["events"];
    return found.empty() ? json(nullptr) : found.back()["data"];
  }
  std::string campaign;
  std::string update;
};

TEST_CASE("decision 26: what a gateway says of an older attempt is recorded as late, and changes nothing") {
  Gateway g;
  g.says({{"status", "failed"}, {"attempt", 1}, {"error_code", "flash"}});
  g.again();
  REQUIRE(g.get(g.update)["attempt"] == 2);
  const auto late = g.says({{"status", "completed"}, {"attempt", 1}});
  CHECK(late["status"] == "in_progress");
  CHECK(late["attempt"] == 2);
  CHECK(g.events("update.late_report") == 1);
  CHECK(g.get(g.campaign)["completed_devices"] == 0);
  CHECK(g.says({{"status", "completed"}, {"attempt", 2}})["status"] == "completed");
  CHECK(g.says({{"status", "failed"}, {"attempt", 1}, {"error_code", "flash"}})["status"] == "completed");
}

TEST_CASE("decision 26: without its number a report is of the present attempt, and late once that is over") {
  Gateway g;
  CHECK(g.says({{"status", "failed"}, {"error_code", "flash"}})["status"] == "scheduled");
  // It waits for its next attempt: nothing is reported on, whatever is said.
  const auto waiting = g.says({{"status", "completed"}});
  CHECK(waiting["status"] == "scheduled");
  CHECK(waiting["attempt"] == 1);
  CHECK(g.says({{"current_phase", "installing"}})["status"] == "scheduled");
  CHECK(g.events("update.late_report") == 2);
  g.again();
  CHECK(g.says({{"status", "completed"}})["status"] == "completed");
  CHECK(g.says({{"status", "failed"}})["status"] == "completed");
  CHECK(g.events("update.late_report") == 3);
}

TEST_CASE("an attempt that is not there yet, or a number that is none, is refused with its value") {
  Gateway g;
  const auto refused = g.post(g.update + "/status", {{"status", "completed"}, {"attempt", 2}});
  CHECK(refused.faults() == "attempt: value_error\n");
  CHECK(refused.body.find("there is no attempt 2 yet: the last one is 1") != std::string::npos);
  CHECK(g.post(g.update + "/status", {{"status", "completed"}, {"attempt", 0}}).status == 422);
  CHECK(g.get(g.update)["status"] == "in_progress");
}

TEST_CASE("BR-OTA-030: a gateway's phase and progress are shown by the formula") {
  Gateway g;
  CHECK(g.says({{"status", "in_progress"}, {"progress_percentage", 27.5}})["current_phase"] == "downloading");
  CHECK(g.get(g.update)["progress_percentage"] == 27.5);
  CHECK(g.get(g.update)["download_progress"] == 50.0);
  const auto verifying = g.says({{"current_phase", "verifying"}, {"checksum_verified", true}});
  CHECK(verifying["current_phase"] == "verifying");
  CHECK(verifying["progress_percentage"] == 55.0);
  CHECK(verifying["checksum_verified"] == true);
  const auto installing = g.says({{"status", "in_progress"}, {"current_phase", "installing"}, {"progress_percentage", 75}});
  CHECK(installing["status"] == "installing");
  CHECK(installing["progress_percentage"] == 75.0);
  // In progress is every phase: no step back.
  CHECK(g.says({{"status", "in_progress"}, {"signature_verified", true}})["signature_verified"] == true);
  CHECK(g.get(g.update)["status"] == "installing");
  CHECK(g.events("update.late_report") == 0);
  CHECK(g.post(g.update + "/status", {{"status", "installing"}, {"current_phase", "rebooting"}}).faults() ==
        "current_phase: value_error\n");
  CHECK(g.says({{"current_phase", "rebooting"}})["progress_percentage"] == 92.0);
}

TEST_CASE("decision 8: a gateway's transport and service failures are tried again without counting") {
  Gateway g(1);
  for (const char* kind : {"transport", "service"}) {
    const auto failed = g.says({{"status", "failed"}, {"error_kind", kind}, {"error_code", "gateway_down"}});
    CHECK(failed["status"] == "scheduled");
    CHECK(failed["retry_count"] == 0);
    CHECK(failed["error_code"] == "gateway_down");
    g.again();
  }
  CHECK(g.last("update.attempt_ended")["kind"] == "service");
  CHECK(g.says({{"status", "failed"}})["retry_count"] == 1);
  g.again();
  CHECK(g.says({{"status", "failed"}, {"error_kind", "device"}})["status"] == "failed");
  CHECK(g.get(g.campaign)["failed_devices"] == 1);
}

TEST_CASE("a report of health with an Idempotency-Key takes effect once, and answers the same again") {
  Gateway g(3, {"health_check"});
  g.says({{"status", "completed"}});
  const auto report = [&](const char* health) {
    return g.stage.admin("POST", g.update + "/status", json{{"health", health}}.dump(), "Idempotency-Key: h\r\n");
  };
  const auto first = report("ok");
  REQUIRE(first.status == 200);
  CHECK(g.post(g.update + "/status", {{"health", "failed"}}).json()["status"] == "failed");
  CHECK(report("ok").body == first.body);
  CHECK(report("failed").faults() == "Idempotency-Key: idempotency_key_reused\n");
  CHECK(g.stage.admin("GET", "/devices/d").json()["attributes"]["health"] == "failed");
}

TEST_CASE("a report of health of an older attempt changes nothing, and an If-Match is of the update") {
  Gateway g(2, {"health_check"});
  g.says({{"status", "failed"}});
  g.again();
  g.says({{"status", "completed"}});
  CHECK(g.says({{"health", "failed"}, {"attempt", 1}})["status"] == "completed");
  const auto tag = [](const json& revision) { return "If-Match: \"" + revision.dump() + "\"\r\n"; };
  const auto revision = g.get(g.update)["revision"];
  const auto report = [&](const std::string& fields) {
    return g.stage.admin("POST", g.update + "/status", R"({"health":"failed"})", fields);
  };
  CHECK(report(tag(revision.get<int>() + 1)).status == 412);
  CHECK(report(tag(revision)).json()["status"] == "failed");
}

TEST_CASE("the answers of cancel and retry say what became of it, and what the update waits for") {
  Gateway g;
  g.says({{"status", "failed"}});
  const auto cancelled = g.post(g.update + "/cancel").json();
  CHECK(cancelled["message"] == "Update cancelled");
  CHECK(cancelled["waiting_for"].is_null());
  CHECK(g.post(g.update + "/cancel").json()["message"] == "Update was cancelled already");
  REQUIRE(g.post(g.campaign + "/pause").status == 200);
  const auto retried = g.post(g.update + "/retry").json();
  CHECK(retried["message"] == "Update will be tried again");
  CHECK(retried["status"] == "scheduled");
  CHECK(retried["waiting_for"] == "campaign_running");
  CHECK(g.post(g.update + "/retry").json()["message"] == "Update was to be tried again already");
  CHECK(g.get(g.update)["waiting_for"] == "campaign_running");
}

}  // namespace
}  // namespace ota::http::test
