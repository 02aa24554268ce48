// tools/otasim: journal lines, percentiles, and what makes a run a failed one.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tools/otasim/journal.hpp"
#include "tools/otasim/latency.hpp"
#include "tools/otasim/report_file.hpp"
#include "tools/otasim/summary.hpp"

using namespace ota::sim;
using namespace std::chrono_literals;

TEST_CASE("a journal line is one line of JSON, whatever is in its values") {
  const std::string hostile = "a\"b\\c\nd\x01 ü";
  const std::string line =
      journal_line(1767225600000, "sim-1", "offered",
                   {{"action", hostile}, {"from", std::int64_t{-5}}, {"ok", true}});
  CHECK(line.back() == '\n');
  CHECK(line.find('\n') == line.size() - 1);
  const auto parsed = nlohmann::json::parse(line);
  CHECK(parsed["t"] == 1767225600000);
  CHECK(parsed["device"] == "sim-1");
  CHECK(parsed["fact"] == "offered");
  CHECK(parsed["action"] == hostile);
  CHECK(parsed["from"] == -5);
  CHECK(parsed["ok"] == true);
}

TEST_CASE("a journal appends to what is there") {
  std::string directory = (std::filesystem::temp_directory_path() / "otasim-XXXXXX").string();
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  const std::string path = directory + "/journal";
  for (int run = 0; run < 2; ++run) {
    Journal journal{path};
    journal.fact("d", "held", {});
  }
  std::ifstream file{path};
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) {
    CHECK(nlohmann::json::parse(line)["fact"] == "held");
    ++lines;
  }
  CHECK(lines == 2);
  std::filesystem::remove_all(directory);
}

TEST_CASE("a journal that cannot be opened is named") {
  CHECK_THROWS_WITH_AS(Journal{"/nonexistent/journal"}, doctest::Contains("/nonexistent/journal"),
                       std::exception);
}

TEST_CASE("percentiles are exact to a sixteenth") {
  LatencyHistogram histogram;
  CHECK(histogram.percentile(50) == 0us);
  for (int i = 1; i <= 10'000; ++i) histogram.add(std::chrono::microseconds{i});
  CHECK(histogram.count() == 10'000);
  CHECK(histogram.max() == 10'000us);
  for (const int percent : {1, 10, 50, 90, 99}) {
    const auto value = static_cast<double>(histogram.percentile(percent).count());
    CHECK(value >= percent * 100.0);
    CHECK(value <= percent * 100.0 * 17 / 16 + 1);
  }
  CHECK(histogram.percentile(100) == 10'000us);
}

TEST_CASE("a histogram takes the absurd without harm") {
  LatencyHistogram histogram;
  histogram.add(-5us);
  histogram.add(std::chrono::hours{1'000'000});
  CHECK(histogram.count() == 2);
  CHECK(histogram.percentile(1) == 0us);
}

TEST_CASE("a clean run has no problems; failed updates are none") {
  Stats stats;
  stats.count(RunEnd::kSucceeded);
  stats.count(RunEnd::kFailed);
  stats.duplicates_refused = 3;
  CHECK(find_problems(stats, false).empty());
}

TEST_CASE("wrong bytes, violations, rejected reports and a missed goal are problems") {
  Stats stats;
  stats.hash_mismatches = 1;
  stats.violations = 2;
  stats.count(RunEnd::kRejected);
  CHECK(find_problems(stats, true).size() == 4);
}

TEST_CASE("the summary is JSON and tells the same as the table") {
  Stats stats;
  stats.count(RunEnd::kSucceeded);
  stats.violation_texts.push_back("sim-1: broken \xff text");
  stats.violations = 1;
  Summary summary;
  summary.stopped_by = "idle";
  summary.devices = 2;
  summary.online = 1;
  summary.devices_by_version["2.0.0"] = 1;
  summary.problems = find_problems(stats, false);
  const auto parsed = nlohmann::json::parse(summary_json(summary, stats));
  CHECK(parsed["ok"] == false);
  CHECK(parsed["updates"]["succeeded"] == 1);
  CHECK(parsed["devices_by_version"]["2.0.0"] == 1);
  const std::string text = summary_text(summary, stats);
  CHECK(text.find("run 2.0.0") != std::string::npos);
  CHECK(text.find("FAILED: 1 violations") != std::string::npos);
}

TEST_CASE("a device's account is one line of JSON with an entry for every attempt") {
  DeviceProfile profile;
  profile.id = "sim-1";
  profile.client = ClientKind::kRauc;
  Record record;
  Attempt& attempt = record.of("12");
  attempt.version = "2.0.0";
  attempt.reads = 2;
  attempt.installs = 1;
  attempt.reports_acked = 5;
  attempt.acked_end = "closed/success";
  attempt.ended = "succeeded";
  record.of("13").cancel_agreed = true;
  const std::string line = report_line(profile, "2.0.0", record);
  CHECK(line.find('\n') == line.size() - 1);
  const auto parsed = nlohmann::json::parse(line);
  CHECK(parsed["device"] == "sim-1");
  CHECK(parsed["client"] == "rauc");
  REQUIRE(parsed["attempts"].size() == 2);
  const auto& first = parsed["attempts"][0];
  CHECK(first["action"] == "12");
  CHECK(first["reads"] == 2);
  CHECK(first["installs"] == 1);
  CHECK(first["reports_acked"] == 5);
  CHECK(first["acked_end"] == "closed/success");
  CHECK(first["ended"] == "succeeded");
  CHECK(parsed["attempts"][1]["cancel_agreed"] == true);
  CHECK(parsed["attempts"][1]["acked_end"] == "");
}
