#include "http/time_format.hpp"

#include <doctest/doctest.h>

namespace {

using namespace ota::http;

Time at(std::int64_t us) { return Time(std::chrono::microseconds(us)); }

}  // namespace

TEST_CASE("a time is shown with microseconds and Z") {
  CHECK(format_time(at(1767323045678901)) == "2026-01-02T03:04:05.678901Z");
  CHECK(format_time(at(0)) == "1970-01-01T00:00:00.000000Z");
  CHECK(format_time(at(951782400000000)) == "2000-02-29T00:00:00.000000Z");
  CHECK(format_time(at(-1)) == "1969-12-31T23:59:59.999999Z");
  std::string text = "at ";
  append_time(text, at(1));
  CHECK(text == "at 1970-01-01T00:00:00.000001Z");
}

TEST_CASE("a time beyond the calendar is shown as its nearest end") {
  CHECK(format_time(Time::max()) == "9999-12-31T23:59:59.999999Z");
  CHECK(format_time(Time::min()) == "0000-01-01T00:00:00.000000Z");
}

TEST_CASE("what is shown is read back as the same time") {
  for (std::int64_t us = -5'000'000'000'000'000; us < 250'000'000'000'000'000;
       us += 7'777'777'777'777) {
    const auto parsed = parse_time(format_time(at(us)));
    REQUIRE(parsed.error == TimeError::kNone);
    REQUIRE(parsed.time == at(us));
  }
}

TEST_CASE("ISO 8601 is read in its usual forms") {
  for (const char* text :
       {"2026-01-02T03:04:05.678901Z", "2026-01-02t03:04:05.678901z", "2026-01-02 03:04:05.678901Z",
        "2026-01-02T03:04:05,678901Z", "2026-01-02T03:04:05.678901999Z",
        "2026-01-02T04:04:05.678901+01:00", "2026-01-02T04:34:05.678901+0130",
        "2026-01-01T22:04:05.678901-05", "2026-01-02T03:04:05.678901-00:00"}) {
    CAPTURE(text);
    const auto parsed = parse_time(text);
    CHECK(parsed.error == TimeError::kNone);
    CHECK(format_time(parsed.time) == "2026-01-02T03:04:05.678901Z");
  }
  CHECK(format_time(parse_time("2026-01-02T03:04Z").time) == "2026-01-02T03:04:00.000000Z");
  CHECK(format_time(parse_time("2026-01-02T03:04:05.5Z").time) == "2026-01-02T03:04:05.500000Z");
}

TEST_CASE("a time without an offset is told from no time at all") {
  CHECK(parse_time("2026-01-02T03:04:05").error == TimeError::kNoOffset);
  CHECK(parse_time("2026-01-02T03:04").error == TimeError::kNoOffset);
  for (const char* text : {"",
                           "2026",
                           "2026-01-02",
                           "2026-01-02T",
                           "2026-1-2T03:04:05Z",
                           "2026-13-02T03:04:05Z",
                           "2026-02-29T03:04:05Z",
                           "2026-01-32T03:04:05Z",
                           "2026-00-01T03:04:05Z",
                           "2026-01-02T24:00:00Z",
                           "2026-01-02T03:60:05Z",
                           "2026-01-02T03:04:60Z",
                           "2026-01-02T03:04:05.Z",
                           "2026-01-02T03:04:05ZZ",
                           "2026-01-02T03:04:05+24:00",
                           "2026-01-02T03:04:05+01:60",
                           "2026-01-02T03:04:05+1",
                           "2026-01-02T03:04:05+01:00x",
                           "2026-01-02T03:04:05 Z",
                           "yesterday",
                           "1767323045"}) {
    CAPTURE(text);
    CHECK(parse_time(text).error == TimeError::kNotATime);
  }
}

TEST_CASE("an HTTP date is written and read") {
  CHECK(format_http_date(at(1767323045678901)) == "Fri, 02 Jan 2026 03:04:05 GMT");
  CHECK(parse_http_date("Fri, 02 Jan 2026 03:04:05 GMT") == at(1767323045000000));
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == at(784111777000000));
  for (const char* text : {"", "Fri", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                           "Fri, 02 Jan 2026 03:04:05", "Fri, 2 Jan 2026 03:04:05 GMT",
                           "Fri, 32 Jan 2026 03:04:05 GMT", "Xxx, 02 Jan 2026 03:04:05 GMT",
                           "Fri, 02 Jxn 2026 03:04:05 GMT", "\"etag\""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text));
  }
}
