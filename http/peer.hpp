// Who is at the other end of a request, as far as the connection tells.
#pragma once

#include <string_view>

#include "http/ip_networks.hpp"

namespace ota::http {

// The common name of a certificate that has none, or several: no device's id, so that it lets nobody in as anybody, and
// nothing else is looked at in its place.
inline constexpr std::string_view kNobody = "\n";

struct Peer {
  std::string_view address;             // numeric
  bool encrypted = false;               // TLS ends here
  bool devices_only = false;            // it came in where nothing else is served
  std::string_view certificate = {};    // the common name of the client certificate that was verified; empty: none
  // Proxies whose X-Forwarded-* and identity headers are believed; null: nobody's.
  const IpNetworks* trusted_proxies = nullptr;

  bool is_trusted_proxy() const { return trusted_proxies && trusted_proxies->contains(address); }
};

}  // namespace ota::http
