#include "http/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "http/json_builder.hpp"

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

}  // namespace

std::variant<nlohmann::json, Problem> parse_json(std::string_view text) {
  JsonBuilder builder("JSON", [&](std::size_t offset) { return place_of(text, offset, Lines::kMany); });
  if (nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return builder.take();
  return Problem::bad_request("The request body " + builder.error());
}

std::variant<nlohmann::json, std::string> parse_json_line(std::string_view line) {
  JsonBuilder builder("JSON", [&](std::size_t offset) { return place_of(line, offset, Lines::kOne); });
  if (nlohmann::json::sax_parse(line.begin(), line.end(), &builder)) return builder.take();
  return builder.error();
}

}  // namespace ota::http
