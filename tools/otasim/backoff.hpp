// How long to wait before try n, after n failures in a row. Pure.
#pragma once

#include <algorithm>
#include <chrono>

namespace ota::sim {

inline constexpr std::chrono::milliseconds kBackoffFirst{200};
// Short enough that a fleet is back within seconds of a restarted server, long enough not to hammer
// a dead one.
inline constexpr std::chrono::milliseconds kBackoffMax{5000};

// Doubles from kBackoffFirst up to kBackoffMax; `fraction` in [0, 1) spreads it over the upper
// half.
inline std::chrono::milliseconds backoff(unsigned failures, double fraction) {
  auto full = kBackoffFirst;
  for (unsigned i = 1; i < failures && full < kBackoffMax; ++i) full *= 2;
  full = std::min(full, kBackoffMax);
  const double spread = static_cast<double>(full.count()) * (0.5 + 0.5 * fraction);
  return std::chrono::milliseconds{static_cast<std::chrono::milliseconds::rep>(spread)};
}

}  // namespace ota::sim
