// What changed between two moments: of one campaign, device or update field by field, or of all campaigns.
//
//   GET /diff?from=&to=&campaign_id|device_id|update_id
// `from` and `to` are times or positions, `to` the present unless it is said. Both sides are folded from the log (design 6);
// of the fleet as a whole only campaigns are compared, since its devices may be a million.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "domain/codec/codec.hpp"
#include "http/api.hpp"
#include "http/audit_record.hpp"
#include "http/event_filter.hpp"
#include "http/field_errors.hpp"
#include "http/limits.hpp"
#include "http/past_answers.hpp"
#include "http/render_past.hpp"
#include "http/text.hpp"
#include "projections/past.hpp"

namespace ota::http {
namespace {

using nlohmann::json;
using projections::Past;

constexpr std::size_t kCampaignsCompared = 200;  // that changed: more are told by their number alone
constexpr std::size_t kCampaignsAtOnce = 200;
constexpr std::uint64_t kEventsCounted = 500'000;  // by type; more are told by their number alone

struct TwoMoments {
  Past from;
  Past to;
};

// {"field": {"from", "to"}} of what differs; of what is on one side alone the other is null.
json fields_between(const json& before, const json& after) {
  json changed = json::object();
  const auto value = [](const json& object, const std::string& name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && found != object.end() ? *found : json(nullptr);
  };
  std::map<std::string, bool> names;
  for (const auto* side : {&before, &after}) {
    if (side->is_object()) {
      for (const auto& [name, any] : side->items()) names[name] = true;
    }
  }
  for (const auto& [name, any] : names) {
    if (name == "as_of") continue;
    auto was = value(before, name);
    auto is = value(after, name);
    if (was != is) changed[name] = {{"from", std::move(was)}, {"to", std::move(is)}};
  }
  return changed;
}

json shown_campaign(const Api& api, const Past& past, domain::CampaignId id) {
  const auto row = past.campaign(id);
  return row ? past_campaign(api.render, past, *row, 0) : json(nullptr);
}

json change_of(std::string entity, json name, const json& before, const json& after) {
  return {{"entity", std::move(entity)},
          {"name", std::move(name)},
          {"happened", before.is_null() ? "came" : after.is_null() ? "went" : "changed"},
          {"fields", fields_between(before, after)}};
}

// The events between the two that the filter holds, by type; empty if they are too many.
std::optional<json> events_between(const Api& api, EventFilter filter, const TwoMoments& two) {
  std::map<std::string, std::uint64_t> by_type;
  std::uint64_t seen = 0;
  read_candidates(api, filter, projections::to_store(two.from.at()), [&](const eventstore::RecordedEvent& event) {
    if (event.position.value > two.to.at().value || ++seen > kEventsCounted) return false;
    if (filter.holds(event)) ++by_type[std::string(domain::event_name(event.type))];
    return true;
  });
  return seen > kEventsCounted ? std::nullopt : std::optional<json>(by_type);
}

// Campaigns with news between the two, newest first; the first `kCampaignsCompared` of them are compared.
json campaigns_between(const Api& api, const TwoMoments& two, std::uint64_t& changed) {
  json changes = json::array();
  projections::PageRequest page{kCampaignsAtOnce, 0, ""};
  do {
    const auto rows = api.service.views().campaign_list({}, page);
    for (const auto& row : rows.rows) {
      const auto newest = api.service.log().newest(domain::stream_name(row.id), projections::to_store(two.to.at()));
      if (newest.value <= two.from.at().value) continue;
      if (++changed > kCampaignsCompared) continue;
      changes.push_back(change_of("campaign:" + domain::to_text(row.id), row.record.name, shown_campaign(api, two.from, row.id),
                                  shown_campaign(api, two.to, row.id)));
    }
    page.cursor = rows.next_cursor;
  } while (!page.cursor.empty());
  return changes;
}

void answer_diff(RequestContext& context, const Api& api, const TwoMoments& two, EventFilter filter, json changes,
                 std::uint64_t changed) {
  const auto by_type = events_between(api, std::move(filter), two);
  context.answer_json(200, json{{"from", moment(two.from)},
                                {"to", moment(two.to)},
                                {"positions", two.to.at().value - two.from.at().value},
                                {"events", by_type ? *by_type : json(nullptr)},
                                {"changed", changed},
                                {"changes", std::move(changes)}}
                               .dump(-1, ' ', false, json::error_handler_t::replace));
}

void answer_one(RequestContext& context, const Api& api, const TwoMoments& two, EventFilter filter, const std::string& entity,
                const json& before, const json& after) {
  if (before.is_null() && after.is_null()) {
    return context.answer(Problem::not_found(fmt::format("{} not found at either moment", entity)));
  }
  const auto& named = after.is_null() ? before : after;
  json changes = json::array();
  auto change = change_of(entity, named.value("name", json(nullptr)), before, after);
  const bool differs = !change["fields"].empty();
  if (differs) changes.push_back(std::move(change));
  answer_diff(context, api, two, std::move(filter), std::move(changes), differs ? 1 : 0);
}

void diff(RequestContext& context, Api& api) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  if (!query.has("from")) query.fail("from", "field required: a position of the log, or a time", "missing");
  const auto from = read_moment(query, "from", api);
  const auto to = query.has("to") ? read_moment(query, "to", api) : std::optional(projections::to_domain(api.service.log().head()));
  if (from && to && *from > *to) {
    query.fail("to", fmt::format("position {} is before from, position {}", to->value, from->value));
  }
  std::size_t entities = 0;
  for (const auto* name : {"campaign_id", "device_id", "update_id"}) entities += query.has(name) ? 1 : 0;
  if (entities > 1) query.fail("campaign_id", "one of campaign_id, device_id, update_id is compared, not several");
  const auto update_text = query.string("update_id", {1, 100});
  auto filter = read_event_filter(query, api);
  if (!errors.empty()) return context.answer(errors.problem());
  const auto past = [&](domain::Position at) { return Past(api.service.log(), api.service.views(), api.service.settings(), at); };
  const TwoMoments two{past(*from), past(*to)};
  if (filter.campaign) {
    const auto id = *filter.campaign;
    return answer_one(context, api, two, std::move(filter), "campaign:" + domain::to_text(id), shown_campaign(api, two.from, id),
                      shown_campaign(api, two.to, id));
  }
  if (!filter.device.empty()) {
    const domain::DeviceId id = std::get<domain::DeviceId>(*domain::parse_stream(filter.device));
    const auto shown = [&](const Past& then) {
      const auto device = then.device(id);
      return device ? past_device(api.render, then, *device) : json(nullptr);
    };
    return answer_one(context, api, two, std::move(filter), "device:" + id.value, shown(two.from), shown(two.to));
  }
  if (update_text) {
    const auto id = *domain::parse_update_id(*update_text);
    const auto shown = [&](const Past& then) {
      const auto update = then.update(id);
      return update ? past_update(api.render, then, *update) : json(nullptr);
    };
    return answer_one(context, api, two, std::move(filter), "update:" + domain::to_text(id), shown(two.from), shown(two.to));
  }
  std::uint64_t changed = 0;
  auto changes = campaigns_between(api, two, changed);
  answer_diff(context, api, two, std::move(filter), std::move(changes), changed);
}

}  // namespace

void add_diff_routes(Router::Group& admin, Api& api) {
  RouteOptions pages = admin.defaults();
  pages.running_max = limits::kAuditPagesAtOnce;
  admin.add("GET", "/diff", recorded(api, [&api](RequestContext& c) { diff(c, api); }), pages);
}

}  // namespace ota::http
