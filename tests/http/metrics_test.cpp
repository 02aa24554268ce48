// GET /metrics: text that Prometheus can read, and values that move with what happens.
#include <doctest/doctest.h>

#include <future>
#include <map>
#include <regex>
#include <sstream>

#include "eventstore/fault.hpp"
#include "http/prometheus_text.hpp"
#include "tests/http/api_stage.hpp"

namespace ota::http::test {
namespace {

struct Metrics {
  std::map<std::string, double> values;        // sample with its labels -> value
  std::map<std::string, std::string> types;
};

// Reads the format strictly: each metric once, its help and type before its samples, a number behind each.
Metrics read_metrics(const std::string& text) {
  static const std::regex kComment(R"(# (HELP|TYPE) ([a-z_]+) (.+))");
  static const std::regex kSample(R"re(([a-z_]+)(\{[a-z_]+="(?:[^"\\]|\\.)*"\})? (\S+))re");
  Metrics metrics;
  std::string metric;
  std::istringstream lines(text);
  REQUIRE(text.ends_with('\n'));
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    std::smatch found;
    if (line.starts_with('#')) {
      REQUIRE(std::regex_match(line, found, kComment));
      if (found[1] == "HELP") {
        metric = found[2];
        CHECK_FALSE(metrics.types.contains(metric));
      } else {
        CHECK(found[2] == metric);
        metrics.types[metric] = found[3];
      }
      continue;
    }
    REQUIRE(std::regex_match(line, found, kSample));
    CHECK(found[1].str().starts_with(metric));
    std::size_t read = 0;
    const auto value = std::stod(found[3], &read);
    CHECK(read == found[3].str().size());
    CHECK(metrics.values.emplace(found[1].str() + found[2].str(), value).second);
  }
  return metrics;
}

Metrics metrics_of(ApiStage& stage) {
  const auto answer = stage.ask_as({}, "GET", "/metrics");
  CHECK(answer.status == 200);
  return read_metrics(answer.body);
}

// Buckets only grow, and the last one holds all.
void check_histogram(const Metrics& metrics, const std::string& name) {
  CAPTURE(name);
  REQUIRE(metrics.types.at(name) == "histogram");
  std::map<double, double> buckets;
  for (const auto& [sample, value] : metrics.values) {
    if (!sample.starts_with(name + "_bucket{le=\"")) continue;
    const auto bound = sample.substr(name.size() + 12);
    buckets[bound.starts_with("+Inf") ? HUGE_VAL : std::stod(bound)] = value;
  }
  REQUIRE(buckets.size() > 3);
  double below = 0;
  for (const auto& [bound, value] : buckets) {
    CHECK(value >= below);
    below = value;
  }
  CHECK(buckets.contains(HUGE_VAL));
  CHECK(below == metrics.values.at(name + "_count"));
}

}  // namespace

TEST_CASE("a histogram is written with buckets that hold those before them") {
  static constexpr std::array<std::uint64_t, 3> kBounds = {100, 2'500, 1'000'000};
  eventstore::Histogram times{kBounds};
  for (const std::uint64_t us : {7, 100, 101, 2'000'000}) times.record(us);
  PrometheusText text;
  text.histogram("ota_x_seconds", "How long.", times, PrometheusText::Unit::kMicroseconds);
  CHECK(text.take() ==
        "# HELP ota_x_seconds How long.\n# TYPE ota_x_seconds histogram\n"
        "ota_x_seconds_bucket{le=\"0.0001\"} 2\nota_x_seconds_bucket{le=\"0.0025\"} 3\nota_x_seconds_bucket{le=\"1\"} 3\n"
        "ota_x_seconds_bucket{le=\"+Inf\"} 4\nota_x_seconds_sum 2.000208\nota_x_seconds_count 4\n");
}

TEST_CASE("what stands in a label is escaped") {
  PrometheusText text;
  text.info("ota_x", "That.", "version", "1\"2\\3\n4");
  CHECK(text.take() == "# HELP ota_x That.\n# TYPE ota_x gauge\nota_x{version=\"1\\\"2\\\\3\\n4\"} 1\n");
}

TEST_CASE("the metrics can be read, and move with what happens") {
  ApiStage stage(ApiStage::open_to_devices(), [](actors::ServiceOptions& options) { options.key_directory = options.data_directory / "keys"; });
  const auto before = metrics_of(stage);
  CHECK_FALSE(before.values.contains("ota_log_verified_sound"));
  for (const auto* device : {"a", "b", "c"}) stage.device(device);
  REQUIRE(stage.admin("POST", "/audit/verification").status == 202);
  REQUIRE(ApiStage::eventually([&] { return !stage.admin("GET", "/audit/verification").json()["last"].is_null(); }));
  CHECK(stage.admin("GET", "/audit/checkpoint").status == 200);
  stage.service().journal().put_snapshot("device:a", stage.service().log().head(), "state");
  stage.service().settle();

  const auto after = metrics_of(stage);
  for (const auto* name : {"ota_log_commit_seconds", "ota_log_write_seconds", "ota_log_fsync_seconds", "ota_log_group_events",
                           "ota_log_group_bytes", "ota_entity_activation_seconds"}) {
    check_histogram(after, name);
  }
  const auto grown = [&](const std::string& name) { return after.values.at(name) - before.values.at(name); };
  const auto head = static_cast<double>(stage.service().log().head().value);
  CHECK(after.values.at("ota_log_head_position") == head);
  CHECK(after.values.at("ota_views_position") == head);
  CHECK(after.values.at("ota_views_lag_events") == 0);
  CHECK(after.values.at("ota_views_lag_seconds") == 0);
  CHECK(after.values.at("ota_views_broken") == 0);
  CHECK(grown("ota_log_head_position") >= 3);
  CHECK(grown("ota_log_group_events_sum") == grown("ota_log_head_position"));
  CHECK(grown("ota_log_commit_seconds_count") >= 3);
  CHECK(grown("ota_log_write_seconds_count") == grown("ota_log_fsync_seconds_count"));
  CHECK(grown("ota_log_fsync_seconds_sum") > 0);
  CHECK(after.values.at("ota_log_fsync_seconds_sum") <= after.values.at("ota_log_write_seconds_sum"));
  CHECK(grown("ota_log_group_bytes_sum") > 100);
  CHECK(grown("ota_entity_activation_seconds_count") == 3);
  CHECK(grown("ota_log_snapshots_total") == 1);
  CHECK(grown("ota_log_snapshot_bytes_total") == 5);
  CHECK(grown("ota_log_checkpoints_total") >= 1);
  CHECK(after.values.at("ota_log_verified_sound") == 1);
  CHECK(after.values.at("ota_log_verified_timestamp_seconds") > 0);
  CHECK(after.values.at("ota_log_disk_bytes") > 0);
  CHECK(after.types.at("ota_log_snapshots_total") == "counter");
}

TEST_CASE("views that are behind are seen to be, by events and by time") {
  ApiStage stage;
  stage.device("a");
  std::promise<void> reached;
  std::promise<void> let_go;
  auto opened = let_go.get_future().share();
  eventstore::fault::set_hook([&, first = std::make_shared<std::atomic<bool>>(true)](std::string_view name) {
    if (name != "journal.before_tails") return;
    if (first->exchange(false)) reached.set_value();
    opened.get();
  });
  auto told = std::async(std::launch::async, [&] {
    return stage.ddi("PUT", "/a/configData", R"({"mode":"merge","data":{"site":"ams"}})").status;
  });
  reached.get_future().get();
  stage.advance(std::chrono::seconds(7));
  const auto behind = metrics_of(stage);
  CHECK(behind.values.at("ota_views_lag_events") == 1);
  CHECK(behind.values.at("ota_views_lag_seconds") == doctest::Approx(7));
  CHECK(behind.values.at("ota_log_appends_in_flight") == 1);
  CHECK(behind.values.at("ota_commands_in_flight") == 1);
  let_go.set_value();
  CHECK(told.get() == 200);
  eventstore::fault::set_hook({});
  CHECK(metrics_of(stage).values.at("ota_views_lag_events") == 0);
}

}  // namespace ota::http::test
