// How far another policy goes the way that the record went, and how late the campaign's own decisions are in it. Inside campaign/
// only.
//
// A campaign decides not at every event, but once for all that is delivered to it together, and what it decides takes effect when
// that is written, some events later: what was granted and what ended in between is real. Of both nothing is known under another
// policy. But for as long as that one has the same decision due behind every event of the record, and grants everyone who was
// granted, nobody could tell the two apart: then its decisions come when they came in the record. Where they part, by a decision
// that only one of them has due, by a grant that the other refuses, by an end that the other judges otherwise, is looked for here.
#pragma once

#include <optional>

#include "domain/campaign/grant.hpp"
#include "domain/campaign/tally.hpp"

namespace ota::domain::campaign {

// What a decision takes at least, whatever the record shows, and what no other one is waited for longer: a service that stood
// still for an hour was not deciding.
inline constexpr Duration kLagMin = std::chrono::seconds(1);
inline constexpr Duration kLagMax = std::chrono::minutes(1);

struct Parting {
  Time at{};
  std::uint64_t order = 0;                  // of the event behind which they are not alike any more
};
struct Followed {
  std::optional<Parting> parting;           // empty: they never part, and `outcome` is what would have been
  WhatIfOutcome outcome;
  // The longest time, in this record, from when a decision was due until it was taken, or until what had not started was
  // cancelled; between kLagMin and kLagMax.
  Duration lag = kLagMin;
};
Followed follow(const CampaignRecord& record, const CampaignPolicy& policy, const Settings& settings);

// The campaign's creation under another policy: what follows from that is decided as at the creation, what does not change stays
// as it was decided then. Without its maintenance window: who was granted in it then passes, whenever the grant was written.
CampaignCreated created_under(const CampaignRecord& record, const CampaignPolicy& policy);
// As far as a record says what a device told that asks: whoever was granted then had what it takes.
GrantAsk ask_of(const Campaign& state, std::uint32_t ordinal);

}  // namespace ota::domain::campaign
