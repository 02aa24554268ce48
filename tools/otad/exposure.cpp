#include "tools/otad/exposure.hpp"

#include <fmt/format.h>

namespace ota::tools {
namespace {

bool is_everybody(const http::IpNetworks& networks) {
  const bool all_of_v4 = networks.contains("0.0.0.0") && networks.contains("127.0.0.1") && networks.contains("255.255.255.255");
  const bool all_of_v6 = networks.contains("::2") && networks.contains("2001:db8::1") && networks.contains("ffff::1");
  return all_of_v4 || all_of_v6;
}

bool is_loopback(const std::string& address) {
  static const auto loopback = http::IpNetworks::parse("127.0.0.0/8, ::1");
  return loopback.contains(address);
}

}  // namespace

std::vector<std::string> exposure_of(const Config& config) {
  std::vector<std::string> warnings;
  const auto warn_of_open_administration = [&](const char* setting, const std::string& address) {
    if (is_loopback(address)) return;
    warnings.push_back(fmt::format("administration needs no credentials, and {} = {} can be reached from outside", setting, address));
  };
  const bool over_tls = config.tls_port && !config.tls_devices_only;
  if (!config.devices_only) warn_of_open_administration("http.address", config.address);
  if (over_tls) warn_of_open_administration("tls.address", config.tls_address);
  if (config.devices_only && !over_tls) {
    warnings.push_back("nobody can administer this service: http.serves = devices, and no TLS listener has tls.serves = all");
  }
  const auto& auth = config.device_auth;
  if (auth.anonymous) {
    warnings.push_back("devices need no credentials (ddi.anonymous = on): whoever names a device's id acts for it, whether or not it has a token");
  }
  if (!auth.identity_header.empty() && is_everybody(config.trusted_proxies)) {
    warnings.push_back(fmt::format("http.trusted_proxies names every address: whoever sends {} and {} is believed to be any device",
                                   auth.identity_header, auth.authority_header));
  }
  return warnings;
}

}  // namespace ota::tools
