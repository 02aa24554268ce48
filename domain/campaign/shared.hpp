// What both halves of a campaign's decisions say: what operators command (decide.cpp), what is due (next.cpp).
#pragma once

#include <string>

#include "domain/campaign/campaign.hpp"

namespace ota::domain::campaign {

Events one(const Campaign& s, Event event);
bool lacks_approval(const Campaign& s);
Verdict verdict_of(const Campaign& s, const EvidenceVerdict& v);
// Nobody is left who could join the canary.
bool canary_is_exhausted(const Campaign& s);
CampaignRollbackBegun rollback_of(const Campaign& s, RollbackTrigger trigger, std::string reason, Time now);

}  // namespace ota::domain::campaign
