#include "http/ip_networks.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr unsigned kMappedBits = 96;  // before an IPv4 address in its mapped form

bool agree(const IpAddress& a, const IpAddress& b, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

std::optional<unsigned> prefix_of(std::string_view text, bool is_v4) {
  const unsigned most = is_v4 ? 32 : 128;
  if (text.empty()) return std::nullopt;
  unsigned bits = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (fault != std::errc{} || end != text.data() + text.size() || bits > most) return std::nullopt;
  return is_v4 ? bits + kMappedBits : bits;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  const std::string copy(text);
  IpAddress address{};
  if (inet_pton(AF_INET6, copy.c_str(), address.data()) == 1) return address;
  in_addr v4{};
  if (copy.size() != text.size() || inet_pton(AF_INET, copy.c_str(), &v4) != 1) return std::nullopt;
  address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&v4.s_addr);
  std::copy_n(bytes, 4, address.begin() + 12);
  return address;
}

bool is_ipv4(const IpAddress& address) {
  static constexpr std::array<std::uint8_t, kMappedBits / 8> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kMapped.begin(), kMapped.end(), address.begin());
}

IpNetworks IpNetworks::parse(std::string_view list) {
  IpNetworks set;
  for_each_item(list, [&](std::string_view item) {
    const auto slash = item.find('/');
    const auto text = item.substr(0, slash);
    const auto address = parse_ip(text);
    const bool is_v4 = text.find(':') == std::string_view::npos;
    const auto bits = slash == std::string_view::npos ? std::optional<unsigned>(128) : prefix_of(item.substr(slash + 1), is_v4);
    if (!address || !bits) {
      throw std::invalid_argument(fmt::format("'{}' is no IP address and no network such as 10.0.0.0/8", shown(item)));
    }
    set.networks_.push_back({*address, *bits});
  });
  return set;
}

const IpNetworks& IpNetworks::not_public() {
  static const IpNetworks networks =
      parse("127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, ::1, fc00::/7, fe80::/10");
  return networks;
}

bool IpNetworks::contains(std::string_view address) const {
  if (networks_.empty()) return false;
  const auto ip = parse_ip(address);
  return ip && std::any_of(networks_.begin(), networks_.end(),
                           [&](const Network& network) { return agree(*ip, network.address, network.bits); });
}

}  // namespace ota::http
