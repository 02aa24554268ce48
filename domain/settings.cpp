#include "domain/settings.hpp"

#include <algorithm>

#include "domain/limits.hpp"

namespace ota::domain {

std::string fold_settings(const Settings& settings) {
  return settings.version_attribute + '\n' + std::to_string(settings.success_grace.count()) + '\n';
}

Duration start_patience(Duration timeout, Duration poll_sleep) {
  return std::min<Duration>(timeout, std::max<Duration>(limits::kStartPatienceMin, 3 * poll_sleep));
}

}  // namespace ota::domain
