#include "projections/target_sets.hpp"

#include <mutex>
#include <utility>

#include "projections/limits.hpp"

namespace ota::projections {

TargetSet TargetSets::find(domain::CampaignId campaign) const {
  const std::shared_lock lock(mutex_);
  const auto found = sets_.find(campaign);
  return found == sets_.end() ? nullptr : found->second;
}

void TargetSets::put(domain::CampaignId campaign, TargetSet set) {
  const std::unique_lock lock(mutex_);
  if (!sets_.insert_or_assign(campaign, std::move(set)).second) return;
  oldest_first_.push_back(campaign);
  if (oldest_first_.size() <= limits::kCachedTargetSets) return;
  sets_.erase(oldest_first_.front());
  oldest_first_.pop_front();
}

}  // namespace ota::projections
