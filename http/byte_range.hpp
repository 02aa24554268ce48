// Which bytes a Range header asks for (spec/ddi.md section 5). Pure.
//
// Stricter than RFC 9110 where the devices' protocol is: a Range that cannot be read is 416, not
// ignored.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "http/time_format.hpp"

namespace ota::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // inclusive
  std::uint64_t size() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

struct RangeDecision {
  bool satisfiable = true;        // false: 416
  std::vector<ByteRange> ranges;  // by start, disjoint
};

// The ranges of `header` in something of `size` bytes. Unsatisfiable: another unit or syntax, a
// range that begins behind its end or the last byte, ranges that overlap, more than
// limits::kByteRanges of them.
RangeDecision parse_byte_ranges(std::string_view header, std::uint64_t size);

// Whether an If-Range header lets the Range stand: it is the quoted `etag`, or a date not before
// `last_modified`. An unreadable value does not (the whole is sent then).
bool if_range_holds(std::string_view header, std::string_view etag, Time last_modified);

}  // namespace ota::http
