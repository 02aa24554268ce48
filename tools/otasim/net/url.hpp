// Addresses of the web as far as devices follow them: http and https, a host, a port, a target.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ota::sim {

// Whom one connects to. Connections, trust and TLS sessions belong to an origin.
struct Origin {
  bool tls = false;
  std::string host;  // lower case; IPv6 without brackets
  std::uint16_t port = 0;
  bool operator==(const Origin&) const = default;
};

struct Url {
  Origin origin;
  std::string target;  // path and query, never empty, without a fragment
};

// Reads an absolute address; empty for another scheme, user information, or no host.
std::optional<Url> parse_url(std::string_view text);

// Answers where a Location leads: an absolute address, or a path of the same origin.
std::optional<Url> follow_location(const Url& from, std::string_view location);

// Answers the Host field: the port only where it is not the scheme's own.
std::string host_field(const Origin& origin);

}  // namespace ota::sim
