// How long to wait before try n, after n failures in a row. Pure.
#pragma once

#include <algorithm>
#include <chrono>

namespace ota::sim {

inline constexpr std::chrono::milliseconds kBackoffFirst{200};
// Short enough that a fleet is back within seconds of a restarted server, long enough not to hammer
// a dead one.
inline constexpr std::chrono::milliseconds kBackoffMax{5000};

// For a connection that stays: a broker that agrees on TLS with ten thousand devices has no time for those that come again
// every five seconds, and none of them would get in.
inline constexpr std::chrono::milliseconds kConnectBackoffMax{60'000};

// Doubles from kBackoffFirst up to `max`; `fraction` in [0, 1) spreads it over the upper half.
inline std::chrono::milliseconds backoff(unsigned failures, double fraction, std::chrono::milliseconds max = kBackoffMax) {
  auto full = kBackoffFirst;
  for (unsigned i = 1; i < failures && full < max; ++i) full *= 2;
  full = std::min(full, max);
  const double spread = static_cast<double>(full.count()) * (0.5 + 0.5 * fraction);
  return std::chrono::milliseconds{static_cast<std::chrono::milliseconds::rep>(spread)};
}

}  // namespace ota::sim
