// Feeds: the value of a Range, If-Range, If-Match or If-None-Match header.
//
// Claims, for files of many sizes: every range lies within the file, they are sorted, disjoint and
// not too many, they are just the bytes that a plain reading of each item names, in whatever order
// the items stand, and mean the same when they are written down again. If-Range holds for the
// quoted tag and for a date that reads and writes as the same text, and a file that changed later
// never makes it hold. A tag is in a list where one of its items names it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string>

#include "http/byte_range.hpp"
#include "http/conditional.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ota::http;
using namespace ota::fuzz;

namespace {

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
constexpr std::array<std::uint64_t, 9> kSizes{0,           1,         2,         10,   1'000,
                                              524'288'000, kHuge / 2, kHuge - 1, kHuge};

std::string written(const std::vector<ByteRange>& ranges, bool backwards) {
  std::string text = "bytes=";
  auto given = ranges;
  if (backwards) std::reverse(given.begin(), given.end());
  for (const auto& range : given)
    text += fmt::format("{}{}-{}", text.ends_with('=') ? "" : ",", range.first, range.last);
  return text;
}

void check_decision(std::string_view header, std::uint64_t size) {
  const auto decision = parse_byte_ranges(header, size);
  if (!decision.satisfiable) {
    claim(decision.ranges.empty(), "what is refused has no ranges");
    return;
  }
  claim(!decision.ranges.empty() && decision.ranges.size() <= limits::kByteRanges,
        "ranges are there and bounded");
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < decision.ranges.size(); ++i) {
    const auto& range = decision.ranges[i];
    claim(range.first <= range.last && range.last < size, "a range lies within the file");
    claim(i == 0 || decision.ranges[i - 1].last < range.first, "ranges are sorted and disjoint");
    total += range.size();
    claim(total >= range.size() && total <= size, "together they are no more than the file");
  }
  for (const bool backwards : {false, true}) {
    const auto again = parse_byte_ranges(written(decision.ranges, backwards), size);
    claim(again.satisfiable && again.ranges == decision.ranges,
          "written down in any order, they are the same");
  }
}

// What the items name, byte by byte, in a file of a few bytes; empty: nothing can be sent.
std::set<int> bytes_named(std::string_view header, int size) {
  std::set<int> named;
  const auto equals = header.find('=');
  if (equals == std::string_view::npos) return {};
  std::string_view rest = header.substr(equals + 1);
  std::size_t items = 0;
  for (bool more = true; more; ++items) {
    const auto comma = rest.find(',');
    more = comma != std::string_view::npos;
    const auto item = trim(rest.substr(0, comma));
    if (more) rest.remove_prefix(comma + 1);
    const auto dash = item.find('-');
    if (dash == std::string_view::npos) return {};
    // Past the last byte of so small a file, every number is as good as 1000.
    const auto number = [](std::string_view digits) {
      if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
        return -1;
      const auto from = digits.find_first_not_of('0');
      if (from == std::string_view::npos) return 0;
      return digits.size() - from > 3 ? 1000 : std::stoi(std::string(digits));
    };
    const auto left = item.substr(0, dash);
    const auto right = item.substr(dash + 1);
    int first = number(left);
    int last = right.empty() ? size - 1 : number(right);
    if (left.empty()) {
      if (right.empty() || last < 1) return {};
      first = std::max(0, size - last);
      last = size - 1;
    }
    if (first < 0 || last < first || first >= size) return {};
    for (int at = first; at <= std::min(last, size - 1); ++at) {
      if (!named.insert(at).second) return {};  // they overlap
    }
  }
  return items > limits::kByteRanges ? std::set<int>{} : named;
}

void check_small(std::string_view header, int size) {
  const auto decision = parse_byte_ranges(header, static_cast<std::uint64_t>(size));
  const auto trimmed = trim(header);
  const bool is_bytes = equals_ignoring_case(trimmed.substr(0, trimmed.find('=')), "bytes");
  const auto expected = is_bytes ? bytes_named(trimmed, size) : std::set<int>{};
  std::set<int> sent;
  for (const auto& range : decision.ranges) {
    for (auto at = range.first; at <= range.last; ++at) sent.insert(static_cast<int>(at));
  }
  claim(sent == expected, "what is sent is what a plain reading names");
}

void check_if_range(std::string_view header) {
  const auto value = trim(header);
  const auto date = parse_http_date(value);
  if (date)
    claim(format_http_date(*date).substr(3) == value.substr(3),
          "a date reads and writes as the same text");
  for (const std::int64_t us : {std::int64_t{0}, std::int64_t{1'772'323'200'500'000},
                                std::int64_t{253'402'300'799'000'000}}) {
    const Time modified{std::chrono::microseconds(us)};
    for (const std::string_view tag : {std::string_view(""), std::string_view("a"), value}) {
      const bool is_tag = value == "\"" + std::string(tag) + "\"";
      const bool holds = if_range_holds(header, tag, modified);
      claim(holds ==
                (is_tag || (date && *date >= std::chrono::floor<std::chrono::seconds>(modified))),
            "it is the tag, or a date that is no earlier");
      claim(!if_range_holds(header, tag, modified + std::chrono::seconds(1)) || holds,
            "a later change never makes it hold");
    }
    claim(if_range_holds(format_http_date(modified), "", modified), "the file's own date holds");
  }
  claim(if_range_holds("\"" + std::string(value) + "\"", value, Time{}), "its own tag holds");
}

void check_tags(std::string_view list) {
  bool any = false;
  std::size_t seen = 0;
  for_each_item(list, [&](std::string_view item) {
    any = any || item == "*" || item == "W/*";
    if (++seen > 16) return;  // the square of a long list takes long
    const bool weak = item.starts_with("W/");
    if (weak) item.remove_prefix(2);
    const bool quoted = item.size() >= 2 && item.front() == '"' && item.back() == '"';
    const auto tag = quoted ? item.substr(1, item.size() - 2) : item;
    claim(etag_list_holds(list, tag, true), "an item that is there is found");
    claim(weak || etag_list_holds(list, tag, false),
          "and a strong one also where weak ones do not count");
  });
  for (const bool weak_counts : {false, true}) {
    claim(etag_list_holds(list, "no item of it: it has, a comma", weak_counts) == any,
          "no other one is found");
  }
  const auto revisions = revisions_of(list);
  if (!revisions) return claim(any, "any revision is asked for by a star alone");
  for (const auto revision : *revisions) {
    claim(list.find(std::to_string(revision)) != std::string_view::npos ||
              list.find('0') != std::string_view::npos,
          "a revision is one that was named");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Guarded guarded(text_of(data, size));
  for (const auto bytes : kSizes) check_decision(guarded.view(), bytes);
  for (const int bytes : {0, 1, 2, 5, 40}) check_small(guarded.view(), bytes);
  check_if_range(guarded.view());
  check_tags(guarded.view());
  return 0;
}
