// ?as_of=: what a resource was at an earlier moment, a time or a position of the log (design 6).
//
// The answers are those of the present, with `as_of` {position, time} beside them. Null is what the log does not tell, or not
// at a bearable price: download_count and success_rate of the firmware, when a device was seen last and where, how much of a
// firmware's bytes was there, what an update waited for, and last_24h of the statistics; the sums of all of a device's updates
// are left out. Only so many are asked at once (limits.hpp); beyond, 503.
#pragma once

#include <optional>

#include "http/api.hpp"
#include "http/query_reader.hpp"

namespace ota::http {

// The position that `name` names: itself, or the newest event at or before a time, which must be before `settled`
// (settle_for_times). Empty: it is not there, or is refused in the query's errors.
std::optional<domain::Position> read_moment(QueryReader& query, const char* name, const Api& api, domain::Time settled);

// A place among those that may ask of the past at once, with the views as far as `at`; without it the request is answered.
std::optional<Places::Place> begin_past(RequestContext& context, Api& api, domain::Position at);

// Each answers a GET that asks for an earlier moment; false: it asks for the present.
bool answer_past_campaign(RequestContext& context, Api& api);
bool answer_past_campaigns(RequestContext& context, Api& api);
bool answer_past_campaign_updates(RequestContext& context, Api& api);
bool answer_past_update(RequestContext& context, Api& api);
bool answer_past_device(RequestContext& context, Api& api);
bool answer_past_device_updates(RequestContext& context, Api& api);
bool answer_past_statistics(RequestContext& context, Api& api);   // of no period

// The filters that lists share with their present.
projections::CampaignFilter read_campaign_filter(QueryReader& query, nlohmann::json& shown);
std::optional<domain::UpdateStatus> read_update_status(QueryReader& query);

}  // namespace ota::http
