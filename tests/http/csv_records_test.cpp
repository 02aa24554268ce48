#include "http/csv_records.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <random>
#include <string>
#include <vector>

using namespace ota::http;

namespace {

constexpr std::size_t kBytesMax = 1'000;

struct ReadRecords {
  std::vector<std::string> records;   // "3: a|b": the line and its fields
  std::vector<std::string> broken;    // "3: why"
};

ReadRecords read_records(std::string_view text, std::size_t piece = 1'000'000) {
  ReadRecords result;
  CsvRecords records(
      kBytesMax,
      [&](std::uint64_t line, std::span<const std::string_view> fields) {
        result.records.push_back(fmt::format("{}: {}", line, fmt::join(fields, "|")));
      },
      [&](std::uint64_t line, const std::string& why) { result.broken.push_back(fmt::format("{}: {}", line, why)); });
  LineStream lines(kBytesMax, [&](const TextLine& line) { records.take(line); });
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) lines.feed(text.substr(0, piece));
  lines.finish();
  records.finish();
  return result;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("RFC 4180: commas separate fields, empty ones count, empty lines do not") {
  const auto result = read_records("a,b,c\n,,\r\n\n x , y \nlast");
  CHECK(result.records == Lines{"1: a|b|c", "2: ||", "4:  x | y ", "5: last"});
  CHECK(result.broken.empty());
}

TEST_CASE("RFC 4180: a quoted field holds commas, quotes and line ends") {
  const auto text = "\"a,b\",\"say \"\"hi\"\"\",\"\"\r\n\"two\r\nlines\",x\n\"\n\n\",\"\"\"\"\nend";
  for (const std::size_t piece : {1, 2, 7, 1000}) {
    const auto result = read_records(text, piece);
    CHECK(result.records == Lines{"1: a,b|say \"hi\"|", "2: two\nlines|x", "4: \n\n|\"", "7: end"});
    CHECK(result.broken.empty());
  }
}

TEST_CASE("a quote inside of a field, and text behind a quoted one, cost their line alone") {
  const auto result = read_records("a,b\nc\"d,e\n\"f\"g,h\n\"i\" ,j\nk,l\n");
  CHECK(result.records == Lines{"1: a|b", "5: k|l"});
  REQUIRE(result.broken.size() == 3);
  CHECK(result.broken[0] == "2: has a quote inside of the field 'c\"d', which does not begin with one");
  CHECK(result.broken[1] == "3: has 'g' behind the closing quote of a field");
  CHECK(result.broken[2] == "4: has ' ' behind the closing quote of a field");
}

TEST_CASE("a quote that nobody closes costs its line alone: the lines behind it are read all the same") {
  SUBCASE("at the end of the text") {
    const auto result = read_records("a,b\nc,\"d\ne,f\n\ng,\"h,h\"\ni,j");
    CHECK(result.records == Lines{"1: a|b", "3: e|f", "5: g|h,h", "6: i|j"});
    REQUIRE(result.broken.size() == 1);
    CHECK(result.broken[0].starts_with("2: "));
  }
  SUBCASE("in a long text") {
    std::string text = "a,b\nc,\"d\n";
    for (int i = 0; i < 500; ++i) text += "e,f\n";
    const auto result = read_records(text);
    CHECK(result.records.size() == 501);
    CHECK(result.broken == Lines{"2: opens a quote that is not closed within 1000 bytes"});
  }
  SUBCASE("before a line that is too long itself") {
    const auto result = read_records("a,\"b\nc,d\n" + std::string(2'000, 'x') + "\ne,f\n");
    CHECK(result.records == Lines{"2: c|d", "4: e|f"});
    CHECK(result.broken == Lines{"1: opens a quote that is not closed within 1000 bytes",
                                 "3: is longer than the 1000 bytes that a line may have"});
  }
}

TEST_CASE("nothing but quotes and line ends is read to its end, and every line is told of once at most") {
  std::mt19937 random(4180);
  constexpr std::string_view kLetters = "\"\",\n\n\rx";
  for (int round = 0; round < 300; ++round) {
    std::string text;
    const std::size_t size = random() % 5'000;
    while (text.size() < size) text.push_back(kLetters[random() % kLetters.size()]);
    const auto whole = read_records(text);
    const auto in_pieces = read_records(text, 1 + random() % 50);
    CHECK(whole.records == in_pieces.records);
    CHECK(whole.broken == in_pieces.broken);
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    CHECK(whole.records.size() + whole.broken.size() <= lines);
  }
}
