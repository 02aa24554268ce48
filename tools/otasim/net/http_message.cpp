#include "tools/otasim/net/http_message.hpp"

#include <algorithm>
#include <charconv>

namespace ota::sim {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view text, std::string_view lower_case) {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return lower(a) == b; });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

template <class Number>
std::optional<Number> number_at_start(std::string_view text) {
  Number number{};
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{})
    return std::nullopt;
  return number;
}

void read_length(std::string_view value, HttpHead& head) {
  const bool digits = value.find_first_not_of("0123456789") == std::string_view::npos;
  const auto length = digits ? number_at_start<std::int64_t>(value) : std::nullopt;
  if (!length || (head.length && head.length != length)) head.malformed = true;
  head.length = length;
}

void read_field(std::string_view name, std::string_view value, HttpHead& head) {
  switch (name.size()) {
    case 8:
      if (same_word(name, "location")) head.location = value;
      return;
    case 10:
      if (same_word(name, "connection") && same_word(value, "close")) head.closes = true;
      return;
    case 11:
      if (same_word(name, "retry-after"))
        head.retry_after = std::chrono::seconds{
            std::clamp<std::int64_t>(number_at_start<std::int64_t>(value).value_or(0), 0, 86'400)};
      return;
    case 13:
      if (same_word(name, "content-range") && value.starts_with("bytes "))
        head.range_start = number_at_start<std::int64_t>(value.substr(6));
      return;
    case 14:
      if (same_word(name, "content-length")) read_length(value, head);
      return;
    case 17:
      if (!same_word(name, "transfer-encoding")) return;
      head.chunked = same_word(value, "chunked");
      if (!head.chunked) head.malformed = true;
      return;
    default:
      return;
  }
}

}  // namespace

void read_header_line(std::string_view line, HttpHead& head) {
  if (line.starts_with("HTTP/")) {
    head = {};
    head.closes = line.starts_with("HTTP/1.0");
    const auto space = line.find(' ');
    if (space != std::string_view::npos)
      head.status = number_at_start<long>(line.substr(space + 1)).value_or(0);
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  read_field(line.substr(0, colon), trimmed(line.substr(colon + 1)), head);
}

}  // namespace ota::sim
