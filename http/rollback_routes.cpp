// Rollbacks: of a device, shown, listed (spec/api.md section 5, BR-OTA-031 to 035). Of a campaign: campaign_routes.cpp.
#include <nlohmann/json.hpp>

#include "domain/limits.hpp"
#include "http/api.hpp"
#include "http/commands.hpp"
#include "http/field_errors.hpp"
#include "http/json_reader.hpp"
#include "http/query_reader.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr std::int64_t kReasonLength = 1'000;   // characters
constexpr std::int64_t kVersionLength = 50;

void answer_rollback(RequestContext& context, Api& api, const domain::UpdateId& id, int status) {
  const auto update = api.service.views().rollback(id);
  if (!update) return context.answer(Problem::not_found("Rollback not found: " + domain::to_rollback_text(id)));
  answer_resource(context, status, api.render.rollback(*update), update->revision);
}

void show(RequestContext& context, Api& api) {
  const auto& text = context.parameter("rollback_id");
  const auto id = domain::parse_rollback_id(text);
  if (!id) return context.answer(Problem::not_found("Rollback not found: " + text));
  answer_rollback(context, api, *id, 200);
}

void roll_back(RequestContext& context, Api& api) {
  const domain::DeviceId device{context.parameter("device_id")};
  auto found = meta_of(context, api.service, 201);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  const auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  const auto repeat = [&](const eventstore::CommandRecord& record) {
    const auto stream = stream_at(api.service, record.position);
    const auto* update = stream ? std::get_if<domain::UpdateId>(&*stream) : nullptr;
    if (update) return answer_rollback(context, api, *update, record.status);
    context.answer(Problem::internal());
  };
  if (before.record) return repeat(*before.record);
  auto body = json_body(context);
  if (!body) return;
  FieldErrors errors;
  JsonReader reader(*body, errors);
  const auto to_version = reader.required_string("to_version", {1, kVersionLength});
  const auto reason = reader.required_string("reason", {1, kReasonLength});
  if (!errors.empty()) return context.answer(errors.problem());
  const auto update = domain::UpdateId::direct(actors::new_uuid(api.service.now()));
  const auto answer = api.service.roll_back(device, to_version, reason, update, meta);
  if (!answer) return context.answer(problem_of(answer.error()));
  if (answer.value().repeated) {
    if (const auto problem = other_request(*answer.value().repeated, meta)) return context.answer(*problem);
    return repeat(*answer.value().repeated);
  }
  answer_rollback(context, api, update, 201);
}

void list_rollbacks(RequestContext& context, Api& api) {
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  projections::RollbackFilter filter;
  json shown = json::object();
  if (const auto device = query.string("device_id", {1, 256})) {
    filter.device = domain::DeviceId{*device};
    shown["device_id"] = *device;
  }
  if (const auto campaign = query.string("campaign_id", {1, 100})) {
    filter.campaign = domain::parse_campaign_id(*campaign);
    if (!filter.campaign) query.fail("campaign_id", "\"" + *campaign + "\" is not a campaign id");
    shown["campaign_id"] = *campaign;
  }
  const auto page = query.page();
  const auto cursor = query.string("cursor", {1, 1'000}).value_or("");
  if (!errors.empty()) return context.answer(errors.problem());
  const auto rows = api.service.views().rollback_list(
      filter, {static_cast<std::size_t>(page.limit), static_cast<std::size_t>(page.offset), cursor});
  if (rows.bad_cursor) {
    return context.answer(Problem::invalid_field({"query", "cursor"}, "the cursor is none of ours", "value_error"));
  }
  json items = json::array();
  for (const auto& update : rows.rows) items.push_back(api.render.rollback(update));
  answer_list(context, {"rollbacks", std::move(items), page.limit, page.offset, rows.next_cursor, std::move(shown)});
}

}  // namespace

void add_rollback_routes(Router::Group& admin, Api& api) {
  admin.add("GET", "/rollbacks", [&api](RequestContext& c) { list_rollbacks(c, api); });
  admin.add("GET", "/rollbacks/{rollback_id}", [&api](RequestContext& c) { show(c, api); });
  admin.add("POST", "/devices/{device_id}/rollback", [&api](RequestContext& c) { roll_back(c, api); });
}

}  // namespace ota::http
