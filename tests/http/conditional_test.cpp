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

TEST_CASE("If-Match names the revisions that a change may be made to") {
  using Revisions = std::vector<std::uint32_t>;
  CHECK_FALSE(revisions_of(std::nullopt));
  CHECK_FALSE(revisions_of("*"));
  CHECK_FALSE(revisions_of("\"7\", *"));
  CHECK(revisions_of("\"7\"") == Revisions{7});
  CHECK(revisions_of("7") == Revisions{7});
  CHECK(revisions_of("\"6\", \"7\"") == Revisions{6, 7});
  CHECK(revisions_of("\"seven\", W/\"8\", \"7x\", \"-1\", \"4294967296\"") == Revisions{});
  CHECK(revisions_of("") == Revisions{});
}
