// Reads the fields of a JSON object and collects every error, so that a caller learns of all bad
// fields at once.
//
//   FieldErrors errors;
//   JsonReader body(json, errors);
//   auto name = body.required_string("name", {1, 200});
//   auto batch = body.integer_or("batch_size", {1, 500}, 50);
//   if (!errors.empty()) return context.answer(errors.problem());
//
// A field that is absent or null is absent. A value that was refused is given as empty (or as the
// default), so that reading goes on; nothing read may be used while there are errors. Fields that
// nobody reads are ignored. Integers: whole numbers, 5.0 included; neither "5" nor true. Strings
// are moved out of the object.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/field_bounds.hpp"
#include "http/field_errors.hpp"

namespace ota::http {

class JsonReader {
 public:
  // Adds an error at once, and then finds every field absent, if `value` is not an object.
  JsonReader(nlohmann::json& value, FieldErrors& errors,
             nlohmann::json location = nlohmann::json::array({"body"}));

  bool has(std::string_view name) const;

  std::string required_string(std::string_view name, Length length);
  std::optional<std::string> string(std::string_view name, Length length);
  std::string string_or(std::string_view name, Length length, std::string_view fallback);

  std::int64_t required_integer(std::string_view name, IntegerBounds bounds);
  std::optional<std::int64_t> integer(std::string_view name, IntegerBounds bounds);
  std::int64_t integer_or(std::string_view name, IntegerBounds bounds, std::int64_t fallback);

  double required_number(std::string_view name, NumberBounds bounds);
  std::optional<double> number(std::string_view name, NumberBounds bounds);
  double number_or(std::string_view name, NumberBounds bounds, double fallback);

  bool required_boolean(std::string_view name);
  std::optional<bool> boolean(std::string_view name);
  bool boolean_or(std::string_view name, bool fallback);

  std::optional<Time> required_time(std::string_view name);
  std::optional<Time> time(std::string_view name);

  // A list of strings. Too many items is one error; each bad item is an error of its own.
  std::optional<std::vector<std::string>> strings(std::string_view name, std::size_t count_max,
                                                  Length each);
  // The same where more than the length is checked: `check` names what is wrong with an item at its place.
  using CheckText = bool (*)(const FieldPlace&, std::string_view);
  std::optional<std::vector<std::string>> strings(std::string_view name, std::size_t count_max, CheckText check);
  std::vector<std::string> required_strings(std::string_view name, std::size_t count_max, CheckText check);

  // The object or list itself, for whoever reads on; null if absent or of another type.
  nlohmann::json* object(std::string_view name);
  nlohmann::json* list(std::string_view name);

  // A word of an enumeration: `parse` turns it into an optional; `allowed` names the words for
  // people.
  template <typename Parse>
  auto word(std::string_view name, Parse parse, std::string_view allowed)
      -> decltype(parse(std::string_view())) {
    const std::string* text = text_of(name);
    if (!text) return std::nullopt;
    const auto parsed = parse(std::string_view(*text));
    if (!parsed) fail_word(place(name), *text, allowed);
    return parsed;
  }
  template <typename Value, typename Parse>
  Value word_or(std::string_view name, Parse parse, std::string_view allowed, Value fallback) {
    return word(name, parse, allowed).value_or(fallback);
  }

  // Adds an error of the caller's own about a field.
  void fail(std::string_view name, std::string message, std::string_view type = "value_error");
  // The location of a field: ["body", name].
  nlohmann::json location(std::string_view name) const;

 private:
  template <class Check>
  std::optional<std::vector<std::string>> checked_strings(std::string_view name, std::size_t count_max, const Check& check);
  nlohmann::json* find(std::string_view name) const;
  FieldPlace place(std::string_view name) const { return {errors_, location(name)}; }
  // The text of a field; null if absent (no error) or not a string (an error).
  std::string* text_of(std::string_view name);
  nlohmann::json* of_type(std::string_view name, nlohmann::json::value_t type,
                          std::string_view words, std::string_view error_type);
  // Adds "field required" if the field is absent.
  void require(std::string_view name);

  nlohmann::json* object_ = nullptr;
  FieldErrors& errors_;
  nlohmann::json location_;
};

}  // namespace ota::http
