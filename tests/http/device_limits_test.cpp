// How often a device, and an address, may ask.
#include "http/device_limits.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ota::http;

namespace {

// So many reads of strangers that come from one address each.
int served(DeviceLimits& limits, const std::string& address, int reads) {
  static int stranger = 0;
  int count = 0;
  for (int i = 0; i < reads; ++i) count += !limits.refuse("s" + std::to_string(stranger++), address, false);
  return count;
}

}  // namespace

TEST_CASE("an address has so many reads, whoever asks from there; of IPv6 its network is meant") {
  DeviceLimits limits({.device = {}, .address_reads = {0.001, 10}, .address_writes = {}});
  CHECK(served(limits, "192.0.2.1", 20) == 10);
  CHECK(served(limits, "192.0.2.2", 20) == 10);
  CHECK(served(limits, "2001:db8:0:1::1", 6) == 6);
  CHECK(served(limits, "2001:db8:0:1:ffff::2", 20) == 4);
  CHECK(served(limits, "2001:db8:0:2::1", 20) == 10);
  // As a proxy writes them that listens to both: these are IPv4, each for itself.
  CHECK(served(limits, "::ffff:192.0.2.3", 20) == 10);
  CHECK(served(limits, "::ffff:192.0.2.4", 20) == 10);
  CHECK(served(limits, "192.0.2.4", 20) == 0);
}

TEST_CASE("a device that asks too often takes nothing from the others at its address") {
  DeviceLimits limits({.device = {0.001, 5}, .address_reads = {0.001, 10}, .address_writes = {}});
  int heard = 0;
  for (int i = 0; i < 100; ++i) heard += !limits.refuse("loud", "192.0.2.1", false);
  CHECK(heard == 5);
  CHECK(served(limits, "192.0.2.1", 20) == 5);
}

TEST_CASE("what no router on the internet forwards is not limited, unless that is wished") {
  DeviceRates rates{.device = {}, .address_reads = {0.001, 10}, .address_writes = {}};
  DeviceLimits usual(rates);
  CHECK(served(usual, "10.1.2.3", 20) == 20);
  rates.limit_private = true;
  DeviceLimits strict(rates);
  CHECK(served(strict, "10.1.2.3", 20) == 10);
}

TEST_CASE("whoever is nobody is told so only so often, and takes nothing from those who are known at its address") {
  DeviceLimits limits({.device = {}, .address_reads = {0.001, 10}, .address_writes = {0.001, 5}});
  int told = 0;
  for (int i = 0; i < 100; ++i) told += !limits.refuse_stranger("192.0.2.1");
  CHECK(told == 5);
  CHECK(served(limits, "192.0.2.1", 20) == 10);
  CHECK_FALSE(limits.refuse("d", "192.0.2.1", true));
  for (int i = 0; i < 100; ++i) CHECK_FALSE(limits.refuse_stranger("10.1.2.3"));
}

TEST_CASE("requests for bytes wait instead of being refused, and cost no message its turn") {
  DeviceLimits limits({.device = {0.001, 10}, .address_reads = {}, .address_writes = {}});
  for (int i = 0; i < 10; ++i) CHECK(limits.pause("d", "192.0.2.1").count() == 0);
  CHECK(limits.pause("d", "192.0.2.1") == DeviceLimits::kPauseMax);
  CHECK_FALSE(limits.refuse("d", "192.0.2.1", true));
}
