// The target sets of campaigns, decoded and shared: a set never changes once its campaign is
// created.
//
// Any thread. The oldest goes when there are too many; its row stays.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <shared_mutex>

#include "domain/bitmap.hpp"
#include "domain/ids.hpp"

namespace ota::projections {

using TargetSet = std::shared_ptr<const domain::Bitmap>;

class TargetSets {
 public:
  TargetSet find(domain::CampaignId campaign) const;  // null: not here
  void put(domain::CampaignId campaign, TargetSet set);

 private:
  mutable std::shared_mutex mutex_;
  std::map<domain::CampaignId, TargetSet> sets_;
  std::deque<domain::CampaignId> oldest_first_;
};

}  // namespace ota::projections
