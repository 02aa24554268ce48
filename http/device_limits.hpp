// How often a device, and an address, may ask (spec/ddi.md section 7). Any thread.
//
// Messages beyond that are refused, and come again. Requests for bytes are not: a refused download is a failed update to
// some clients; they wait instead. The two are counted apart: some clients read an artifact in thousands of small pieces, and
// what they report meanwhile is not to be refused for that.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "actors/rate_limiter.hpp"

namespace ota::http {

struct DeviceRates {
  actors::Rate device{20, 200};            // of one device: so many messages, and as many requests for bytes
  actors::Rate address_reads{200, 1'000};  // of one address: a site behind one, or somebody who means harm
  actors::Rate address_writes{50, 500};
  bool limit_private = false;              // addresses that no router on the internet forwards, too: proxies and test benches
};

class DeviceLimits {
 public:
  static constexpr std::chrono::seconds kPauseMax{20};  // the shortest patience of a client is 30 s

  explicit DeviceLimits(const DeviceRates& rates);

  // Notes a message. Returns after how many seconds it may come again; empty: it is served.
  std::optional<std::uint32_t> refuse(std::string_view device, std::string_view address, bool writes);
  // Notes a request of nobody known, from this address.
  std::optional<std::uint32_t> refuse_stranger(std::string_view address);
  // Notes a request for bytes. Returns how long it waits.
  std::chrono::steady_clock::duration pause(std::string_view device, std::string_view address);

 private:
  bool counts(std::string_view address) const;

  const bool limit_private_;
  actors::RateLimiter devices_;
  actors::RateLimiter reads_;
  actors::RateLimiter writes_;
  actors::RateLimiter strangers_;   // as writes, and apart: whoever is known at that address has no harm of it
  actors::RateLimiter devices_bytes_;
  actors::RateLimiter bytes_;
};

}  // namespace ota::http
