#include "http/conditional.hpp"

#include <charconv>
#include <string>

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

bool IfMatch::allows(std::uint64_t revision) const {
  return !header_ || etag_list_holds(*header_, std::to_string(revision), false);
}

std::optional<std::uint64_t> IfMatch::revision() const {
  if (!header_) return std::nullopt;
  const std::string_view digits = without_quotes(trim(*header_));
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace ota::http
