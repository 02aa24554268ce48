// A campaign as its row keeps it: the fold of its own events, without the sets, and the event that
// created it.
//
// Before that event there is an entry too, while the parts of its targets go ahead: only then does
// the state hold sets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/campaign/campaign.hpp"
#include "projections/row_cache.hpp"

namespace ota::projections {

struct CampaignEntry {
  domain::Campaign state;
  domain::CampaignCreated record;        // `targets` emptied
  domain::Position created;              // of its creation: the order of lists
  std::optional<domain::Time> ended_at;  // aborted, cancelled, finished or closed, whichever came first

  // Nobody is granted any more: what is pending is cancelled.
  bool ended() const { return state.takes_nobody(); }
};

// Folds an event of the campaign's own stream; false: it changes nothing. Whoever keeps the sets elsewhere takes targets and
// withdrawn devices (`cancelled`) out of the state with the event that creates the campaign.
bool fold(CampaignEntry& entry, const domain::Recorded& event);

template <>
struct RowCodec<CampaignEntry> {
  static std::string encode(const CampaignEntry& entry);
  static std::optional<CampaignEntry> decode(std::string_view bytes);
};

}  // namespace ota::projections
