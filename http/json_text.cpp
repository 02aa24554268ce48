#include "http/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

enum class Lines { kMany, kOne };

// "line 3, column 14" of the byte at `offset`; "column 14" in one line.
std::string place_of(std::string_view text, std::size_t offset, Lines lines) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto newline = before.rfind('\n');
  const auto column = before.size() - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
  if (lines == Lines::kOne) return fmt::format("column {}", column);
  return fmt::format("line {}, column {}", line, column);
}

// Builds the value from the parser's calls; `open_` is the path to where the next value goes.
class Builder {
 public:
  using Json = nlohmann::json;

  Builder(std::string_view text, Lines lines) : text_(text), lines_(lines) {}
  Json take() { return std::move(root_); }
  // What is wrong with the text, without its name in front.
  const std::string& error() const { return error_; }

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(Json::number_integer_t value) { return put(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return put(value); }
  bool number_float(Json::number_float_t value, const Json::string_t&) { return put(value); }
  bool string(Json::string_t& value) { return put(std::move(value)); }
  bool binary(Json::binary_t&) { return false; }  // not in JSON text
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(Json::string_t& name) {
    member_ = &(*open_.back())[std::move(name)];
    return true;
  }

  template <typename Exception>
  bool parse_error(std::size_t position, const std::string& last_token, const Exception& cause) {
    const std::size_t offset = position == 0 ? 0 : position - 1;  // of the last byte read
    error_ = fmt::format("is not valid JSON: {}: {}", place_of(text_, offset, lines_), reason_of(cause.what()));
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

  std::string_view text_;
  Lines lines_;
  Json root_;
  std::vector<Json*> open_;
  Json* member_ = nullptr;
  std::string error_;
};

}  // namespace

std::variant<nlohmann::json, Problem> parse_json(std::string_view text) {
  Builder builder(text, Lines::kMany);
  if (nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return builder.take();
  return Problem::bad_request("The request body " + builder.error());
}

std::variant<nlohmann::json, std::string> parse_json_line(std::string_view line) {
  Builder builder(line, Lines::kOne);
  if (nlohmann::json::sax_parse(line.begin(), line.end(), &builder)) return builder.take();
  return builder.error();
}

}  // namespace ota::http
