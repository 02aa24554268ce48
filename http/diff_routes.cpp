// What changed between two moments: of one campaign, device or update field by field, or of everything.
//
//   GET /diff?from=&to=&campaign_id|device_id|update_id
// `from` and `to` are times or positions, `to` the present unless it is said. Both sides are folded from the log (design 6).
#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/audit_record.hpp"
#include "http/differences.hpp"
#include "http/event_filter.hpp"
#include "http/field_errors.hpp"
#include "http/log_moment.hpp"
#include "http/past_answers.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

// What of everything is asked for.
struct AskedDiff {
  std::optional<domain::Position> from;
  std::optional<domain::Position> to;
  std::string update;
  EventFilter filter;
  bool counts_some = false;                 // of all events those of a type, a stream or an actor
};

AskedDiff read_asked_diff(QueryReader& query, const Api& api, domain::Time settled) {
  AskedDiff asked;
  if (!query.has("from")) query.fail("from", "field required: a position of the log, or a time", "missing");
  asked.from = read_moment(query, "from", api, settled);
  asked.to = query.has("to") ? read_moment(query, "to", api, settled) : projections::to_domain(api.service.log().head());
  if (asked.from && asked.to && *asked.from > *asked.to) {
    query.fail("to", fmt::format("position {} is before from, position {}", asked.to->value, asked.from->value));
  }
  std::size_t entities = 0;
  for (const auto* name : {"campaign_id", "device_id", "update_id"}) entities += query.has(name) ? 1 : 0;
  if (entities > 1) query.fail("campaign_id", "one of campaign_id, device_id, update_id is compared, not several");
  asked.update = query.string("update_id", {1, 100}).value_or("");
  asked.filter = read_event_filter(query, api);
  for (const auto* name : {"type", "stream", "actor"}) asked.counts_some = asked.counts_some || query.has(name);
  return asked;
}

// The one that is asked for: it was there at one of them.
bool compare_one(Differences& differences, const AskedDiff& asked) {
  if (asked.filter.campaign) return differences.compare(*asked.filter.campaign);
  if (!asked.update.empty()) return differences.compare(*domain::parse_update_id(asked.update));
  return differences.compare(std::get<domain::DeviceId>(*domain::parse_stream(asked.filter.device)));
}

void diff(RequestContext& context, Api& api) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  query.allow_only({"from", "to", "campaign_id", "device_id", "update_id", "type", "stream", "actor"});
  const auto settled = settle_for_times(context, api, query, {"from", "to"});
  if (!settled) return;
  const auto asked = read_asked_diff(query, api, *settled);
  if (!errors.empty()) return context.answer(errors.problem());
  const auto place = begin_past(context, api, *asked.to);
  if (!place) return;
  const auto past = [&](domain::Position at) {
    return projections::Past(api.service.log(), api.service.views(), api.service.settings(), at);
  };
  const TwoMoments two{past(*asked.from), past(*asked.to)};
  Differences differences(api, two);
  if (asked.filter.tags.empty()) {
    differences.compare_all();
    if (asked.counts_some) differences.count_events(asked.filter);
  } else if (compare_one(differences, asked)) {
    differences.count_events(asked.filter);
  } else {
    return context.answer(Problem::not_found(
        fmt::format("{} not found at either moment", domain::readable_name(asked.filter.tags.front()))));
  }
  context.answer_json(200, differences.take().dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace

void add_diff_routes(Router::Group& admin, Api& api) {
  admin.add("GET", "/diff", recorded(api, [&api](RequestContext& c) { diff(c, api); }));
}

}  // namespace ota::http
