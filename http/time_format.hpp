// Points of time as text: ISO 8601 with microseconds for JSON, IMF-fixdate for HTTP headers.
//
// Pure and quick (no locale, no C library): lists print thousands of them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace ota::http {

using Time = std::chrono::sys_time<std::chrono::microseconds>;  // UTC, as domain::Time

// "2026-01-02T03:04:05.678901Z", always 27 characters. Years outside 0000-9999 are shown as the
// nearest of them.
std::string format_time(Time time);
void append_time(std::string& out, Time time);

// "Fri, 02 Jan 2026 03:04:05 GMT"; fractions of a second are dropped.
std::string format_http_date(Time time);

// The time of an ISO 8601 text: date, 'T' or space, hours and minutes, optional seconds with a
// fraction (digits after the sixth are dropped), and 'Z' or an offset. Anything else, or a day or
// time that does not exist: what is wrong.
enum class TimeError { kNone, kNotATime, kNoOffset };
struct ParsedTime {
  Time time{};
  TimeError error = TimeError::kNone;
};
ParsedTime parse_time(std::string_view text);

// The time of an IMF-fixdate ("Fri, 02 Jan 2026 03:04:05 GMT"); empty for every other text.
std::optional<Time> parse_http_date(std::string_view text);

}  // namespace ota::http
