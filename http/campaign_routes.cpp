// Campaigns: create, list, show, start, pause, resume, cancel, their updates and figures (spec/api.md section 4).
#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/campaign_request.hpp"
#include "http/commands.hpp"
#include "http/field_errors.hpp"
#include "http/json_reader.hpp"
#include "http/past_answers.hpp"
#include "http/query_reader.hpp"
#include "http/text.hpp"
#include "http/waiting.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

// The campaign of the path, or answered with 404.
std::optional<domain::CampaignId> campaign_id(RequestContext& context) {
  const auto& text = context.parameter("campaign_id");
  const auto id = domain::parse_campaign_id(text);
  if (!id) context.answer(Problem::not_found("Campaign not found: " + text));
  return id;
}

std::optional<projections::CampaignRow> campaign_row(RequestContext& context, Api& api) {
  const auto id = campaign_id(context);
  if (!id) return std::nullopt;
  auto row = api.service.views().campaign(*id);
  if (!row) context.answer(Problem::not_found("Campaign not found: " + context.parameter("campaign_id")));
  return row;
}

void answer_campaign(RequestContext& context, Api& api, domain::CampaignId id, int status,
                     std::string_view message = {}) {
  const auto row = api.service.views().campaign(id);
  if (!row) {
    context.answer(Problem::not_found("Campaign not found: " + domain::to_text(id)));
    return;
  }
  auto body = api.render.campaign(*row);
  if (!message.empty()) body["message"] = message;
  // How many devices its rollback takes back: who completed and is not back yet.
  if (row->status == domain::CampaignStatus::kRollback) body["rollbacks"] = row->completed - row->undone;
  answer_resource(context, status, body, row->revision);
}

void answer_repeated(RequestContext& context, Api& api, const eventstore::CommandRecord& record) {
  const auto stream = stream_at(api.service, record.position);
  const auto* id = stream ? std::get_if<domain::CampaignId>(&*stream) : nullptr;
  if (!id) {
    context.answer(Problem::internal());
    return;
  }
  answer_campaign(context, api, *id, record.status);
}

void create(RequestContext& context, Api& api) {
  auto found = meta_of(context, api.service, 201);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  if (before.record) return answer_repeated(context, api, *before.record);
  auto body = json_body(context);
  if (!body) return;
  FieldErrors errors;
  const auto no_firmware = no_such_firmware(*body);
  auto spec = read_campaign(*body, api.service.now(), errors);
  if (!errors.empty()) return context.answer(errors.problem());
  if (no_firmware) return context.answer(*no_firmware);
  spec.id = {actors::new_uuid(api.service.now())};
  const auto answer = api.service.create_campaign(spec, meta);
  if (!answer) return context.answer(problem_of(answer.error()));
  if (answer.value().repeated) {
    if (const auto problem = other_request(*answer.value().repeated, meta)) return context.answer(*problem);
    return answer_repeated(context, api, *answer.value().repeated);
  }
  answer_campaign(context, api, spec.id, 201);
}

struct Verb {
  std::string_view took_effect;
  std::string_view had_already;
  std::string_view waits = {};            // of one that is scheduled now
};

template <class MakeCommand>
void command(RequestContext& context, Api& api, Verb verb, MakeCommand make) {
  const auto id = campaign_id(context);
  if (!id) return;
  auto found = meta_of(context, api.service, 200);
  if (const auto* problem = std::get_if<Problem>(&found)) return context.answer(*problem);
  auto& meta = std::get<actors::Meta>(found);
  auto before = look_back(context, api.service, context.body(), meta);
  if (before.answered) return;
  if (before.record) return answer_campaign(context, api, *id, before.record->status, verb.took_effect);
  if (!api.service.views().campaign_summary(*id)) {
    return context.answer(Problem::not_found("Campaign not found: " + domain::to_text(*id)));
  }
  auto body = json_body(context, false);
  if (!body) return;
  FieldErrors errors;
  JsonReader reader(*body, errors);
  domain::CampaignCommand made = make(reader);
  if (!errors.empty()) return context.answer(errors.problem());
  const auto answer = api.service.campaign(*id, std::move(made), meta);
  if (!answer) return context.answer(problem_of(answer.error()));
  if (answer.value().repeated) {
    if (const auto problem = other_request(*answer.value().repeated, meta)) return context.answer(*problem);
  }
  const auto& done = answer.value();
  auto message = done.wrote || done.repeated ? verb.took_effect : verb.had_already;
  if (!verb.waits.empty()) {
    const auto row = api.service.views().campaign_summary(*id);
    if (row && row->status == domain::CampaignStatus::kScheduled) message = verb.waits;
  }
  answer_campaign(context, api, *id, 200, message);
}

void list_campaigns(RequestContext& context, Api& api) {
  if (answer_past_campaigns(context, api)) return;
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  json shown = json::object();
  const auto filter = read_campaign_filter(query, shown);
  const auto page = query.page();
  const auto cursor = query.string("cursor", {1, 500}).value_or("");
  if (!errors.empty()) return context.answer(errors.problem());
  const auto rows = api.service.views().campaign_list(
      filter, {static_cast<std::size_t>(page.limit), static_cast<std::size_t>(page.offset), cursor});
  if (rows.bad_cursor) {
    return context.answer(Problem::invalid_field({"query", "cursor"}, "the cursor is none of ours", "value_error"));
  }
  json items = json::array();
  std::size_t targets = Renderer::kTargetsShown;
  for (const auto& row : rows.rows) {
    items.push_back(api.render.campaign(row, targets));
    targets -= items.back()["targeted_devices"].size();
  }
  answer_list(context, {"campaigns", std::move(items), page.limit, page.offset, rows.next_cursor, std::move(shown)});
}

void updates(RequestContext& context, Api& api) {
  if (answer_past_campaign_updates(context, api)) return;
  const auto row = campaign_row(context, api);
  if (!row) return;
  FieldErrors errors;
  QueryReader query(context.query(), errors);
  const auto status = read_update_status(query);
  const auto page = query.page();
  const auto cursor = query.string("cursor", {1, 500}).value_or("");
  if (!errors.empty()) return context.answer(errors.problem());
  const auto found = api.service.views().campaign_updates(
      row->id, status, {static_cast<std::size_t>(page.limit), static_cast<std::size_t>(page.offset), cursor});
  if (found.bad_cursor) {
    return context.answer(Problem::invalid_field({"query", "cursor"}, "the cursor is none of ours", "value_error"));
  }
  json items = json::array();
  for (const auto& update : found.rows) items.push_back(shown_update(api, update));
  json shown = json::object();
  if (status) shown["status"] = domain::to_text(*status);
  answer_list(context, {"updates", std::move(items), page.limit, page.offset, found.next_cursor, std::move(shown)});
}

}  // namespace

void add_campaign_routes(Router::Group& admin, Api& api) {
  RouteOptions large = admin.defaults();
  large.body_bytes_max = limits::kLargeBodyBytes;
  const auto past = admin.unchecked();    // they answer ?as_of=
  admin.add("POST", "/campaigns", [&api](RequestContext& c) { create(c, api); }, large);
  admin.add("GET", "/campaigns", [&api](RequestContext& c) { list_campaigns(c, api); }, past);
  admin.add("GET", "/campaigns/{campaign_id}", [&api](RequestContext& c) {
    if (answer_past_campaign(c, api)) return;
    if (const auto id = campaign_id(c)) answer_campaign(c, api, *id, 200);
  }, past);
  admin.add("GET", "/campaigns/{campaign_id}/updates", [&api](RequestContext& c) { updates(c, api); }, past);
  admin.add("GET", "/stats/campaigns/{campaign_id}", [&api](RequestContext& c) {
    const auto row = campaign_row(c, api);
    if (!row) return;
    FieldErrors errors;
    QueryReader query(c.query(), errors);
    for (const auto* name : {"from", "to"}) {
      if (const auto time = query.string(name)) {
        query.fail(name, fmt::format("a campaign's statistics are of all of it, not from or to {}", shown(*time)));
      }
    }
    if (!errors.empty()) return c.answer(errors.problem());
    answer_resource(c, 200, api.render.campaign_statistics(*row), row->revision);
  });
  admin.add("POST", "/campaigns/{campaign_id}/start", [&api](RequestContext& c) {
    command(c, api, {"Campaign started", "Campaign was started already", "Campaign is scheduled: it starts at its scheduled_start"},
            [](JsonReader&) { return domain::StartCampaign{}; });
  });
  admin.add("POST", "/campaigns/{campaign_id}/pause", [&api](RequestContext& c) {
    command(c, api, {"Campaign paused", "Campaign was paused already"},
            [](JsonReader& b) { return domain::PauseCampaign{b.string_or("reason", {0, 1'000}, "")}; });
  });
  admin.add("POST", "/campaigns/{campaign_id}/resume", [&api](RequestContext& c) {
    command(c, api, {"Campaign resumed", "Campaign is running already"},
            [](JsonReader&) { return domain::ResumeCampaign{}; });
  });
  admin.add("POST", "/campaigns/{campaign_id}/cancel", [&api](RequestContext& c) {
    command(c, api, {"Campaign cancelled", "Campaign was cancelled already"},
            [](JsonReader& b) { return domain::CancelCampaign{b.string_or("reason", {0, 1'000}, "")}; });
  });
  admin.add("POST", "/campaigns/{campaign_id}/approve", [&api](RequestContext& c) {
    command(c, api, {"Campaign approval recorded", "Campaign approval was recorded already"}, [](JsonReader& b) {
      return domain::ApproveCampaign{b.required_boolean("approved"), b.string_or("approval_comment", {0, 1'000}, ""),
                                     b.string_or("conditions", {0, 1'000}, "")};
    });
  });
  admin.add("POST", "/campaigns/{campaign_id}/promote", [&api](RequestContext& c) {
    command(c, api, {"Canary promoted", "Canary was promoted already"},
            [](JsonReader& b) { return domain::PromoteCampaign{b.string_or("reason", {0, 1'000}, "")}; });
  });
  admin.add("POST", "/campaigns/{campaign_id}/switch", [&api](RequestContext& c) {
    command(c, api, {"Campaign switched: whoever holds the update installs it", "Campaign was switched already"},
            [](JsonReader& b) { return domain::SwitchCampaign{b.string_or("reason", {0, 1'000}, "")}; });
  });
  admin.add("POST", "/campaigns/{campaign_id}/rollback", [&api](RequestContext& c) {
    command(c, api, {"Campaign rollback begun", "Campaign is being rolled back already"},
            [](JsonReader& b) { return domain::RollbackCampaign{b.required_string("reason", {1, 1'000})}; });
  });
  admin.add("POST", "/campaigns/{campaign_id}/finish", [&api](RequestContext& c) {
    command(c, api, {"Campaign is finishing", "Campaign was finished already"},
            [](JsonReader& b) { return domain::FinishCampaign{b.required_string("reason", {1, 1'000})}; });
  });
}

}  // namespace ota::http
