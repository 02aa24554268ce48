#include "http/text.hpp"

#include <doctest/doctest.h>

using namespace ota::http;

TEST_CASE("characters are counted, not bytes, and only UTF-8 has any") {
  CHECK(count_characters("") == 0);
  CHECK(count_characters("abc") == 3);
  CHECK(count_characters("Zürich") == 6);
  CHECK(count_characters("\xF0\x9F\x9A\x80!") == 2);
  for (const char* broken :
       {"\x80", "\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "abc\xE2\x82"}) {
    CHECK_FALSE(count_characters(broken));
  }
}

TEST_CASE("percent-encoding is undone once") {
  CHECK(percent_decode("a%2Fb%20c%c3%bc", PlusSign::kItself) == "a/b cü");
  CHECK(percent_decode("100%25", PlusSign::kItself) == "100%");
  CHECK(percent_decode("%2541", PlusSign::kItself) == "%41");
  CHECK(percent_decode("a+b", PlusSign::kItself) == "a+b");
  CHECK(percent_decode("a+b%2B", PlusSign::kSpace) == "a b+");
  for (const char* broken : {"%", "%2", "%zz", "%2g", "abc%"}) {
    CHECK_FALSE(percent_decode(broken, PlusSign::kItself));
  }
}

TEST_CASE("percent-encoding leaves letters, digits and what is plain") {
  CHECK(percent_encode("Az09-_ /ü%", "-_") == "Az09-_%20%2F%C3%BC%25");
  CHECK(percent_encode(std::string_view("\0\x7f~", 3), "") == "%00%7F%7E");
  CHECK(percent_encode("", "/") == "");
}

TEST_CASE("a long value is shown by its beginning, cut between characters") {
  CHECK(shown("short") == "short");
  CHECK(shown(std::string(100, 'x')) == std::string(100, 'x'));
  CHECK(shown(std::string(101, 'x')) == std::string(100, 'x') + "...");
  std::string umlauts;
  for (int i = 0; i < 101; ++i) umlauts += "ü";
  CHECK(shown(umlauts) == umlauts.substr(0, 200) + "...");
}

TEST_CASE("small tests on text") {
  CHECK(trim(" \t a b \t") == "a b");
  CHECK(trim("  ").empty());
  CHECK(equals_ignoring_case("Content-Type", "content-TYPE"));
  CHECK_FALSE(equals_ignoring_case("ab", "abc"));
  CHECK(has_control_character(std::string_view("a\0b", 3)));
  CHECK(has_control_character("\x7f"));
  CHECK_FALSE(has_control_character("ü"));
  CHECK(has_control_character("a\xc2\x85"));
  CHECK_FALSE(has_control_character("\xc2\xa0"));
  CHECK_FALSE(has_control_character("\xc3\x85"));
  CHECK(is_printable_ascii("~ !"));
  CHECK_FALSE(is_printable_ascii("ü"));
  std::string items;
  for_each_item(" a, ,b ,",
                [&](std::string_view item) { items.append("[").append(item).append("]"); });
  CHECK(items == "[a][b]");
}
