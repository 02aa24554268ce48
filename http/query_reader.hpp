// Reads the parameters of a query string and collects every error, as JsonReader does for a body.
//
// Names and values are percent-decoded once, '+' is a space. Of a parameter given twice the first
// value counts for the single-valued readers. An empty value is absent.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/field_bounds.hpp"
#include "http/field_errors.hpp"

namespace ota::http {

struct Page {
  std::int64_t limit = 0;
  std::int64_t offset = 0;
};

class QueryReader {
 public:
  // `query` is what follows the '?'. Adds an error for each parameter that cannot be decoded.
  QueryReader(std::string_view query, FieldErrors& errors);

  // All of them, decoded, in the order in which they were given; without the empty ones.
  const std::vector<std::pair<std::string, std::string>>& parameters() const { return parameters_; }
  // Whether it was given without a value; to the readers it is absent.
  bool is_empty(std::string_view name) const { return std::find(empty_.begin(), empty_.end(), name) != empty_.end(); }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::optional<std::string> string(std::string_view name, Length length = {});
  // Every value of a parameter that may be repeated.
  std::vector<std::string> strings(std::string_view name, Length each = {});
  std::optional<std::int64_t> integer(std::string_view name, IntegerBounds bounds);
  std::int64_t integer_or(std::string_view name, IntegerBounds bounds, std::int64_t fallback);
  // true, 1, yes, on; false, 0, no, off.
  std::optional<bool> boolean(std::string_view name);
  std::optional<Time> time(std::string_view name);
  // limit 1-200 (default 50), offset from 0 (spec/api.md section 1).
  Page page();

  template <typename Parse>
  auto word(std::string_view name, Parse parse, std::string_view allowed)
      -> decltype(parse(std::string_view())) {
    const std::string* text = find(name);
    if (!text) return std::nullopt;
    const auto parsed = parse(std::string_view(*text));
    if (!parsed) fail_word(place(name), *text, allowed);
    return parsed;
  }

  // Adds an error for each parameter that is none of these, is empty, or comes a second time: where what is not understood would
  // be an answer about something else.
  void allow_only(std::initializer_list<std::string_view> names);

  // Adds an error if it comes a second time.
  void allow_once(std::string_view name);

  // Adds an error of the caller's own about a parameter.
  void fail(std::string_view name, std::string message, std::string_view type = "value_error");
  // Where such an error has its place.
  FieldPlace place(std::string_view name) const {
    return {errors_, nlohmann::json::array({"query", name})};
  }

 private:
  const std::string* find(std::string_view name) const;

  std::vector<std::pair<std::string, std::string>> parameters_;
  std::vector<std::string> empty_;
  FieldErrors& errors_;
};

}  // namespace ota::http
