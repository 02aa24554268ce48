// The log as it is, for auditors and checkers: events in log order (spec/api.md section 6).
#include <nlohmann/json.hpp>

#include "domain/codec/codec.hpp"
#include "http/api.hpp"
#include "http/field_errors.hpp"
#include "http/query_reader.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr std::int64_t kEventsMax = 5'000;     // a page of the log is smaller than a list's rows
constexpr std::int64_t kEventsDefault = 200;

json event_json(const Api& api, const eventstore::RecordedEvent& e) {
  json tags = json::array();
  for (const auto tag : e.tags) tags.push_back(domain::readable_name(tag));
  const auto decoded = domain::decode(e.type, e.payload);
  json actor = nullptr;
  if (const auto person = api.service.person_of(projections::to_domain(e.caller))) actor = *person;
  json correlation = nullptr;
  if (!e.correlation.empty()) {
    correlation = std::string(e.correlation);
  } else if (e.command) {
    correlation = domain::to_hex(domain::view_of(e.command->bytes));
  }
  return {{"position", e.position.value},
          {"time", format_time(e.time)},
          {"type", domain::event_name(e.type)},
          {"stream", domain::readable_name(e.stream)},
          {"tags", std::move(tags)},
          {"actor", std::move(actor)},
          {"correlation_id", std::move(correlation)},
          {"causation", e.causation.value == 0 ? json(nullptr) : json(e.causation.value)},
          {"data", decoded ? json::parse(domain::to_json_text(*decoded), nullptr, false) : json(nullptr)}};
}

std::optional<std::string> tag_of(QueryReader& query) {
  if (const auto id = query.string("campaign_id", {1, 100})) {
    if (const auto parsed = domain::parse_campaign_id(*id)) return domain::stream_name(*parsed);
    query.fail("campaign_id", "\"" + *id + "\" is not a campaign id");
  }
  if (const auto id = query.string("device_id", {1, 256})) {
    if (domain::is_valid_device_id(*id)) return domain::stream_name(domain::DeviceId{*id});
    query.fail("device_id", "\"" + *id + "\" is not a device id");
  }
  if (const auto id = query.string("update_id", {1, 100})) {
    if (const auto parsed = domain::parse_update_id(*id)) return domain::stream_name(*parsed);
    query.fail("update_id", "\"" + *id + "\" is not an update id");
  }
  return std::nullopt;
}

void events(RequestContext& context, Api& api) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto after = query.integer_or("after", {0, INT64_MAX}, 0);
  const auto limit = query.integer_or("limit", {1, kEventsMax}, kEventsDefault);
  const auto type = query.string("type", {1, 100});
  const auto tag = tag_of(query);
  if (!errors.empty()) return context.answer(errors.problem());
  json items = json::array();
  std::uint64_t last = static_cast<std::uint64_t>(after);
  const auto visit = [&](const eventstore::RecordedEvent& event) {
    last = event.position.value;
    if (!type || domain::event_name(event.type) == *type) items.push_back(event_json(api, event));
    return items.size() < static_cast<std::size_t>(limit);
  };
  const eventstore::Position from{static_cast<std::uint64_t>(after)};
  if (tag) {
    api.service.log().read_tag(*tag, from, visit);
  } else {
    api.service.log().scan(from, visit);
  }
  context.answer_json(200, json{{"events", std::move(items)},
                                {"next_after", last},
                                {"head", api.service.log().head().value},
                                {"limit", limit}}
                               .dump());
}

}  // namespace

void add_audit_routes(Router::Group& admin, Api& api) {
  admin.add("GET", "/audit/events", [&api](RequestContext& c) { events(c, api); });
}

}  // namespace ota::http
