#include "http/artifact_holds.hpp"

#include <cassert>

namespace ota::http {

void ArtifactHolds::hold(const Sha256& sha256) {
  const std::lock_guard lock(mutex_);
  ++held_[sha256];
}

void ArtifactHolds::release(const Sha256& sha256, const std::function<void()>& when_last) {
  const std::lock_guard lock(mutex_);
  const auto at = held_.find(sha256);
  assert(at != held_.end());
  if (--at->second > 0) return;
  held_.erase(at);
  if (when_last) when_last();
}

}  // namespace ota::http
