#include "tools/otad/setting_values.hpp"

#include <charconv>

#include <fmt/format.h>

namespace ota::tools {

std::uint64_t number(const std::string& text, std::uint64_t low, std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
    throw BadValue(fmt::format("a whole number from {} to {} is wanted", low, high));
  }
  return value;
}

domain::Duration duration(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  if (fault == std::errc{} && value < 1'000'000'000) {
    const auto n = static_cast<std::int64_t>(value);
    if (unit == "ms") return std::chrono::milliseconds(n);
    if (unit == "s") return std::chrono::seconds(n);
    if (unit == "m") return std::chrono::minutes(n);
    if (unit == "h") return std::chrono::hours(n);
  }
  throw BadValue("a duration such as 250ms, 1s, 5m or 24h is wanted");
}

domain::Duration duration_within(const std::string& text, domain::Duration low, domain::Duration high) {
  const auto value = duration(text);
  if (value < low || value > high) {
    throw BadValue(fmt::format("a duration from {} ms to {} s is wanted",
                               std::chrono::duration_cast<std::chrono::milliseconds>(low).count(),
                               std::chrono::duration_cast<std::chrono::seconds>(high).count()));
  }
  return value;
}

bool on_or_off(const std::string& text) {
  if (text == "on" || text == "true") return true;
  if (text == "off" || text == "false") return false;
  throw BadValue("on or off is wanted");
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> list;
  std::string word;
  for (const char c : text + ",") {
    if (c == ',') {
      if (!word.empty()) list.push_back(std::move(word));
      word.clear();
    } else if (c != ' ') {
      word.push_back(c);
    }
  }
  return list;
}

std::string one_of(const std::string& text, std::initializer_list<const char*> allowed) {
  for (const auto* word : allowed) {
    if (text == word) return text;
  }
  throw BadValue(fmt::format("one of {} is wanted", fmt::join(allowed, ", ")));
}

}  // namespace ota::tools
