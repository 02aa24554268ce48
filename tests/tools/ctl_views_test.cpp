// otactl views: what the service says of its views, as text.
#include "tools/otactl/views_text.hpp"

#include <doctest/doctest.h>

using namespace ota;
using nlohmann::json;

TEST_CASE("the status of the views names what is under way, and how the last works ended") {
  const json state = {{"position", 1'200},
                      {"behind", 3},
                      {"schema", 10},
                      {"disk_bytes", 2'048},
                      {"broken", "since position 9: updates: a row of table 'u' is damaged"},
                      {"running",
                       {{"work", "verify"}, {"started_at", "2026-01-31T12:00:00Z"}, {"done", 500}, {"of", 1'203}, {"events_per_second", 250}}},
                      {"last_rebuild", {{"error", "the disk is full"}, {"position", 0}}},
                      {"last_verification", nullptr}};
  const auto shown = ctl::views_text(state);
  for (const auto* part : {"1200", "2.0 KiB", "a row of table 'u' is damaged", "verify", "500", "1203", "250",
                           "THE VIEWS WERE NOT REBUILT: the disk is full\n"}) {
    CHECK_MESSAGE(shown.find(part) != std::string::npos, part, " in ", shown);
  }
  const auto idle = ctl::views_text({{"position", 7}, {"behind", 0}, {"running", nullptr}, {"broken", nullptr}, {"last_rebuild", {{"error", nullptr}, {"position", 7}}}});
  CHECK(idle.find("work") == std::string::npos);
  CHECK(idle.find("broken") == std::string::npos);
  CHECK(idle.ends_with("The views were rebuilt up to event 7.\n"));
}

TEST_CASE("views that differ are shown by table and row, however they were compared") {
  projections::Comparison found;
  found.position = {42};
  found.digest = "aa";
  found.digest_expected = "bb";
  found.rows = 100;
  found.differing.push_back({"device names", 9, 10, 2, {{"\\x00\\x03", projections::RowDifference::Kind::kMissing}, {"\x1b[2J", projections::RowDifference::Kind::kOther}}});
  found.differing.push_back({"updates", 5, 4, 1, {{"u", projections::RowDifference::Kind::kSurplus}}});
  const auto outcome = ctl::comparison_json(found);
  CHECK(outcome["equal"] == false);
  const auto shown = ctl::comparison_text(outcome);
  CHECK(shown.starts_with("100 rows at event 42, digest aa\ndevice names: 2 of 10 rows differ\n  \\x00\\x03 is missing\n"));
  CHECK(shown.find('\x1b') == std::string::npos);
  CHECK(shown.ends_with("updates: 1 of 5 rows differ\n  u is in no log\nTHE VIEWS ARE NOT AS THE LOG SAYS.\n"));
  CHECK(ctl::comparison_text({{"equal", true}, {"rows", 3}, {"position", 2}, {"digest", "cc"}}) ==
        "3 rows at event 2, digest cc\nThe views are as the log says.\n");
  CHECK(ctl::comparison_text({{"error", "event 3 is missing"}}) == "THE VIEWS WERE NOT COMPARED: event 3 is missing\n");
}
