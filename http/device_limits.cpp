#include "http/device_limits.hpp"

#include <algorithm>
#include <functional>

#include "http/ip_networks.hpp"

namespace ota::http {
namespace {

using actors::RateLimiter;

std::uint64_t key_of(std::string_view text) { return std::hash<std::string_view>{}(text); }

// Of IPv6 the network: whoever has one address there has 2^64 of them.
std::uint64_t key_of_address(std::string_view address) {
  const auto ip = parse_ip(address);
  if (!ip) return key_of(address);
  constexpr std::size_t kNetworkBytes = 8;
  const std::string_view bytes(reinterpret_cast<const char*>(ip->data()), ip->size());
  return key_of(is_ipv4(*ip) ? bytes : bytes.substr(0, kNetworkBytes));
}

// Empty: it need not wait.
std::optional<std::uint32_t> in_seconds(RateLimiter::Clock::duration wait) {
  if (wait <= RateLimiter::Clock::duration(0)) return std::nullopt;
  return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(wait).count());
}

}  // namespace

DeviceLimits::DeviceLimits(const DeviceRates& rates)
    : limit_private_(rates.limit_private),
      devices_(rates.device),
      reads_(rates.address_reads),
      writes_(rates.address_writes),
      strangers_(rates.address_writes),
      devices_bytes_(rates.device),
      bytes_(rates.address_reads) {}

bool DeviceLimits::counts(std::string_view address) const {
  return limit_private_ || !IpNetworks::not_public().contains(address);
}

std::optional<std::uint32_t> DeviceLimits::refuse(std::string_view device, std::string_view address, bool writes) {
  const auto now = RateLimiter::Clock::now();
  auto wait = devices_.take(key_of(device), now);
  // What is refused anyway is not taken from the others at that address.
  if (wait <= RateLimiter::Clock::duration(0) && counts(address)) wait = (writes ? writes_ : reads_).take(key_of_address(address), now);
  return in_seconds(wait);
}

std::optional<std::uint32_t> DeviceLimits::refuse_stranger(std::string_view address) {
  if (!counts(address)) return std::nullopt;
  return in_seconds(strangers_.take(key_of_address(address), RateLimiter::Clock::now()));
}

std::chrono::steady_clock::duration DeviceLimits::pause(std::string_view device, std::string_view address) {
  const auto now = RateLimiter::Clock::now();
  auto wait = devices_bytes_.take_later(key_of(device), now, kPauseMax);
  if (counts(address)) wait = std::max(wait, bytes_.take_later(key_of_address(address), now, kPauseMax));
  return wait;
}

}  // namespace ota::http
