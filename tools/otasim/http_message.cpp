#include "tools/otasim/http_message.hpp"

#include <algorithm>
#include <charconv>

namespace ota::sim {
namespace {

// The value of `line` if its name is `name` (lower case).
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
  const auto same = [](char a, char b) {
    return b == (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a);
  };
  if (!std::equal(name.begin(), name.end(), line.begin(),
                  [same](char b, char a) { return same(a, b); }))
    return std::nullopt;
  line.remove_prefix(name.size() + 1);
  while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
  return line;
}

template <class Number>
std::optional<Number> number_at_start(std::string_view text) {
  Number number{};
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{})
    return std::nullopt;
  return number;
}

}  // namespace

void read_header_line(std::string_view line, HttpHead& head) {
  if (line.starts_with("HTTP/")) {
    head = {};
    const auto space = line.find(' ');
    if (space != std::string_view::npos)
      head.status = number_at_start<long>(line.substr(space + 1)).value_or(0);
  } else if (auto range = value_of(line, "content-range"); range && range->starts_with("bytes ")) {
    head.range_start = number_at_start<std::int64_t>(range->substr(6));
  } else if (const auto after = value_of(line, "retry-after")) {
    head.retry_after = std::chrono::seconds{
        std::clamp<std::int64_t>(number_at_start<std::int64_t>(*after).value_or(0), 0, 86'400)};
  }
}

}  // namespace ota::sim
