#include "http/line_stream.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ota::http;

namespace {

struct Seen {
  std::uint64_t number;
  std::string text;
  bool too_long;
  bool operator==(const Seen&) const = default;
};

// The lines of a text that arrives in pieces of `piece` bytes.
std::vector<Seen> lines_of(std::string_view text, std::size_t piece, std::size_t bytes_max = 100) {
  std::vector<Seen> seen;
  LineStream lines(bytes_max, [&](const TextLine& line) {
    seen.push_back({line.number, std::string(line.text), line.too_long});
  });
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) lines.feed(text.substr(0, piece));
  lines.finish();
  return seen;
}

}  // namespace

TEST_CASE("lines end with LF or CR LF, and are the same however they arrive") {
  const std::string text = "one\r\ntwo\n\n\r\nfi\rve\nlast";
  const std::vector<Seen> whole{{1, "one", false}, {2, "two", false},    {3, "", false},
                                {4, "", false},    {5, "fi\rve", false}, {6, "last", false}};
  for (const std::size_t piece : {1, 2, 3, 5, 7, 1000}) CHECK(lines_of(text, piece) == whole);
}

TEST_CASE("a text without lines has none, and a last line needs no end") {
  CHECK(lines_of("", 1).empty());
  CHECK(lines_of("x\n", 1) == std::vector<Seen>{{1, "x", false}});
  CHECK(lines_of("x", 1) == std::vector<Seen>{{1, "x", false}});
}

TEST_CASE("a byte order mark is overlooked before the first line, and nowhere else") {
  for (const std::size_t piece : {1, 2, 100}) {
    CHECK(lines_of("\xEF\xBB\xBFid\n\xEF\xBB\xBFx", piece) ==
          std::vector<Seen>{{1, "id", false}, {2, "\xEF\xBB\xBFx", false}});
  }
}

TEST_CASE("a line of 1 MB where 100 bytes are taken is cut, and the next one is whole") {
  const std::string long_line(1'000'000, 'x');
  const std::string text = "a\n" + long_line + "\nb\n" + long_line;
  for (const std::size_t piece : {64, 4'096, 3'000'000}) {
    const auto seen = lines_of(text, piece);
    REQUIRE(seen.size() == 4);
    CHECK(seen[1].number == 2);
    CHECK(seen[1].too_long);
    CHECK(seen[1].text.size() <= 100);
    CHECK(seen[2] == Seen{3, "b", false});
    CHECK(seen[3].too_long);
  }
  CHECK_FALSE(lines_of(std::string(100, 'x') + "\r\n", 7)[0].too_long);
}
