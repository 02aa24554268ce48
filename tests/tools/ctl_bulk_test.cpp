// tools/otactl: what became of many devices, in words.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tools/otactl/bulk_text.hpp"

using namespace ota::ctl;
using nlohmann::json;

TEST_CASE("S3/bulk: every device has a line, and a failure says why") {
  BulkCounts counts;
  const auto answer = json::parse(
      R"({"results":[{"device_id":"frame-1","success":true,"update_id":"upd_1"},
                     {"device_id":"f\u001b[2J","success":false,"kind":"Duplicate","error":"it has one"}],"total":2})");
  CHECK(bulk_lines(answer, counts) ==
        "DEVICE   UPDATE  PROBLEM\n"
        "frame-1  upd_1\n"
        "f?[2J    -       Duplicate: it has one\n");
  CHECK(counts.requested == 1);
  CHECK(counts.failed == 1);
  CHECK(bulk_summary(counts) == "1 update requested, 1 of 2 devices failed\n");
  bulk_lines(answer, counts);
  CHECK(bulk_summary(counts) == "2 updates requested, 2 of 4 devices failed\n");
  CHECK(bulk_summary({3, 0}) == "3 updates requested\n");
  CHECK(bulk_lines(json("no object"), counts) == "no results in the answer\n");
}

TEST_CASE("api 5, import: the report has its counts, and a line for each bad field") {
  auto report = json::parse(
      R"({"total":1003,"registered":990,"changed":2,"unchanged":3,"returned":1,"failed":7,"errors_truncated":false,
          "errors":[{"line":17,"field":"groups","message":"is bad"},{"line":18,"field":null,"message":"has 2 fields"}]})");
  CHECK(import_text(report) ==
        "1003 lines: 990 registered, 2 changed, 3 unchanged, 1 returned, 7 failed\n"
        "  line 17, groups: is bad\n"
        "  line 18: has 2 fields\n");
  report["errors"] = json::array();
  report["errors_truncated"] = true;
  CHECK(import_text(report).ends_with("  and more, which are not listed\n"));
  CHECK(import_text(json::array()) == "no report in the answer\n");
}

TEST_CASE("api 5, import: a file's ending tells its format, unless the format is given") {
  CHECK(import_type("fleet.csv", "") == "text/csv");
  CHECK(import_type("fleet.jsonl", "") == "application/x-ndjson");
  CHECK(import_type("fleet.ndjson", "") == "application/x-ndjson");
  CHECK(import_type("fleet.txt", "").empty());
  CHECK(import_type("fleet.txt", "csv") == "text/csv");
  CHECK(import_type("fleet.csv", "jsonl") == "application/x-ndjson");
}
