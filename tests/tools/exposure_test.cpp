#include "tools/otad/exposure.hpp"

#include <doctest/doctest.h>

namespace ota::tools {
namespace {

// What is said of a configuration of these flags; sentences apart by "; ".
std::string said_of(std::vector<std::pair<std::string, std::string>> flags) {
  ConfigSource source;
  source.flags = std::move(flags);
  std::string all;
  for (const auto& sentence : exposure_of(load_config(source))) all += (all.empty() ? "" : "; ") + sentence;
  return all;
}

bool says(const std::string& said, const char* words) { return said.find(words) != std::string::npos; }

const std::vector<std::pair<std::string, std::string>> kTls{
    {"tls.port", "8443"}, {"tls.certificate", "server.pem"}, {"tls.key", "server-key.pem"}};

std::vector<std::pair<std::string, std::string>> with_tls(std::vector<std::pair<std::string, std::string>> flags) {
  flags.insert(flags.end(), kTls.begin(), kTls.end());
  return flags;
}

}  // namespace

TEST_CASE("exposure: the defaults, and devices over TLS beside them, are nothing to speak of") {
  CHECK(said_of({}) == "");
  CHECK(said_of({{"http.address", "::1"}}) == "");
  CHECK(said_of(with_tls({})) == "");
}

TEST_CASE("exposure: administration that can be reached from outside, on either listener") {
  CHECK(said_of({{"http.address", "0.0.0.0"}}) == "administration needs no credentials, and http.address = 0.0.0.0 can be reached from outside");
  CHECK(says(said_of(with_tls({{"tls.serves", "all"}})), "tls.address = 0.0.0.0 can be reached"));
  CHECK(said_of(with_tls({{"tls.serves", "all"}, {"tls.address", "127.0.0.1"}})) == "");
  CHECK(said_of(with_tls({{"http.address", "0.0.0.0"}, {"http.serves", "devices"}, {"tls.serves", "all"}, {"tls.address", "127.0.0.1"}})) == "");
}

TEST_CASE("exposure: administration that nobody can reach") {
  CHECK(says(said_of({{"http.serves", "devices"}}), "nobody can administer"));
  CHECK(says(said_of(with_tls({{"http.serves", "devices"}})), "nobody can administer"));
  CHECK_FALSE(says(said_of(with_tls({{"http.serves", "devices"}, {"tls.serves", "all"}})), "nobody can administer"));
}

TEST_CASE("exposure: devices that are believed without a credential") {
  CHECK(says(said_of({{"ddi.anonymous", "on"}}), "ddi.anonymous = on"));
  const auto behind = [](const std::string& proxies) {
    return said_of({{"ddi.identity_header", "X-Controller-Id"}, {"http.trusted_proxies", proxies}});
  };
  CHECK(behind("10.0.0.0/8, ::1") == "");
  CHECK(says(behind("0.0.0.0/0"), "whoever sends X-Controller-Id and X-Authority"));
  CHECK(says(behind("10.0.0.0/8, ::/0"), "names every address"));
  CHECK(said_of({{"http.trusted_proxies", "0.0.0.0/0"}}) == "");
}

}  // namespace ota::tools
