#include "http/download_faults.hpp"

#include <utility>

namespace ota::http {

void DownloadFaults::note(const std::string& device, domain::ActionId action, domain::SeenFault seen) {
  const std::lock_guard lock(mutex_);
  if (const auto known = by_device_.find(device); known != by_device_.end()) {
    const auto& before = *known->second;
    if (action.value < before.action.value) return;
    if (action == before.action && seen.fault != domain::DownloadFault::kOurs) return;
    entries_.erase(known->second);
    by_device_.erase(known);
  } else if (entries_.size() >= kDevicesMax) {
    by_device_.erase(entries_.front().device);
    entries_.pop_front();
  }
  entries_.push_back({device, action, std::move(seen)});
  by_device_.emplace(device, std::prev(entries_.end()));
}

void DownloadFaults::forget(const std::string& device, domain::ActionId action) {
  const std::lock_guard lock(mutex_);
  const auto known = by_device_.find(device);
  if (known == by_device_.end() || known->second->action != action) return;
  entries_.erase(known->second);
  by_device_.erase(known);
}

std::optional<domain::SeenFault> DownloadFaults::find(const std::string& device, domain::ActionId action) const {
  const std::lock_guard lock(mutex_);
  const auto known = by_device_.find(device);
  if (known == by_device_.end() || known->second->action != action) return std::nullopt;
  return known->second->seen;
}

std::size_t DownloadFaults::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace ota::http
