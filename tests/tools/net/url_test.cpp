// tools/otasim/net/url: the addresses that devices follow.
#include "tools/otasim/net/url.hpp"

#include <doctest/doctest.h>

using namespace ota::sim;

TEST_CASE("an address is an origin and a target") {
  const auto url = parse_url("http://Ota.Example:8216/DEFAULT/controller/v1/d?c=1#there");
  REQUIRE(url);
  CHECK(url->origin == Origin{false, "ota.example", 8216});
  CHECK(url->target == "/DEFAULT/controller/v1/d?c=1");
  CHECK(host_field(url->origin) == "ota.example:8216");
}

TEST_CASE("the scheme's own port need not be said, and is not said") {
  CHECK(parse_url("https://a")->origin == Origin{true, "a", 443});
  CHECK(parse_url("http://a?b")->target == "/?b");
  CHECK(host_field(parse_url("https://a:443/")->origin) == "a");
  CHECK(host_field(parse_url("http://a:443/")->origin) == "a:443");
}

TEST_CASE("IPv6 addresses stand in brackets, and only there") {
  const auto url = parse_url("https://[::1]:8443/x");
  REQUIRE(url);
  CHECK(url->origin == Origin{true, "::1", 8443});
  CHECK(host_field(url->origin) == "[::1]:8443");
}

TEST_CASE("what is no address of the web is refused") {
  for (const char* text :
       {"", "ftp://a/", "http://", "http:///x", "http://a:/", "http://a:0/", "http://a:65536/",
        "http://a:8x/", "http://user@a/", "http://[::1/", "http://[::1]8/", "a.example/x"})
    CHECK_MESSAGE(!parse_url(text), text);
}

TEST_CASE("a location is an address of its own or a path of the same origin") {
  const Url from = *parse_url("https://a:8443/old?x");
  CHECK(follow_location(from, "/new?y")->target == "/new?y");
  CHECK(follow_location(from, "/new")->origin == from.origin);
  CHECK(follow_location(from, "http://cdn.example/f")->origin == Origin{false, "cdn.example", 80});
  CHECK_FALSE(follow_location(from, "//cdn.example/f"));
  CHECK_FALSE(follow_location(from, "new"));
}
