#include "http/byte_range.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

// The number that all of `digits` is; one too large for 64 bits is the largest (it lies behind
// every end).
std::optional<std::uint64_t> parse_number(std::string_view digits) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t value = 0;
  if (digits.empty()) return std::nullopt;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    const auto next = static_cast<std::uint64_t>(digit - '0');
    value = value > (kMax - next) / 10 ? kMax : value * 10 + next;
  }
  return value;
}

// One of "a-b", "a-", "-n"; empty if it is none of them or names no byte.
std::optional<ByteRange> parse_one(std::string_view text, std::uint64_t size) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || size == 0) return std::nullopt;
  const std::string_view left = text.substr(0, dash);
  const std::string_view right = text.substr(dash + 1);
  if (left.empty()) {
    const auto suffix = parse_number(right);
    if (!suffix || *suffix == 0) return std::nullopt;
    return ByteRange{size - std::min(*suffix, size), size - 1};
  }
  const auto first = parse_number(left);
  if (!first || *first >= size) return std::nullopt;
  if (right.empty()) return ByteRange{*first, size - 1};
  const auto last = parse_number(right);
  if (!last || *last < *first) return std::nullopt;
  return ByteRange{*first, std::min(*last, size - 1)};
}

}  // namespace

RangeDecision parse_byte_ranges(std::string_view header, std::uint64_t size) {
  RangeDecision unsatisfiable{false, {}};
  header = trim(header);
  const auto equals = header.find('=');
  if (equals == std::string_view::npos ||
      !equals_ignoring_case(header.substr(0, equals), "bytes")) {
    return unsatisfiable;
  }
  RangeDecision decision;
  std::string_view rest = header.substr(equals + 1);
  for (bool more = true; more;) {
    const auto comma = rest.find(',');
    more = comma != std::string_view::npos;
    const auto range = parse_one(trim(rest.substr(0, comma)), size);
    if (!range || decision.ranges.size() == limits::kByteRanges) return unsatisfiable;
    decision.ranges.push_back(*range);
    if (more) rest.remove_prefix(comma + 1);
  }
  std::sort(decision.ranges.begin(), decision.ranges.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.first < b.first; });
  const auto overlap = std::adjacent_find(
      decision.ranges.begin(), decision.ranges.end(),
      [](const ByteRange& before, const ByteRange& after) { return after.first <= before.last; });
  return overlap == decision.ranges.end() ? decision : unsatisfiable;
}

bool if_range_holds(std::string_view header, std::string_view etag, Time last_modified) {
  header = trim(header);
  if (header.size() == etag.size() + 2 && header.front() == '"' && header.back() == '"' &&
      header.substr(1, etag.size()) == etag) {
    return true;
  }
  const auto date = parse_http_date(header);
  // A header's date has whole seconds only.
  return date && *date >= std::chrono::floor<std::chrono::seconds>(last_modified);
}

}  // namespace ota::http
