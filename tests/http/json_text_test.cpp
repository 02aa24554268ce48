#include "http/json_text.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace ota::http;
using nlohmann::json;

namespace {

json good(std::string_view text) {
  auto result = parse_json(text);
  REQUIRE(std::holds_alternative<json>(result));
  return std::get<json>(std::move(result));
}

std::string bad(std::string_view text) {
  const auto result = parse_json(text);
  REQUIRE(std::holds_alternative<Problem>(result));
  CHECK(std::get<Problem>(result).status == 400);
  return std::get<Problem>(result).message;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("JSON text becomes the value it says") {
  const char* text =
      R"({"a": [1, -2, 3.5, "x", true, false, null, {}, []],
          "b": {"c": {"d": "e"}, "f": 18446744073709551615}})";
  CHECK(good(text) == json::parse(text));
  CHECK(good("5") == 5);
  CHECK(good(" \"x\" ") == "x");
  CHECK(good(R"({"a": 1, "a": 2})") == json({{"a", 2}}));
}

TEST_CASE("a line of a file is told of by its column") {
  CHECK(std::get<json>(parse_json_line(R"({"a":[1]})")) == json({{"a", {1}}}));
  const auto why = [](std::string_view line) { return std::get<std::string>(parse_json_line(line)); };
  CHECK(why("").starts_with("is not valid JSON: column 1: unexpected end of input"));
  CHECK(why(R"({"a":})").starts_with("is not valid JSON: column 6: "));
  CHECK(why(nested(65)) == "is nested deeper than 64 levels");
}

TEST_CASE("malformed JSON is refused with line, column and what was found") {
  CHECK(bad("") == "The request body is not valid JSON: line 1, column 1: unexpected end of input");
  CHECK(bad("{\"a\": 1,\n \"b\": x}")
            .starts_with("The request body is not valid JSON: line 2, column 7: invalid literal"));
  CHECK(bad("{\"a\": 1} x").starts_with("The request body is not valid JSON: line 1, column 10"));
  CHECK(bad("{\"a\": 1e999}").find("number overflow") != std::string::npos);
  CHECK(bad("[1,]").find("line 1, column 4") != std::string::npos);
  CHECK(bad("\"\xFF\"").find("UTF-8") != std::string::npos);
  CHECK(bad("{'a': 1}").find("line 1, column 2") != std::string::npos);
  CHECK(bad("NaN").find("line 1") != std::string::npos);
}

TEST_CASE("nesting has a limit and takes no stack") {
  CHECK(good(nested(64)).is_array());
  CHECK(bad(nested(65)) == "The request body is nested deeper than 64 levels");
  CHECK(bad(std::string(1'000'000, '[')) == "The request body is nested deeper than 64 levels");
}

TEST_CASE("no text makes the parser fail otherwise than with a 400") {
  std::mt19937 random(7);
  const std::string seed = R"({"name":"a\u00e9\n","list":[1,2.5e3,{"x":null}],"t":true})";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = seed;
    for (int i = 0; i < 3; ++i) text[random() % text.size()] = static_cast<char>(random());
    text.resize(random() % (text.size() + 1));
    const auto ours = parse_json(text);
    const auto theirs = json::parse(text, nullptr, false);
    REQUIRE(std::holds_alternative<json>(ours) == !theirs.is_discarded());
    if (!theirs.is_discarded()) REQUIRE(std::get<json>(ours) == theirs);
  }
}
