#include "http/json_reader.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "http/text.hpp"

namespace ota::http {
namespace {

using Json = nlohmann::json;

// A value as it may stand in a message.
std::string shown_json(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return shown(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string wants(std::string_view words, const Json& value) {
  return fmt::format("must be {}, got {}", words, shown_json(value));
}

// The whole number that a JSON number is, as a double or not; empty if it is none.
std::optional<std::int64_t> whole_number(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    // Beyond the signed range every bound is passed; the largest value says so.
    return static_cast<std::int64_t>(
        std::min<std::uint64_t>(number, std::numeric_limits<std::int64_t>::max()));
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  constexpr double kLimit = 9.2e18;  // inside the signed range on both sides
  if (std::nearbyint(number) != number || number > kLimit || number < -kLimit) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

}  // namespace

JsonReader::JsonReader(Json& value, FieldErrors& errors, Json location)
    : errors_(errors), location_(std::move(location)) {
  if (value.is_object()) {
    object_ = &value;
  } else {
    errors_.add(location_, wants("an object", value), "dict_type");
  }
}

Json JsonReader::location(std::string_view name) const {
  Json location = location_;
  location.push_back(name);
  return location;
}

Json* JsonReader::find(std::string_view name) const {
  if (!object_) return nullptr;
  const auto at = object_->find(name);
  return at == object_->end() || at->is_null() ? nullptr : &*at;
}

bool JsonReader::has(std::string_view name) const { return find(name) != nullptr; }

void JsonReader::fail(std::string_view name, std::string message, std::string_view type) {
  place(name).fail(std::move(message), type);
}

void JsonReader::require(std::string_view name) {
  if (object_ && !has(name)) fail(name, "field required", "missing");
}

Json* JsonReader::of_type(std::string_view name, Json::value_t type, std::string_view words,
                          std::string_view error_type) {
  Json* value = find(name);
  if (!value || value->type() == type) return value;
  fail(name, wants(words, *value), error_type);
  return nullptr;
}

std::string* JsonReader::text_of(std::string_view name) {
  Json* value = of_type(name, Json::value_t::string, "a string", "string_type");
  return value ? value->get_ptr<std::string*>() : nullptr;
}

std::optional<std::string> JsonReader::string(std::string_view name, Length length) {
  std::string* text = text_of(name);
  if (!text || !check_length(place(name), *text, length)) return std::nullopt;
  return std::move(*text);
}

std::string JsonReader::required_string(std::string_view name, Length length) {
  require(name);
  return string(name, length).value_or("");
}

std::string JsonReader::string_or(std::string_view name, Length length, std::string_view fallback) {
  return string(name, length).value_or(std::string(fallback));
}

std::optional<std::int64_t> JsonReader::integer(std::string_view name, IntegerBounds bounds) {
  const Json* value = find(name);
  if (!value) return std::nullopt;
  const auto number = whole_number(*value);
  if (!number) {
    fail(name, wants("a whole number", *value), value->is_number() ? "int_from_float" : "int_type");
    return std::nullopt;
  }
  return check_bounds(place(name), *number, bounds) ? number : std::nullopt;
}

std::int64_t JsonReader::required_integer(std::string_view name, IntegerBounds bounds) {
  require(name);
  return integer(name, bounds).value_or(0);
}

std::int64_t JsonReader::integer_or(std::string_view name, IntegerBounds bounds,
                                    std::int64_t fallback) {
  return integer(name, bounds).value_or(fallback);
}

std::optional<double> JsonReader::number(std::string_view name, NumberBounds bounds) {
  const Json* value = find(name);
  if (!value) return std::nullopt;
  if (!value->is_number()) {
    fail(name, wants("a number", *value), "float_type");
    return std::nullopt;
  }
  const double number = value->get<double>();
  return check_bounds(place(name), number, bounds) ? std::optional(number) : std::nullopt;
}

double JsonReader::required_number(std::string_view name, NumberBounds bounds) {
  require(name);
  return number(name, bounds).value_or(0);
}

double JsonReader::number_or(std::string_view name, NumberBounds bounds, double fallback) {
  return number(name, bounds).value_or(fallback);
}

std::optional<bool> JsonReader::boolean(std::string_view name) {
  const Json* value = of_type(name, Json::value_t::boolean, "true or false", "bool_type");
  return value ? std::optional(value->get<bool>()) : std::nullopt;
}

bool JsonReader::required_boolean(std::string_view name) {
  require(name);
  return boolean(name).value_or(false);
}

bool JsonReader::boolean_or(std::string_view name, bool fallback) {
  return boolean(name).value_or(fallback);
}

std::optional<Time> JsonReader::time(std::string_view name) {
  const std::string* text = text_of(name);
  return text ? check_time(place(name), *text) : std::nullopt;
}

std::optional<Time> JsonReader::required_time(std::string_view name) {
  require(name);
  return time(name);
}

template <class Check>
std::optional<std::vector<std::string>> JsonReader::checked_strings(std::string_view name, std::size_t count_max,
                                                                    const Check& check) {
  Json* items = list(name);
  if (!items) return std::nullopt;
  if (items->size() > count_max) {
    fail(name, fmt::format("must have at most {} items, got {}", count_max, items->size()),
         "too_long");
    return std::nullopt;
  }
  std::vector<std::string> values;
  values.reserve(items->size());
  const std::size_t errors_before = errors_.size();
  FieldPlace item = place(name);
  item.location.push_back(0);
  for (std::size_t i = 0; i < items->size(); ++i) {
    item.location.back() = i;
    auto* text = (*items)[i].get_ptr<std::string*>();
    if (!text) {
      item.fail(wants("a string", (*items)[i]), "string_type");
    } else if (check(item, *text)) {
      values.push_back(std::move(*text));
    }
  }
  if (errors_.size() != errors_before) return std::nullopt;
  return values;
}

std::optional<std::vector<std::string>> JsonReader::strings(std::string_view name, std::size_t count_max, Length each) {
  return checked_strings(name, count_max,
                         [each](const FieldPlace& item, std::string_view text) { return check_length(item, text, each); });
}

std::optional<std::vector<std::string>> JsonReader::strings(std::string_view name, std::size_t count_max, CheckText check) {
  return checked_strings(name, count_max, check);
}

std::vector<std::string> JsonReader::required_strings(std::string_view name, std::size_t count_max, CheckText check) {
  require(name);
  return strings(name, count_max, check).value_or(std::vector<std::string>());
}

Json* JsonReader::object(std::string_view name) {
  return of_type(name, Json::value_t::object, "an object", "dict_type");
}

Json* JsonReader::list(std::string_view name) {
  return of_type(name, Json::value_t::array, "a list", "list_type");
}

}  // namespace ota::http
