#include "http/conditional.hpp"

#include <doctest/doctest.h>

using namespace ota::http;

TEST_CASE("a list of entity tags holds one of them, quoted or bare") {
  CHECK(etag_list_holds("\"abc\"", "abc", false));
  CHECK(etag_list_holds("abc", "abc", false));
  CHECK(etag_list_holds("\"x\", \"abc\"", "abc", false));
  CHECK(etag_list_holds("*", "abc", false));
  CHECK_FALSE(etag_list_holds("\"abd\"", "abc", false));
  CHECK_FALSE(etag_list_holds("", "abc", false));
  CHECK_FALSE(etag_list_holds("W/\"abc\"", "abc", false));
  CHECK(etag_list_holds("W/\"abc\"", "abc", true));
}

TEST_CASE("If-Match names the revision that a change may be made to") {
  CHECK(IfMatch().allows(7));
  CHECK_FALSE(IfMatch().is_present());
  CHECK(IfMatch("\"7\"").allows(7));
  CHECK_FALSE(IfMatch("\"7\"").allows(8));
  CHECK(IfMatch("*").allows(8));
  CHECK(IfMatch("\"6\", \"7\"").allows(7));
  CHECK_FALSE(IfMatch("\"seven\"").allows(7));
  CHECK(IfMatch("\"7\"").revision() == 7);
  CHECK(IfMatch("7").revision() == 7);
  CHECK_FALSE(IfMatch("*").revision());
  CHECK_FALSE(IfMatch("\"seven\"").revision());
  CHECK_FALSE(IfMatch().revision());
}
