// Which devices a rollout percentage picks: sticky, nested and exact (design 4).
//
// Every device has a rank in a campaign, spread evenly by a hash; x % of n are the ceil(x n / 100) devices with the
// lowest ranks. Raising x only adds devices. The cut-off is stored in the creation event, so that it is decided once.
#pragma once

#include <cstdint>

#include "domain/bitmap.hpp"

#include "domain/ids.hpp"
#include "domain/words.hpp"

namespace ota::domain {

// Unique within a campaign: 32 bits of hash, then the ordinal. For ever: changing it would re-pick old campaigns.
std::uint64_t pick_rank(const CampaignId& campaign, Ordinal ordinal);

// The rollout goes in batches: the next opens when the last has settled.
constexpr bool has_batches(Strategy strategy) {
  return strategy != Strategy::kImmediate && strategy != Strategy::kBlueGreen;
}

struct Pick {
  std::uint32_t count = 0;
  std::uint64_t cutoff = 0;               // the highest rank that is in; 0 with count 0
};
Pick pick_percentage(const CampaignId& campaign, const Bitmap& devices, std::uint32_t percentage);

// The devices at or below the cut-off.
Bitmap picked(const CampaignId& campaign, const Bitmap& devices, std::uint64_t cutoff);

}  // namespace ota::domain
