#include "http/json_reader.hpp"

#include <doctest/doctest.h>

using namespace ota::http;
using nlohmann::json;

namespace {

enum class Colour { kRed, kGreen };
std::optional<Colour> parse_colour(std::string_view word) {
  if (word == "red") return Colour::kRed;
  if (word == "green") return Colour::kGreen;
  return std::nullopt;
}

// Reads `value` with `read` and gives the errors as {field: type}, and the last message.
struct Outcome {
  json types = json::object();
  std::string message;
};
template <typename Read>
Outcome errors_of(json value, Read read) {
  FieldErrors errors;
  JsonReader reader(value, errors);
  read(reader);
  Outcome outcome;
  for (const auto& entry : errors.problem().detail) {
    outcome.types[entry["loc"].back().dump()] = entry["type"];
    outcome.message = entry["msg"];
  }
  return outcome;
}

bool one_character(const FieldPlace& place, std::string_view text) { return check_length(place, text, {1, 1}); }

}  // namespace

TEST_CASE("good fields are read, absent and null ones have their defaults") {
  json value = json::parse(
      R"({"name": "Zürich", "batch": 5.0, "rate": 2, "on": false, "at": "2026-01-02T03:04:05Z",
          "colour": "green", "tags": ["a", "b"], "extra": {"x": 1}, "none": null,
          "unread": [{}]})");
  FieldErrors errors;
  JsonReader reader(value, errors);
  CHECK(reader.required_string("name", {1, 6}) == "Zürich");
  CHECK(reader.required_integer("batch", {1, 500}) == 5);
  CHECK(reader.required_number("rate", {0, 100}) == 2.0);
  CHECK_FALSE(reader.required_boolean("on"));
  CHECK(reader.required_time("at") == Time(std::chrono::seconds(1767323045)));
  CHECK(reader.word("colour", parse_colour, "red, green") == Colour::kGreen);
  CHECK(reader.required_strings("tags", 2, one_character) == std::vector<std::string>{"a", "b"});
  REQUIRE(reader.object("extra"));
  CHECK(JsonReader(*reader.object("extra"), errors, reader.location("extra"))
            .required_integer("x", {}) == 1);
  CHECK_FALSE(reader.has("none"));
  CHECK_FALSE(reader.string("none", {}));
  CHECK_FALSE(reader.string("absent", {}));
  CHECK(reader.string_or("absent", {}, "other") == "other");
  CHECK(reader.integer_or("none", {1, 2}, 50) == 50);
  CHECK(reader.number_or("absent", {}, 0.5) == 0.5);
  CHECK(reader.boolean_or("absent", true));
  CHECK(reader.word_or("absent", parse_colour, "red, green", Colour::kRed) == Colour::kRed);
  CHECK_FALSE(reader.time("absent"));
  CHECK_FALSE(reader.strings("absent", 1, {}));
  CHECK(reader.object("absent") == nullptr);
  CHECK(errors.empty());
}

TEST_CASE("every bad field is reported, with pydantic's names and the offending value") {
  const auto outcome =
      errors_of(json::parse(
                    R"({"short": "", "long": "abcd", "text": 5, "low": 0, "high": 501, "half": 2.5,
              "word": "5", "flag": 1, "rate": "x", "colour": "blue", "at": "soon",
              "local": "2026-01-02T03:04:05",
                      "tags": "a", "object": [], "truth": true})"),
                [](JsonReader& reader) {
                  reader.required_string("missing", {1, 5});
                  reader.string("short", {1, 5});
                  reader.string("long", {1, 3});
                  reader.string("text", {1, 3});
                  reader.integer("low", {1, 500});
                  reader.integer("high", {1, 500});
                  reader.integer("half", {1, 500});
                  reader.integer("word", {1, 500});
                  reader.integer("truth", {1, 500});
                  reader.boolean("flag");
                  reader.number("rate", {0, 1});
                  reader.word("colour", parse_colour, "red, green");
                  reader.time("at");
                  reader.time("local");
                  reader.strings("tags", 5, {});
                  reader.object("object");
                });
  CHECK(outcome.types == json({{"\"missing\"", "missing"},
                               {"\"short\"", "string_too_short"},
                               {"\"long\"", "string_too_long"},
                               {"\"text\"", "string_type"},
                               {"\"low\"", "greater_than_equal"},
                               {"\"high\"", "less_than_equal"},
                               {"\"half\"", "int_from_float"},
                               {"\"word\"", "int_type"},
                               {"\"truth\"", "int_type"},
                               {"\"flag\"", "bool_type"},
                               {"\"rate\"", "float_type"},
                               {"\"colour\"", "enum"},
                               {"\"at\"", "datetime_parsing"},
                               {"\"local\"", "timezone_aware"},
                               {"\"tags\"", "list_type"},
                               {"\"object\"", "dict_type"}}));
  CHECK(errors_of({{"n", 501}}, [](JsonReader& r) {
          r.integer("n", {1, 500});
        }).message == "must be at most 500, got 501");
  CHECK(errors_of({{"c", "blue"}}, [](JsonReader& r) {
          r.word("c", parse_colour, "red, green");
        }).message == "must be one of red, green, got 'blue'");
  CHECK(errors_of({{"c", {1, 2}}}, [](JsonReader& r) { r.string("c", {}); }).message ==
        "must be a string, got a list");
}

TEST_CASE("a bad item of a list is reported at its place") {
  FieldErrors errors;
  json value = {{"tags", {"ok", 7, "", "too long"}}};
  JsonReader reader(value, errors);
  CHECK_FALSE(reader.strings("tags", 10, {1, 5}));
  const auto detail = errors.problem().detail;
  REQUIRE(detail.size() == 3);
  CHECK(detail[0]["loc"] == json({"body", "tags", 1}));
  CHECK(detail[1]["loc"] == json({"body", "tags", 2}));
  CHECK(detail[2]["type"] == "string_too_long");
  CHECK(errors_of({{"tags", {"a", "b"}}}, [](JsonReader& r) {
          r.strings("tags", 1, {});
        }).types["\"tags\""] == "too_long");
}

TEST_CASE("a body that is no object is one error, and everything in it is absent") {
  FieldErrors errors;
  json value = json::array({1});
  JsonReader reader(value, errors);
  CHECK(reader.required_string("name", {1, 5}).empty());
  CHECK(errors.size() == 1);
  CHECK(errors.problem().detail[0]["loc"] == json({"body"}));
  CHECK(errors.problem().detail[0]["type"] == "dict_type");
}

TEST_CASE("whole numbers at the ends of 64 bits stay what they are") {
  json value = json::parse(
      R"({"max": 9223372036854775807, "min": -9223372036854775808,
          "beyond": 18446744073709551615, "huge": 1e300})");
  FieldErrors errors;
  JsonReader reader(value, errors);
  CHECK(reader.integer("max", {}) == std::numeric_limits<std::int64_t>::max());
  CHECK(reader.integer("min", {}) == std::numeric_limits<std::int64_t>::min());
  CHECK_FALSE(reader.integer("beyond", {0, 100}));
  CHECK_FALSE(reader.integer("huge", {}));
  CHECK(errors.size() == 2);
}
