#include "http/client_profile.hpp"

#include <doctest/doctest.h>

using namespace ota::http;

TEST_CASE("a client is known by its User-Agent, or by what its device says") {
  CHECK(client_profile("", "", "libcurl-agent/1.0").name == "swupdate");
  CHECK(client_profile("", "", "rauc-hawkbit-c-agent/1.4").name == "rauc");
  CHECK(client_profile("zephyr", "", "").name == "zephyr");
  CHECK(client_profile("RAUC", "", "libcurl-agent/1.0").name == "rauc");  // whoever sets the attribute knows better
  CHECK(client_profile("unheard of", "", "libcurl-agent/1.0").name == "swupdate");
  CHECK(client_profile("", "zephyr", "libcurl-agent/1.0").name == "zephyr");  // or by its model
  CHECK(client_profile("rauc", "zephyr", "libcurl-agent/1.0").name == "rauc");
}

TEST_CASE("whoever is not known is told of nothing that it must not install") {
  const auto& careful = client_profile("", "", "curl/7.88");
  CHECK(careful.name.empty());
  CHECK_FALSE(careful.waits_at_skip);
  CHECK_FALSE(careful.follows_redirects);
}

TEST_CASE("every profile that an agent names is found by that agent") {
  for (const auto& profile : client_profiles()) {
    if (!profile.agent.empty()) CHECK(client_profile("", "", profile.agent).name == profile.name);
    CHECK(client_profile(profile.name, "", "").name == profile.name);
  }
}
