#include "http/field_bounds.hpp"

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

}  // namespace

bool check_length(const FieldPlace& place, std::string_view value, Length length) {
  const auto count = count_characters(value);
  if (!count) {
    place.fail("must be UTF-8 text", "string_unicode");
    return false;
  }
  if (const auto nul = value.find('\0'); nul != std::string_view::npos) {
    place.fail(fmt::format("holds a NUL byte behind '{}'", shown(value.substr(0, nul))), "string_pattern_mismatch");
    return false;
  }
  if (length.min > 0 && !value.empty() && value.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    place.fail("must not be blank", "string_too_short");
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
