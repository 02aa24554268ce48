// What is compared and counted of an update: the small part of it that views behind UpdateView look
// at.
#pragma once

#include "projections/change.hpp"

namespace ota::projections {

UpdateFacts facts_of(const domain::DeviceUpdate& update);

// Where an update with these facts counts. `campaign_ended`: what only waits then is as good as
// cancelled, since its campaign tells it so (decision 25).
Standing standing_of(domain::UpdateStatus status, bool campaign_ended);

// A target without events of its own, as it is shown and as its first event finds it: created,
// scheduled or cancelled with its campaign, since the campaign's creation (decisions 25, 30).
domain::DeviceUpdate pending_update(const CampaignEntry& campaign, domain::Ordinal ordinal,
                                    domain::DeviceId device);
// What the campaign's present or last rollback shows of a device that it has not taken back, and of
// whose rollback there is no event: it waits, or has failed because its device was deleted; empty:
// there is nothing to take back.
std::optional<domain::DeviceUpdate> pending_rollback(const CampaignEntry& campaign,
                                                     const domain::DeviceUpdate& deployment,
                                                     bool device_is_gone);
// One whose device was deleted before it was granted.
domain::DeviceUpdate withdrawn_update(const CampaignEntry& campaign, domain::Ordinal ordinal,
                                      domain::DeviceId device, domain::Time at);
// The status that all pending ones of a campaign have.
domain::UpdateStatus pending_status(const CampaignEntry& campaign);

}  // namespace ota::projections
