#include "http/query_reader.hpp"

#include <doctest/doctest.h>

using namespace ota::http;
using nlohmann::json;

namespace {

std::optional<int> parse_one(std::string_view word) {
  return word == "one" ? std::optional(1) : std::nullopt;
}

json types_of(std::string_view query, void (*read)(QueryReader&)) {
  FieldErrors errors;
  QueryReader reader(query, errors);
  read(reader);
  json types = json::object();
  for (const auto& entry : errors.problem().detail) {
    CHECK(entry["loc"][0] == "query");
    types[entry["loc"][1].get<std::string>()] = entry["type"];
  }
  return types;
}

}  // namespace

TEST_CASE("where nothing may be overlooked, what is unknown, empty or given twice is refused by its name") {
  const auto types = types_of("a=1&b=2&a=3&c=&unknown=x&d&&e=5", [](QueryReader& reader) { reader.allow_only({"a", "b", "c", "d", "e"}); });
  CHECK(types == json{{"a", "value_error"}, {"c", "string_too_short"}, {"d", "string_too_short"}, {"unknown", "extra_forbidden"}});
  CHECK(types_of("a=1&b=2", [](QueryReader& reader) { reader.allow_only({"a", "b"}); }).empty());
}

TEST_CASE("parameters are decoded once and read by name") {
  FieldErrors errors;
  QueryReader reader(
      "status=in+progress&tag=a%26b&tag=c&empty=&bare&on=TRUE&off=0&n=-5&at=2026-01-02T03:04:05Z&w="
      "one",
      errors);
  CHECK(reader.string("status") == "in progress");
  CHECK(reader.string("tag") == "a&b");
  CHECK(reader.strings("tag") == std::vector<std::string>{"a&b", "c"});
  CHECK_FALSE(reader.has("empty"));
  CHECK_FALSE(reader.has("bare"));
  CHECK(reader.boolean("on") == true);
  CHECK(reader.boolean("off") == false);
  CHECK(reader.integer("n", {}) == -5);
  CHECK(reader.integer_or("absent", {}, 7) == 7);
  CHECK(reader.time("at") == Time(std::chrono::seconds(1767323045)));
  CHECK(reader.word("w", parse_one, "one") == 1);
  CHECK(errors.empty());
}

TEST_CASE("a page has its defaults and its bounds") {
  FieldErrors errors;
  CHECK(QueryReader("", errors).page().limit == 50);
  CHECK(QueryReader("", errors).page().offset == 0);
  CHECK(QueryReader("limit=200&offset=1000000", errors).page().offset == 1'000'000);
  CHECK(errors.empty());
  const auto read = [](QueryReader& reader) { reader.page(); };
  CHECK(types_of("limit=0", read) == json({{"limit", "greater_than_equal"}}));
  CHECK(types_of("limit=201&offset=-1", read) ==
        json({{"limit", "less_than_equal"}, {"offset", "greater_than_equal"}}));
  CHECK(types_of("limit=ten", read) == json({{"limit", "int_parsing"}}));
  CHECK(types_of("limit=1.5", read) == json({{"limit", "int_parsing"}}));
  CHECK(types_of("offset=99999999999999999999", read) == json({{"offset", "int_parsing_size"}}));
}

TEST_CASE("bad parameters are all reported") {
  CHECK(types_of("a=%zz&b=maybe&c=soon&d=two&e=toolong",
                 [](QueryReader& reader) {
                   reader.boolean("b");
                   reader.time("c");
                   reader.word("d", parse_one, "one");
                   reader.string("e", {1, 3});
                 }) == json({{"a", "url_encoding"},
                             {"b", "bool_parsing"},
                             {"c", "datetime_parsing"},
                             {"d", "enum"},
                             {"e", "string_too_long"}}));
}
