// The bounds that a field's value is checked against, and the checks that a body and a query share.
//
// A check returns whether the value is good and otherwise adds the error, with the offending value
// in its text.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "http/field_errors.hpp"
#include "http/time_format.hpp"

namespace ota::http {

// Characters of a string, both ends allowed.
struct Length {
  std::size_t min = 0;
  std::size_t max = std::numeric_limits<std::size_t>::max();
};

struct IntegerBounds {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

struct NumberBounds {
  double min = std::numeric_limits<double>::lowest();
  double max = std::numeric_limits<double>::max();
};

// Where a value stands in the request, and where its errors go.
struct FieldPlace {
  FieldErrors& errors;
  nlohmann::json location;

  void fail(std::string message, std::string_view type) const {
    errors.add(location, std::move(message), type);
  }
};

// Text, of so many characters: UTF-8 without control characters but tabs and line ends; not blank, if it may not be empty.
bool check_length(const FieldPlace& place, std::string_view value, Length length);
// The same of at most so many bytes.
bool check_bytes(const FieldPlace& place, std::string_view value, std::size_t max);
bool check_bounds(const FieldPlace& place, std::int64_t value, IntegerBounds bounds);
bool check_bounds(const FieldPlace& place, double value, NumberBounds bounds);
// `allowed` lists the words for people: "low, normal, high".
void fail_word(const FieldPlace& place, std::string_view value, std::string_view allowed);
std::optional<Time> check_time(const FieldPlace& place, std::string_view value);

}  // namespace ota::http
