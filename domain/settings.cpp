#include "domain/settings.hpp"

#include <algorithm>

#include "domain/limits.hpp"

namespace ota::domain {

Duration start_patience(Duration timeout, Duration poll_sleep) {
  return std::min<Duration>(timeout, std::max<Duration>(limits::kStartPatienceMin, 3 * poll_sleep));
}

}  // namespace ota::domain
