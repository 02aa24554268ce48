#include "http/byte_range.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace ota::http;
using Ranges = std::vector<ByteRange>;

Ranges ranges_of(std::string_view header, std::uint64_t size) {
  const auto decision = parse_byte_ranges(header, size);
  REQUIRE(decision.satisfiable);
  return decision.ranges;
}

constexpr Time kModified = Time(std::chrono::microseconds(1767323045678901));

}  // namespace

TEST_CASE("one range in each of its three forms") {
  CHECK(ranges_of("bytes=0-3", 100) == Ranges{{0, 3}});
  CHECK(ranges_of("bytes=99-99", 100) == Ranges{{99, 99}});
  CHECK(ranges_of("bytes=40-", 100) == Ranges{{40, 99}});
  CHECK(ranges_of("bytes=-7", 100) == Ranges{{93, 99}});
  CHECK(ranges_of("Bytes=0-0", 1) == Ranges{{0, 0}});
}

TEST_CASE("an end behind the last byte and a suffix longer than the whole are cut") {
  CHECK(ranges_of("bytes=90-1000", 100) == Ranges{{90, 99}});
  CHECK(ranges_of("bytes=90-99999999999999999999999999", 100) == Ranges{{90, 99}});
  CHECK(ranges_of("bytes=-1000", 100) == Ranges{{0, 99}});
}

TEST_CASE("several ranges come sorted by their start") {
  CHECK(ranges_of("bytes=50-59,0-9, -5", 100) == Ranges{{0, 9}, {50, 59}, {95, 99}});
  CHECK(ranges_of("bytes=0-9,10-19", 100) == Ranges{{0, 9}, {10, 19}});
}

TEST_CASE("what cannot be read or met is unsatisfiable") {
  for (const char* header : {"",
                             "bytes",
                             "bytes=",
                             "bytes=-",
                             "bytes=a-b",
                             "bytes=1",
                             "bytes=5-4",
                             "bytes=100-",
                             "bytes=100-200",
                             "bytes=99999999999999999999-",
                             "bytes=-0",
                             "bytes=0-9,",
                             "bytes=,0-9",
                             "bytes=0-9,5-14",
                             "bytes=0-9,9-9",
                             "bytes=0-9,200-300",
                             "items=0-9",
                             "bytes 0-9",
                             "bytes=0--9",
                             "bytes=0-9-",
                             "bytes=+1-2",
                             "bytes=0x1-2",
                             "bytes==0-1"}) {
    CAPTURE(header);
    CHECK_FALSE(parse_byte_ranges(header, 100).satisfiable);
  }
  CHECK_FALSE(parse_byte_ranges("bytes=0-0", 0).satisfiable);
  CHECK_FALSE(parse_byte_ranges("bytes=-1", 0).satisfiable);
}

TEST_CASE("the number of ranges has a limit") {
  std::string header = "bytes=";
  for (int i = 0; i < 512; ++i)
    header += (i ? "," : "") + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  CHECK(ranges_of(header, 10'000).size() == 512);
  CHECK_FALSE(parse_byte_ranges(header + ",2000-2000", 10'000).satisfiable);
}

TEST_CASE("If-Range holds for the entity tag and for a date not before the last change") {
  CHECK(if_range_holds("\"abc\"", "abc", kModified));
  CHECK_FALSE(if_range_holds("\"abd\"", "abc", kModified));
  CHECK_FALSE(if_range_holds("abc", "abc", kModified));
  CHECK_FALSE(if_range_holds("W/\"abc\"", "abc", kModified));
  CHECK_FALSE(if_range_holds("", "abc", kModified));
  CHECK(if_range_holds("Fri, 02 Jan 2026 03:04:05 GMT", "abc", kModified));
  CHECK(if_range_holds("Fri, 02 Jan 2026 03:04:06 GMT", "abc", kModified));
  CHECK_FALSE(if_range_holds("Fri, 02 Jan 2026 03:04:04 GMT", "abc", kModified));
}
