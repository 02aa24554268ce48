// Decision 3: which of two versions is newer.
#include "domain/version.hpp"

#include <doctest/doctest.h>

#include <iterator>
#include <string>
#include <vector>

using namespace ota::domain;

namespace {

struct Pair {
  const char* older;
  const char* newer;
};

}  // namespace

TEST_CASE("decision 3: semantic versions are ordered by their numbers, then by their pre-release") {
  const char* ascending[] = {"0.0.1",
                             "0.9.9",
                             "1.0.0-alpha",
                             "1.0.0-alpha.1",
                             "1.0.0-alpha.beta",
                             "1.0.0-beta",
                             "1.0.0-beta.2",
                             "1.0.0-beta.11",
                             "1.0.0-rc.1",
                             "1.0.0",
                             "1.0.1",
                             "1.2.0",
                             "1.10.0",
                             "2.0.0-1",
                             "2.0.0",
                             "10.0.0",
                             "99999999999999999999999999.0.0"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t k = 0; k < std::size(ascending); ++k) {
      CAPTURE(ascending[i]);
      CAPTURE(ascending[k]);
      CHECK((compare_versions(ascending[i], ascending[k]) < 0) == (i < k));
      CHECK((compare_versions(ascending[i], ascending[k]) == 0) == (i == k));
    }
  }
}

TEST_CASE("decision 3: leading zeros and build metadata make no difference") {
  const Pair equal[] = {
      {"1.2.3", "1.2.3"},        {"01.002.0003", "1.2.3"},      {"1.2.3+linux", "1.2.3"},
      {"1.2.3+a-b", "1.2.3+c"},  {"1.2.3-rc.01", "1.2.3-rc.1"}, {"000.0.0", "0.0.0"},
      {"2024.01.05", "2024.1.5"}};
  for (const auto& [a, b] : equal) {
    CAPTURE(a);
    CHECK(compare_versions(a, b) == 0);
    CHECK(compare_versions(b, a) == 0);
  }
}

TEST_CASE("decision 3: anything else is ordered naturally, digits as numbers") {
  const Pair pairs[] = {{"v1.9", "v1.10"},
                        {"2.9", "2.10"},
                        {"1.2", "1.2.1"},
                        {"build9", "build10"},
                        {"r7a", "r7b"},
                        {"r7", "r7a"},
                        {"", "1"},
                        {"2024-9-1", "2024-10-1"},
                        {"1.2.3.4", "1.2.3.5"},
                        {"a", "b"},
                        {"1", "a"},
                        {"v99999999999999999998", "v99999999999999999999"},
                        {"rel", "release"}};
  for (const auto& [older, newer] : pairs) {
    CAPTURE(older);
    CAPTURE(newer);
    CHECK(compare_versions(older, newer) < 0);
    CHECK(compare_versions(newer, older) > 0);
  }
  CHECK(compare_versions("v1.02", "v1.2") == 0);
  CHECK(compare_versions("", "") == 0);
  CHECK(compare_versions("release", "release") == 0);
}

TEST_CASE("decision 3: what only looks semantic is compared naturally") {
  for (const char* text : {"1.2", "1.2.3.4", "1..3", "1.2.x", "v1.2.3", "1.2.3-", "1.2.3-a..b",
                           "1.2.3-a.", ".1.2", "1.2."}) {
    CAPTURE(text);
    CHECK(compare_versions(text, text) == 0);
    // A pre-release sorts below its release only where both parse.
    CHECK(compare_versions(std::string(text) + "-rc1", text) != 0);
  }
  CHECK(compare_versions("v1.2.3-rc1", "v1.2.3") > 0);
}

TEST_CASE("BR-OTA-022: the hardware range includes both ends, and an empty bound does not bound") {
  CHECK(in_hardware_range("1.0", "1.0", "3.0"));
  CHECK(in_hardware_range("3.0", "1.0", "3.0"));
  CHECK(in_hardware_range("2.9", "1.0", "2.10"));
  CHECK_FALSE(in_hardware_range("0.9", "1.0", "3.0"));
  CHECK_FALSE(in_hardware_range("3.1", "1.0", "3.0"));
  CHECK(in_hardware_range("0.1", "", "3.0"));
  CHECK_FALSE(in_hardware_range("3.1", "", "3.0"));
  CHECK(in_hardware_range("9", "1.0", ""));
  CHECK_FALSE(in_hardware_range("0.1", "1.0", ""));
  CHECK(in_hardware_range("anything", "", ""));
}

TEST_CASE("decision 3: the same version is the same however it is written, and an unknown one is no other") {
  CHECK(same_version("2.0.0", "2.00.0"));
  CHECK(same_version("2.0.0", "2.0.0+build7"));
  CHECK_FALSE(same_version("2.0.0", "2.0.1"));
  CHECK_FALSE(same_version("2.0.0-rc1", "2.0.0"));
  CHECK_FALSE(same_version("", ""));
  CHECK_FALSE(same_version("2.0.0", ""));
}
