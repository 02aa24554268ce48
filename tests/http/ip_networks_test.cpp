#include "http/ip_networks.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using ota::http::IpNetworks;

TEST_CASE("an address is in a network if the bits that count agree") {
  const auto set = IpNetworks::parse("10.0.0.0/8, 192.168.7.9 ,2001:db8::/33");
  CHECK(set.contains("10.255.0.1"));
  CHECK_FALSE(set.contains("11.0.0.1"));
  CHECK(set.contains("192.168.7.9"));
  CHECK_FALSE(set.contains("192.168.7.8"));
  CHECK(set.contains("2001:db8:7fff::1"));
  CHECK_FALSE(set.contains("2001:db8:8000::1"));
  CHECK(set.contains("::ffff:10.1.1.1"));
  CHECK_FALSE(set.contains("nobody"));
  CHECK_FALSE(set.contains(""));
}

TEST_CASE("a network of all addresses, and none at all") {
  CHECK(IpNetworks::parse("0.0.0.0/0").contains("203.0.113.7"));
  CHECK_FALSE(IpNetworks::parse("0.0.0.0/0").contains("2001:db8::1"));
  CHECK(IpNetworks::parse("::/0").contains("203.0.113.7"));
  CHECK(IpNetworks::parse("").empty());
  CHECK_FALSE(IpNetworks::parse("").contains("127.0.0.1"));
}

TEST_CASE("what is no network is named") {
  for (const auto* text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "example.org", "::1/129", "10.0.0.0/-1", "10.0.0.0/8x"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(IpNetworks::parse(std::string("127.0.0.1, ") + text), doctest::Contains(text), std::invalid_argument);
  }
}

TEST_CASE("addresses that no router on the internet forwards") {
  for (const auto* text : {"127.0.0.1", "10.2.3.4", "172.31.0.1", "192.168.0.1", "169.254.1.1", "::1", "fd00::1", "fe80::1"}) {
    CAPTURE(text);
    CHECK(IpNetworks::not_public().contains(text));
  }
  CHECK_FALSE(IpNetworks::not_public().contains("172.32.0.1"));
  CHECK_FALSE(IpNetworks::not_public().contains("203.0.113.7"));
}
