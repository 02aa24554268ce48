// Builds a JSON value from the calls of a parser, with limits: nothing of it recurses.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {

// `open_` is the path to where the next value goes.
class JsonBuilder {
 public:
  using Json = nlohmann::json;

  // `format` is what the text should be, `place_of` names the place of its byte with this number.
  using PlaceOf = std::function<std::string(std::size_t)>;
  JsonBuilder(std::string_view format, PlaceOf place_of) : format_(format), place_of_(std::move(place_of)) {}
  Json take() { return std::move(root_); }
  // What is wrong with the text, without its name in front.
  const std::string& error() const { return error_; }

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(Json::number_integer_t value) { return put(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return put(value); }
  bool number_float(Json::number_float_t value, const Json::string_t&) { return put(value); }
  bool string(Json::string_t& value) { return is_text(value) && put(std::move(value)); }
  bool binary(Json::binary_t&) {
    error_ = "holds a byte string, for which JSON has no word";
    return false;
  }
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(Json::string_t& name) {
    if (!is_text(name)) return false;
    member_ = &(*open_.back())[std::move(name)];
    return true;
  }

  template <typename Exception>
  bool parse_error(std::size_t position, const std::string& last_token, const Exception& cause) {
    const std::size_t offset = position == 0 ? 0 : position - 1;  // of the last byte read
    error_ = fmt::format("is not valid {}: {}: {}", format_, place_of_(offset), reason_of(cause.what()));
    if (!last_token.empty()) error_ += fmt::format(" at '{}'", shown(last_token));
    return false;
  }

 private:
  // The library's words without its error number and its own position.
  static std::string reason_of(std::string_view what) {
    const auto dash = what.find(" - ");
    if (dash != std::string_view::npos) {
      what.remove_prefix(dash + 3);
      return std::string(what.substr(0, what.find("; ")));
    }
    const auto bracket = what.find("] ");
    if (bracket != std::string_view::npos) what.remove_prefix(bracket + 2);
    return std::string(what);
  }

  // Puts a value where the next one belongs; returns its place.
  Json* place(Json&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return &open_.back()->back();
    }
    *member_ = std::move(value);
    return member_;
  }

  template <typename Value>
  bool put(Value&& value) {
    place(Json(std::forward<Value>(value)));
    return true;
  }

  bool open(Json&& container) {
    if (open_.size() == limits::kJsonDepth) {
      error_ = fmt::format("is nested deeper than {} levels", limits::kJsonDepth);
      return false;
    }
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  // A parser of JSON text has looked already; others take any bytes.
  bool is_text(const Json::string_t& value) {
    if (count_characters(value)) return true;
    error_ = "holds a text that is not UTF-8";
    return false;
  }

  std::string_view format_;
  PlaceOf place_of_;
  Json root_;
  std::vector<Json*> open_;
  Json* member_ = nullptr;
  std::string error_;
};

}  // namespace ota::http
