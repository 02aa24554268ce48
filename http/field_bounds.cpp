#include "http/field_bounds.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "http/text.hpp"

namespace ota::http {
namespace {

template <typename Number, typename Bounds>
bool check_number(const FieldPlace& place, Number value, Bounds bounds) {
  if (value < bounds.min) {
    place.fail(fmt::format("must be at least {}, got {}", bounds.min, value), "greater_than_equal");
    return false;
  }
  if (value > bounds.max) {
    place.fail(fmt::format("must be at most {}, got {}", bounds.max, value), "less_than_equal");
    return false;
  }
  return true;
}

// A control character that is neither a tab nor the end of a line.
bool is_no_text(char c) { return has_control_character({&c, 1}) && c != '\t' && c != '\n' && c != '\r'; }

}  // namespace

bool check_length(const FieldPlace& place, std::string_view value, Length length) {
  const auto count = count_characters(value);
  if (!count) {
    place.fail(fmt::format("must be UTF-8 text, got '{}'", shown(value)), "string_unicode");
    return false;
  }
  if (const auto at = std::find_if(value.begin(), value.end(), is_no_text); at != value.end()) {
    place.fail(fmt::format("holds the control character 0x{:02x} behind '{}'", static_cast<unsigned char>(*at),
                           shown(value.substr(0, static_cast<std::size_t>(at - value.begin())))),
               "string_pattern_mismatch");
    return false;
  }
  if (length.min > 0 && !value.empty() && value.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    place.fail(fmt::format("must not be blank, got '{}'", shown(value)), "string_too_short");
    return false;
  }
  if (*count < length.min) {
    place.fail(fmt::format("must have at least {} character{}, got {} in '{}'", length.min,
                           length.min == 1 ? "" : "s", *count, shown(value)),
               "string_too_short");
    return false;
  }
  if (*count > length.max) {
    place.fail(fmt::format("must have at most {} characters, got {} in '{}'", length.max, *count,
                           shown(value)),
               "string_too_long");
    return false;
  }
  return true;
}

bool check_bytes(const FieldPlace& place, std::string_view value, std::size_t max) {
  if (!check_length(place, value, {})) return false;
  if (value.size() <= max) return true;
  place.fail(fmt::format("must have at most {} bytes, got {} in '{}'", max, value.size(), shown(value)), "string_too_long");
  return false;
}

bool check_bounds(const FieldPlace& place, std::int64_t value, IntegerBounds bounds) {
  return check_number(place, value, bounds);
}

bool check_bounds(const FieldPlace& place, double value, NumberBounds bounds) {
  return check_number(place, value, bounds);
}

void fail_word(const FieldPlace& place, std::string_view value, std::string_view allowed) {
  place.fail(fmt::format("must be one of {}, got '{}'", allowed, shown(value)), "enum");
}

std::optional<Time> check_time(const FieldPlace& place, std::string_view value) {
  const ParsedTime parsed = parse_time(value);
  switch (parsed.error) {
    case TimeError::kNone:
      return parsed.time;
    case TimeError::kNoOffset:
      place.fail(fmt::format("must end in Z or an offset from UTC, got '{}'", shown(value)),
                 "timezone_aware");
      return std::nullopt;
    case TimeError::kNotATime:
      break;
  }
  place.fail(
      fmt::format("must be an ISO 8601 time such as 2026-01-02T03:04:05Z, got '{}'", shown(value)),
      "datetime_parsing");
  return std::nullopt;
}

}  // namespace ota::http
