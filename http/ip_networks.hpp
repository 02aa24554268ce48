// Sets of IP addresses, as operators write them: "10.0.0.0/8, ::1, 192.168.1.7". Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ota::http {

// 16 bytes; an IPv4 address is in its mapped form. Empty: the text is none.
using IpAddress = std::array<std::uint8_t, 16>;
std::optional<IpAddress> parse_ip(std::string_view text);
bool is_ipv4(const IpAddress& address);

class IpNetworks {
 public:
  // Throws std::invalid_argument that names the item which is no address or network.
  static IpNetworks parse(std::string_view list);
  // What no router on the internet forwards: loopback, private, link-local (IPv4 and IPv6).
  static const IpNetworks& not_public();

  bool contains(std::string_view address) const;
  bool empty() const { return networks_.empty(); }

 private:
  struct Network {
    IpAddress address{};
    unsigned bits = 128;  // of the address that count
  };
  std::vector<Network> networks_;
};

}  // namespace ota::http
