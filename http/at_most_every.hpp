// Something that each of many is to be told now and then, and not more often.
//
// Only the times of the last interval are kept: as many entries as are told within two of them. Safe from any thread.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "domain/words.hpp"

namespace ota::http {

class AtMostEvery {
 public:
  explicit AtMostEvery(domain::Duration interval) : interval_(interval) {}

  // True if `who` was not told within the interval; it counts as told now.
  bool due(const std::string& who, domain::Time now) {
    const std::lock_guard lock(mutex_);
    forget_until(now - interval_);
    const auto [entry, is_new] = told_.try_emplace(who, now);
    if (!is_new && entry->second > now - interval_) return false;
    entry->second = now;
    return true;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return told_.size();
  }

 private:
  // Once an interval: what was told before cannot forbid anything.
  void forget_until(domain::Time past) {
    if (forgot_at_ > past) return;
    std::erase_if(told_, [&](const auto& entry) { return entry.second <= past; });
    forgot_at_ = past + interval_;
  }

  domain::Duration interval_;
  mutable std::mutex mutex_;
  domain::Time forgot_at_{};
  std::unordered_map<std::string, domain::Time> told_;
};

}  // namespace ota::http
