#include "actors/alarms.hpp"

#include <algorithm>
#include <vector>

#include "actors/messages.hpp"

namespace ota::actors {

void Alarms::set(domain::CampaignId id, std::optional<domain::Time> at, caf::actor campaign) {
  const std::lock_guard lock(mutex_);
  if (at) {
    by_campaign_.insert_or_assign(id, std::pair(*at, std::move(campaign)));
  } else {
    by_campaign_.erase(id);
  }
}

void Alarms::ring(domain::Time now) {
  std::vector<caf::actor> due;
  {
    const std::lock_guard lock(mutex_);
    for (auto alarm = by_campaign_.begin(); alarm != by_campaign_.end();) {
      if (alarm->second.first > now) {
        ++alarm;
        continue;
      }
      due.push_back(std::move(alarm->second.second));
      alarm = by_campaign_.erase(alarm);
    }
  }
  for (const auto& campaign : due) caf::anon_send(campaign, Tick{});
}

std::optional<domain::Time> Alarms::next() const {
  const std::lock_guard lock(mutex_);
  std::optional<domain::Time> first;
  for (const auto& [id, alarm] : by_campaign_) {
    if (!first || alarm.first < *first) first = alarm.first;
  }
  return first;
}

void Alarms::clear() {
  const std::lock_guard lock(mutex_);
  by_campaign_.clear();
}

}  // namespace ota::actors
