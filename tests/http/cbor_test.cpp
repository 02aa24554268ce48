#include "http/cbor.hpp"

#include <doctest/doctest.h>

#include "http/limits.hpp"

using namespace ota::http;
using nlohmann::json;

namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text.push_back(static_cast<char>(value));
  return text;
}

std::string refusal(const std::string& text) {
  auto parsed = parse_cbor(text);
  const auto* problem = std::get_if<Problem>(&parsed);
  return problem ? problem->message : "accepted: " + std::get<json>(parsed).dump();
}

}  // namespace

TEST_CASE("whatever is JSON is read back from CBOR") {
  for (const auto* text : {R"({"a":[1,-2,3.5,true,false,null,"x","\u00e9"],"b":{}})", "[]", "17", "\"t\"", "null"}) {
    const auto value = json::parse(text);
    auto parsed = parse_cbor(to_cbor_text(value));
    REQUIRE(std::holds_alternative<json>(parsed));
    CHECK(std::get<json>(parsed) == value);
  }
}

TEST_CASE("CBOR may say of itself that it is CBOR, once and in front") {
  const auto tag = bytes({0xd9, 0xd9, 0xf7});
  auto parsed = parse_cbor(tag + to_cbor_text({{"a", 1}}));
  REQUIRE(std::holds_alternative<json>(parsed));
  CHECK(std::get<json>(parsed) == json{{"a", 1}});
  CHECK(refusal(tag).find("too early") != std::string::npos);
  CHECK(refusal(tag + tag + bytes({0x01})).find("byte 4 is a tag") != std::string::npos);
  CHECK(refusal(tag + bytes({0x41, 'x'})).find("byte string") != std::string::npos);
}

TEST_CASE("lists, objects and texts without a length are read") {
  // {_ "a": [_ 1, 2], "b": (_ "x", "y")}
  const auto text = bytes({0xbf, 0x61, 'a', 0x9f, 1, 2, 0xff, 0x61, 'b', 0x7f, 0x61, 'x', 0x61, 'y', 0xff, 0xff});
  auto parsed = parse_cbor(text);
  REQUIRE(std::holds_alternative<json>(parsed));
  CHECK(std::get<json>(parsed) == json{{"a", {1, 2}}, {"b", "xy"}});
}

TEST_CASE("what is not whole, or too much, is refused") {
  CHECK(refusal("").find("too early") != std::string::npos);
  const auto whole = to_cbor_text(json{{"status", {{"execution", "closed"}}}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(refusal(whole.substr(0, size)).find("too early") != std::string::npos);
  }
  CHECK(refusal(whole + "x").find("follows behind its end") != std::string::npos);
}

TEST_CASE("what JSON has no word for is refused") {
  CHECK(refusal(bytes({0x41, 'x'})).find("byte string") != std::string::npos);
  CHECK(refusal(bytes({0xc1, 0x01})).find("tag") != std::string::npos);
  CHECK(refusal(bytes({0xf9, 0x7e, 0x00})).find("number that is none") != std::string::npos);
  CHECK(refusal(bytes({0x81, 0xf9, 0x7c, 0x00})).find("number that is none") != std::string::npos);
  CHECK(refusal(bytes({0xa1, 0x01, 0x02})) .starts_with("The request body"));
  CHECK(refusal(bytes({0x61, 0xff})).find("UTF-8") != std::string::npos);
  CHECK(refusal(bytes({0xa1, 0x61, 0xff, 0x01})).find("UTF-8") != std::string::npos);
}

TEST_CASE("a number that is too low for JSON's readers is refused, and not taken for another one") {
  const auto negative = [](std::initializer_list<int> rest) { return refusal(bytes({0x3b}) + bytes(rest)); };
  CHECK(negative({0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) == "accepted: -9223372036854775808");
  CHECK(negative({0x80, 0, 0, 0, 0, 0, 0, 0}).find("byte 1 is a number below -2^63") != std::string::npos);
  CHECK(negative({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}).find("below -2^63") != std::string::npos);
}

TEST_CASE("nothing that a body says makes the reader call itself without end") {
  // A million lists in lists, objects in objects, texts in texts: a stack of 256 KB would not hold them.
  constexpr std::size_t kMany = 1'000'000;
  CHECK(refusal(std::string(kMany, '\x81')).find("nested deeper") != std::string::npos);
  CHECK(refusal(std::string(kMany, '\x9f')).find("nested deeper") != std::string::npos);
  CHECK(refusal(std::string(kMany, '\xa1')).find("nested deeper") != std::string::npos);
  CHECK(refusal(std::string(kMany, '\x7f')).find("no piece of a string") != std::string::npos);
  auto deepest = std::string(limits::kJsonDepth, '\x81');
  deepest.push_back('\x01');
  CHECK(refusal(deepest).starts_with("accepted"));
}

TEST_CASE("lengths that are lies are found before memory is asked for") {
  CHECK(refusal(bytes({0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})).find("too early") != std::string::npos);
  CHECK(refusal(bytes({0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})).find("too early") != std::string::npos);
  CHECK(refusal(bytes({0x7b, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'x'})).find("too early") != std::string::npos);
  CHECK(refusal(bytes({0xff})).find("was not begun") != std::string::npos);
  CHECK(refusal(bytes({0x1c})).find("no meaning") != std::string::npos);
}
