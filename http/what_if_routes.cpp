// POST /campaigns/{id}/what-if: what would have become of a campaign that is over, under another policy. It changes nothing.
//
// The body names the fields of the policy that are other ones; without any the record is replayed as it was, which shows what
// the replay is worth.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "domain/campaign/what_if.hpp"
#include "http/api.hpp"
#include "http/audit_record.hpp"
#include "http/campaign_request.hpp"
#include "http/commands.hpp"
#include "http/field_errors.hpp"
#include "http/limits.hpp"
#include "http/render_parts.hpp"
#include "projections/merged_tags.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

json counts_json(const domain::Counts& c) {
  return {{"total_devices", c.total},
          {"pending_devices", c.total - c.in_progress - c.completed - c.failed - c.cancelled},
          {"in_progress_devices", c.in_progress},
          {"completed_devices", c.completed},
          {"failed_devices", c.failed},
          {"cancelled_devices", c.cancelled}};
}

json outcome_json(const domain::WhatIfOutcome& o) {
  json stopped = nullptr;
  if (o.stopped_at) {
    stopped = {{"at", json_of::when(*o.stopped_at)},
               {"reason", o.reason},
               {"granted_devices", o.granted_when_stopped},
               {"counts", counts_json(o.when_stopped)}};
  }
  return {{"status", domain::to_text(o.status)},
          {"stopped", std::move(stopped)},
          {"granted_devices", o.granted},
          {"counts", counts_json(o.at_end)},
          {"unknown_attempts", o.unknown},
          {"operator_steps_left_out", o.steps_left_out},
          {"ended_at", json_of::when(o.ended_at)}};
}

domain::CampaignRecord record_of(const Api& api, const projections::CampaignRow& row) {
  domain::CampaignRecorder recorder(row.id);
  const auto& log = api.service.log();
  projections::read_merged(log, domain::stream_name(row.id), {domain::fleet_tag(), domain::stream_name(row.record.firmware)}, {},
                           projections::to_domain(log.head()),
                           [&](const domain::Recorded& event, const auto*) { recorder.add(event); });
  return recorder.take();
}

void answer_what_if(RequestContext& context, Api& api) {
  const auto& text = context.parameter("campaign_id");
  const auto id = domain::parse_campaign_id(text);
  const auto row = id ? api.service.views().campaign_summary(*id) : std::nullopt;
  if (!row) return context.answer(Problem::not_found("Campaign not found: " + text));
  auto body = json_body(context, false);
  if (!body) return;
  FieldErrors errors;
  const auto policy = read_other_policy(*body, row->record.policy, errors);
  if (!errors.empty()) return context.answer(errors.problem());
  if (!row->closed) {
    return context.answer(Problem::state_transition(
        fmt::format("campaign is {}: only what is over can be replayed", domain::to_text(row->status)), domain::to_text(row->status),
        "what-if", {"completed", "failed", "cancelled"}));
  }
  const auto record = record_of(api, *row);
  if (const auto why = domain::why_no_what_if(record, policy)) return context.answer(Problem::validation(*why));
  const auto answer = domain::what_if(record, policy, api.service.settings());
  context.answer_json(200, json{{"campaign_id", text},
                                {"exact", answer.is_exact()},
                                {"if_unknown_succeed", outcome_json(answer.if_unknown_succeed)},
                                {"if_unknown_fail", outcome_json(answer.if_unknown_fail)}}
                               .dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace

void add_what_if_routes(Router::Group& admin, Api& api) {
  RouteOptions pages = admin.defaults();
  pages.running_max = limits::kWhatIfsAtOnce;
  admin.add("POST", "/campaigns/{campaign_id}/what-if", [&api](RequestContext& c) { answer_what_if(c, api); }, pages);
}

}  // namespace ota::http
