// What readers ask of campaigns: their record and how far they are, in one row.
#pragma once

#include <optional>
#include <vector>

#include "projections/answers.hpp"
#include "projections/campaign_counts.hpp"
#include "projections/campaign_entry.hpp"
#include "projections/page.hpp"
#include "projections/reader.hpp"
#include "projections/target_sets.hpp"

namespace ota::projections::campaigns {

// `reader` of one moment, since record and counters are rows of their own.
enum class Detail { kSummary, kFull };  // full: with batches and error codes
std::optional<CampaignRow> find(const Reader& reader, domain::CampaignId id, Detail detail);
// The row of a campaign with these counts; a summary.
CampaignRow row_of(CampaignEntry entry, const CampaignCounts& counts);
// Newest first; summaries.
Page<CampaignRow> list(const Reader& reader, const CampaignFilter& filter, const PageRequest& page);
std::vector<domain::CampaignId> open(const Reader& reader);
// Null if there is no such campaign.
TargetSet targets(const Reader& reader, TargetSets& sets, domain::CampaignId id);

}  // namespace ota::projections::campaigns
