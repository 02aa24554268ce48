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
  std::optional<domain::Time> ended_at;  // aborted, cancelled or closed, whichever came first

  bool ended() const { return domain::is_terminal(state.status); }
};

template <>
struct RowCodec<CampaignEntry> {
  static std::string encode(const CampaignEntry& entry);
  static std::optional<CampaignEntry> decode(std::string_view bytes);
};

}  // namespace ota::projections
