#include "http/conditional.hpp"

#include <charconv>

#include "http/text.hpp"

namespace ota::http {
namespace {

std::string_view without_quotes(std::string_view item) {
  if (item.size() >= 2 && item.front() == '"' && item.back() == '"') {
    return item.substr(1, item.size() - 2);
  }
  return item;
}

}  // namespace

bool etag_list_holds(std::string_view list, std::string_view etag, bool weak_counts) {
  bool holds = false;
  for_each_item(list, [&](std::string_view item) {
    const bool weak = item.starts_with("W/");
    if (weak) item.remove_prefix(2);
    if (item == "*" || ((!weak || weak_counts) && without_quotes(item) == etag)) holds = true;
  });
  return holds;
}

std::optional<std::vector<std::uint32_t>> revisions_of(std::optional<std::string_view> if_match) {
  if (!if_match) return std::nullopt;
  bool any = false;
  std::vector<std::uint32_t> named;
  for_each_item(*if_match, [&](std::string_view item) {
    any = any || item == "*";
    const auto digits = without_quotes(item);
    std::uint32_t number = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && stop == digits.data() + digits.size()) named.push_back(number);
  });
  if (any) return std::nullopt;
  return named;
}

}  // namespace ota::http
