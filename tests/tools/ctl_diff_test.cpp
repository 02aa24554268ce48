// tools/otactl: what changed between two moments, in words that are true.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tools/otactl/diff_text.hpp"

using namespace ota::ctl;
using nlohmann::json;

namespace {

json answer_of_diff() {
  return {{"from", {{"position", 0}, {"time", nullptr}}},
          {"to", {{"position", 7}, {"time", "2026-01-31T12:00:00.000000Z"}}},
          {"positions", 7},
          {"events", json::object()},
          {"changed", 0},
          {"changes", json::array()},
          {"more", {{"campaigns", 0}, {"firmware", 0}, {"devices", 0}, {"updates", 0}}}};
}

}  // namespace

TEST_CASE("a comparison shows what changed with its fields, and how many others there are") {
  auto answer = answer_of_diff();
  CHECK(diff_text(answer) ==
        "from 0 (before the first event) to 7 (2026-01-31 12:00:00Z): 7 positions of the log\nnothing that is compared has changed\n");
  answer["events"]["campaign.paused"] = 1;
  answer["changes"].push_back({{"entity", "campaign:camp_1"},
                               {"name", "spring"},
                               {"happened", "changed"},
                               {"fields", {{"status", {{"from", "in_progress"}, {"to", "paused"}}}}}});
  answer["changes"].push_back({{"entity", "device:a"}, {"name", nullptr}, {"happened", "came"}, {"fields", json::object()}});
  answer["more"]["devices"] = 12;
  answer["more"]["updates"] = 3;
  CHECK(diff_text(answer) ==
        "from 0 (before the first event) to 7 (2026-01-31 12:00:00Z): 7 positions of the log\n"
        "          1 campaign.paused\n"
        "campaign:camp_1 \"spring\" changed\n"
        "  status: in_progress -> paused\n"
        "device:a came\n"
        "and 12 further devices, 3 further direct updates with events in between, which are not compared\n");
}

TEST_CASE("a comparison of one device does not count the events of others as its own") {
  auto answer = answer_of_diff();   // as it is for whoever had none of the seven
  answer["changed"] = 0;
  CHECK(diff_text(answer).find("events") == std::string::npos);
  answer["positions"] = 1;
  CHECK(diff_text(answer).find(": 1 position of the log\n") != std::string::npos);
}

TEST_CASE("a comparison says when there are too many events to count, and claims nothing of what it has not looked at") {
  auto answer = answer_of_diff();
  answer["events"] = nullptr;
  answer["more"]["devices"] = nullptr;
  answer["more"]["updates"] = nullptr;
  CHECK(diff_text(answer) ==
        "from 0 (before the first event) to 7 (2026-01-31 12:00:00Z): 7 positions of the log\n"
        "  too many events to count by type\n"
        "too many events to look for the devices and direct updates that they are of\n"
        "no campaign and no firmware has changed\n");
  answer["more"]["campaigns"] = 1;
  CHECK(diff_text(answer).find("has changed") == std::string::npos);
}
