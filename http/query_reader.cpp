#include "http/query_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {

QueryReader::QueryReader(std::string_view query, FieldErrors& errors) : errors_(errors) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    const auto raw_name = pair.substr(0, equals);
    const auto raw_value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    auto name = percent_decode(raw_name, PlusSign::kSpace);
    auto value = percent_decode(raw_value, PlusSign::kSpace);
    if (!name || !value) {
      place(name ? std::string_view(*name) : raw_name)
          .fail(fmt::format("must be percent-encoded text, got '{}'", shown(pair)), "url_encoding");
    } else if (value->empty()) {
      empty_.push_back(std::move(*name));
    } else {
      parameters_.emplace_back(std::move(*name), std::move(*value));
    }
  }
}

const std::string* QueryReader::find(std::string_view name) const {
  const auto at = std::find_if(parameters_.begin(), parameters_.end(),
                               [&](const auto& parameter) { return parameter.first == name; });
  return at == parameters_.end() ? nullptr : &at->second;
}

void QueryReader::allow_only(std::initializer_list<std::string_view> names) {
  for (const auto& name : empty_) {
    if (!name.empty()) fail(name, "is empty: a value is wanted, or no " + shown(name), "string_too_short");
  }
  for (const auto& [name, value] : parameters_) {
    if (!is_among(names, name)) {
      fail(name, fmt::format("is no parameter here, got '{}'; {} are", shown(value), fmt::join(names, ", ")), "extra_forbidden");
    }
  }
  for (const auto name : names) allow_once(name);
}

void QueryReader::allow_once(std::string_view name) {
  const std::string* first = find(name);
  for (const auto& [key, value] : parameters_) {
    if (key == name && &value != first) fail(name, fmt::format("is given twice, with '{}' and '{}'", shown(*first), shown(value)));
  }
}

void QueryReader::fail(std::string_view name, std::string message, std::string_view type) {
  place(name).fail(std::move(message), type);
}

std::optional<std::string> QueryReader::string(std::string_view name, Length length) {
  const std::string* text = find(name);
  if (!text || !check_length(place(name), *text, length)) return std::nullopt;
  return *text;
}

std::vector<std::string> QueryReader::strings(std::string_view name, Length each) {
  std::vector<std::string> values;
  for (const auto& [key, value] : parameters_) {
    if (key == name && check_length(place(name), value, each)) values.push_back(value);
  }
  return values;
}

std::optional<std::int64_t> QueryReader::integer(std::string_view name, IntegerBounds bounds) {
  const std::string* text = find(name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (stop != end || (error != std::errc() && error != std::errc::result_out_of_range)) {
    fail(name, fmt::format("must be a whole number, got '{}'", shown(*text)), "int_parsing");
    return std::nullopt;
  }
  if (error == std::errc::result_out_of_range) {
    fail(name, fmt::format("must be a smaller number, got '{}'", shown(*text)), "int_parsing_size");
    return std::nullopt;
  }
  return check_bounds(place(name), number, bounds) ? std::optional(number) : std::nullopt;
}

std::int64_t QueryReader::integer_or(std::string_view name, IntegerBounds bounds,
                                     std::int64_t fallback) {
  return integer(name, bounds).value_or(fallback);
}

std::optional<bool> QueryReader::boolean(std::string_view name) {
  const std::string* text = find(name);
  if (!text) return std::nullopt;
  for (const std::string_view yes : {"true", "1", "yes", "on"}) {
    if (equals_ignoring_case(*text, yes)) return true;
  }
  for (const std::string_view no : {"false", "0", "no", "off"}) {
    if (equals_ignoring_case(*text, no)) return false;
  }
  fail(name, fmt::format("must be true or false, got '{}'", shown(*text)), "bool_parsing");
  return std::nullopt;
}

std::optional<Time> QueryReader::time(std::string_view name) {
  const std::string* text = find(name);
  return text ? check_time(place(name), *text) : std::nullopt;
}

Page QueryReader::page() {
  constexpr IntegerBounds kLimit{1, limits::kPageLimit};
  constexpr IntegerBounds kOffset{0, std::numeric_limits<std::int64_t>::max()};
  return {integer_or("limit", kLimit, limits::kPageLimitDefault), integer_or("offset", kOffset, 0)};
}

}  // namespace ota::http
