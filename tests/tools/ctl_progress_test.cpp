// tools/otactl: bars, rates and the view of a watched campaign.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tools/otactl/human.hpp"
#include "tools/otactl/progress_bar.hpp"
#include "tools/otactl/watch_view.hpp"

using namespace ota::ctl;
using namespace std::chrono_literals;

namespace {

const RateMeter::Time kStart{};

CampaignCounts counts_of(const char* status) {
  return read_counts(nlohmann::json{{"name", "Patch"},
                                    {"status", status},
                                    {"status_reason", nullptr},
                                    {"total_devices", 1'000'000},
                                    {"pending_devices", 899'999},
                                    {"in_progress_devices", 0},
                                    {"completed_devices", 100'000},
                                    {"failed_devices", 1},
                                    {"cancelled_devices", 0}});
}

}  // namespace

TEST_CASE("a bar has exactly its width, shared out by size") {
  CHECK(stacked_bar({{'#', 1}, {'.', 1}}, 10) == "#####.....");
  CHECK(stacked_bar({{'#', 1}, {'!', 1}, {'.', 1}}, 10).size() == 10);
  CHECK(stacked_bar({{'#', 0}, {'.', 0}}, 4) == "....");
  CHECK(stacked_bar({}, 4) == "....");
  CHECK(stacked_bar({{'#', 5}}, 0) == "");
}

TEST_CASE("a single failure among a million is seen") {
  CHECK(stacked_bar({{'#', 999'999}, {'!', 1}}, 10) == "#########!");
  CHECK(stacked_bar({{'#', 1}, {'!', 1}, {'.', 1'000'000}}, 5) == "#!...");
}

TEST_CASE("a rate needs two samples and an increase") {
  RateMeter rate{30s};
  CHECK_FALSE(rate.per_second());
  rate.add(kStart, 10);
  CHECK_FALSE(rate.per_second());
  rate.add(kStart + 5s, 10);
  CHECK_FALSE(rate.per_second());
  CHECK_FALSE(rate.time_for(5));
  rate.add(kStart + 10s, 30);
  CHECK(*rate.per_second() == doctest::Approx(2.0));
  CHECK(rate.time_for(5) == 3s);
}

TEST_CASE("a rate forgets what is older than its window") {
  RateMeter rate{10s};
  rate.add(kStart, 0);
  for (int s = 100; s <= 110; ++s) rate.add(kStart + std::chrono::seconds{s}, 1000);
  CHECK_FALSE(rate.per_second());
}

TEST_CASE("a transfer shows its share, speed and time left") {
  RateMeter rate{5s};
  rate.add(kStart, 0);
  rate.add(kStart + 1s, 1024 * 1024);
  CHECK(transfer_line(1024 * 1024, 4 * 1024 * 1024, rate) ==
        "[########......................]  25 %  1.0 MiB of 4.0 MiB  1.0 MiB/s  3 s left");
}

TEST_CASE("a campaign is over when nothing more will happen") {
  for (const char* status : {"completed", "failed", "cancelled"})
    CHECK(counts_of(status).is_over());
  for (const char* status : {"created", "scheduled", "in_progress", "paused", "rollback", ""})
    CHECK_FALSE(counts_of(status).is_over());
}

TEST_CASE("a watched campaign shows its counters and fits its terminal") {
  RateMeter rate{30s};
  rate.add(kStart, 0);
  rate.add(kStart + 10s, 100'001);
  const auto lines = watch_lines(counts_of("in_progress"), rate, 60);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "Patch  in_progress");
  CHECK(lines[2] == "total 1000000  pending 899999  in progress 0");
  CHECK(lines[3] == "completed 100000  failed 1  cancelled 0");
  CHECK(lines[4] == "10000.1 devices/s  1 min 30 s left");
  CHECK(lines[1].find('!') != std::string::npos);
  for (const std::size_t width : {1, 10, 20, 200})
    for (const std::string& line : watch_lines(counts_of("in_progress"), rate, width))
      CHECK(ota::text::display_width(line) <= width);
}

TEST_CASE("the log line of a campaign that is over tells no speed") {
  RateMeter rate{30s};
  rate.add(kStart, 0);
  rate.add(kStart + 10s, 10);
  CHECK(watch_line(counts_of("failed"), rate) ==
        "failed  10 %  total 1000000  pending 899999  in progress 0  completed 100000  failed 1  "
        "cancelled 0");
}

TEST_CASE("an answer that is no campaign is not over") {
  CHECK_FALSE(read_counts(nlohmann::json::array()).is_over());
}
