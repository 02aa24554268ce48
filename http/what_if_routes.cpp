// POST /campaigns/{id}/what-if: what would have become of a campaign that is over, under another policy. It changes nothing.
//
// The body names the fields of the policy that are other ones; without any, and with such as decide nothing otherwise, the
// answer is what was, and exact. Under other ones `scenarios` has what became of it at both ends of what nobody knows, and
// `bounds` what holds at either `devices_come`, however each of the unknown attempts ends:
//
// - unknown_outcomes: attempts that were stopped then, or never made, all "succeed", or all "fail";
// - devices_come: "as_recorded": each when it was granted then, and who never was granted never; "at_once": each as soon as it
//   may, those never granted last. Where the other policy admits nobody earlier, only the latter come, when nobody was granted
//   any more.
//
// The scenarios are no bounds by themselves: where some fail and none stops the campaign more may fail than where all do. Whether
// it stops is "never", "perhaps" or "always"; `stopped_at` and `granted_when_stopped` are of the case that it does, and where it is
// not known until when, `stopped_at.max` is null. Devices that come partly at once and partly as recorded are not bounded.
//
// `exact`: no outcome is unknown, all scenarios agree, and nothing was decided whose moment is not in the record. The scenarios
// decide as soon as it is due; `bounds` hold also for one that takes as long over it as the record's slowest decision did, at least
// a second. Attempts take as long and end as then, operators do what they did when they did it, and what happened behind the
// campaign's last event is not looked at; a rollback is begun, its ways back are not played.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "domain/campaign/what_if.hpp"
#include "http/api.hpp"
#include "http/campaign_request.hpp"
#include "http/commands.hpp"
#include "http/field_errors.hpp"
#include "http/limits.hpp"
#include "http/render_parts.hpp"
#include "http/text.hpp"
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

json scenario_json(const domain::WhatIfScenario& scenario) {
  const auto& o = scenario.outcome;
  json stopped = nullptr;
  if (o.stopped_at) {
    stopped = {{"at", json_of::when(*o.stopped_at)},
               {"reason", o.reason},
               {"granted_devices", o.granted_when_stopped},
               {"counts", counts_json(o.when_stopped)}};
  }
  const bool succeed = scenario.unknown_outcomes == domain::UnknownOutcomes::kSucceed;
  const bool as_recorded = scenario.devices_come == domain::DevicesCome::kAsRecorded;
  return {{"unknown_outcomes", succeed ? "succeed" : "fail"},
          {"devices_come", as_recorded ? "as_recorded" : "at_once"},
          {"status", domain::to_text(o.status)},
          {"stopped", std::move(stopped)},
          {"granted_devices", o.granted},
          {"counts", counts_json(o.at_end)},
          {"unknown_attempts", o.unknown},
          {"operator_steps_left_out", o.steps_left_out},
          {"cut_short", o.cut_short},
          {"ended_at", o.ended_at ? json(json_of::when(*o.ended_at)) : json(nullptr)}};
}

json between(const domain::Between<std::uint32_t>& range) { return {{"min", range.min}, {"max", range.max}}; }

json bounds_json(const domain::WhatIfBounds& b) {
  const auto* stopped = b.stopped == domain::Stopped::kNever    ? "never"
                        : b.stopped == domain::Stopped::kAlways ? "always"
                                                                : "perhaps";
  json stopped_at = nullptr;
  if (b.stopped_at) {
    const auto& last = b.stopped_at->max;
    stopped_at = {{"min", json_of::when(b.stopped_at->min)}, {"max", last ? json(json_of::when(*last)) : json(nullptr)}};
  }
  return {{"granted_devices", between(b.granted)},
          {"completed_devices", between(b.completed)},
          {"failed_devices", between(b.failed)},
          {"cancelled_devices", between(b.cancelled)},
          {"stopped", stopped},
          {"stopped_at", std::move(stopped_at)},
          {"granted_when_stopped", b.granted_when_stopped ? between(*b.granted_when_stopped) : json(nullptr)}};
}

// The fleet's and its firmware's events only for as long as the campaign's own: the answer stays the same however long the log
// grows behind that.
domain::CampaignRecord record_of(const Api& api, const projections::CampaignRow& row) {
  domain::CampaignRecorder recorder(row.id);
  const auto& log = api.service.log();
  const auto add = [&](const domain::Recorded& event, const auto*) { recorder.add(event); };
  projections::read_merged(log, domain::stream_name(row.id), {}, {}, projections::to_domain(log.head()), add);
  const auto from = recorder.created_at();
  projections::read_merged(log, domain::fleet_tag(), {domain::stream_name(row.record.firmware)}, from, recorder.last(), add);
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
  if (const auto no = domain::why_no_what_if(record, policy)) {
    // The client's own value, if it is not an alias or left out.
    const auto given = body->is_object() ? body->find(no->field) : body->end();
    const auto got = given != body->end() ? ", got " + shown(given->dump(-1, ' ', false, json::error_handler_t::replace)) : std::string();
    errors.add({"body", no->field}, no->why + got, "value_error");
    return context.answer(errors.problem());
  }
  const auto answer = domain::what_if(record, policy, api.service.settings());
  json scenarios = json::array();
  for (const auto& scenario : answer.scenarios) scenarios.push_back(scenario_json(scenario));
  context.answer_json(200, json{{"campaign_id", text},
                                {"exact", answer.is_exact()},
                                {"bounds", bounds_json(answer.bounds())},
                                {"scenarios", std::move(scenarios)}}
                               .dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace

void add_what_if_routes(Router::Group& admin, Api& api) {
  RouteOptions pages = admin.defaults();
  pages.running_max = limits::kWhatIfsAtOnce;
  admin.add("POST", "/campaigns/{campaign_id}/what-if", [&api](RequestContext& c) { answer_what_if(c, api); }, pages);
}

}  // namespace ota::http
