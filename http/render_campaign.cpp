// Campaigns and their statistics (spec/api.md section 4): verdict, canary and rollback with their sentences.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/render.hpp"
#include "http/render_parts.hpp"

namespace ota::http {
namespace {

using nlohmann::json;
using namespace json_of;

json window(const std::optional<domain::MaintenanceWindow>& w) {
  if (!w) return nullptr;
  const auto clock = [](std::uint16_t minute) { return fmt::format("{:02}:{:02}", minute / 60, minute % 60); };
  return {{"start", clock(w->start_minute)}, {"end", clock(w->end_minute)}, {"timezone", w->timezone}};
}

json verdict(const std::optional<domain::Verdict>& v) {
  if (!v) return nullptr;
  const char* rule = v->rule == domain::VerdictRule::kThreshold  ? "threshold"
                     : v->rule == domain::VerdictRule::kEvidence ? "evidence"
                                                                 : "slice";
  const char* decision = v->decision == domain::VerdictDecision::kAbort     ? "abort"
                         : v->decision == domain::VerdictDecision::kPromote ? "promote"
                         : v->decision == domain::VerdictDecision::kPass    ? "pass"
                                                                            : "undecided";
  json j{{"rule", rule},
         {"decision", decision},
         {"failed", v->failed},
         {"counted", v->counted},
         {"of_total", v->of_total},
         {"text", domain::sentence(*v)}};
  if (v->rule == domain::VerdictRule::kThreshold) {
    j["threshold_percent"] = v->threshold_percent;
  } else {
    j["p0_percent"] = v->p0_basis_points / 100.0;
    j["p1_percent"] = v->p1_basis_points / 100.0;
    j["more"] = v->more;
  }
  return j;
}

// What the canary is judged by, in a sentence too: fleets too small for the evidence rule try a slice.
json canary(const projections::CampaignRow& row) {
  if (!row.record.canary) return nullptr;
  const auto& t = *row.record.canary;
  const double p0 = t.p0_basis_points / 100.0;
  const double p1 = t.p1_basis_points / 100.0;
  const auto text =
      t.slice > 0
          ? fmt::format("the fleet of {} is too small to tell a failure rate of {} % from {} % ({} devices would be "
                        "needed first): {} of them go first, and every one must succeed",
                        row.record.picked, p1, p0, t.quota, t.slice)
          : fmt::format("{} devices go first; they are promoted once a failure rate of {} % or more is ruled out at "
                        "95 %, and aborted once {} % or less is",
                        t.quota, p1, p0);
  return {{"devices", t.slice > 0 ? t.slice : t.quota},
          {"rule", t.slice > 0 ? "slice" : "evidence"},
          {"p0_percent", p0},
          {"p1_percent", p1},
          {"promoted", row.promoted},
          {"text", text}};
}

// The present rollback of a campaign, or its last one.
json rollback_of(const projections::CampaignRow& row) {
  const auto& r = row.rollback;
  if (r.number == 0) return nullptr;
  return {{"number", r.number},
          {"trigger", domain::to_text(r.trigger)},
          {"reason", r.reason},
          {"begun_at", when(r.begun_at)},
          {"give_up_at", when(r.give_up_at)}};
}

json ids_of(const projections::Views& views, domain::CampaignId campaign, std::size_t most) {
  json ids = json::array();
  if (most == 0) return ids;
  for (auto& id : views.devices_of(views.targets(campaign), most)) ids.push_back(std::move(id.value));
  return ids;
}

}  // namespace

json Renderer::campaign(const projections::CampaignRow& row, std::size_t targets_shown) const {
  const auto& r = row.record;
  const auto& p = r.policy;
  json triggers = json::array();
  for (const auto t : p.rollback_triggers) triggers.push_back(domain::to_text(t));
  const bool started = row.started_at.has_value();
  json j{{"campaign_id", domain::to_text(row.id)},
         {"name", r.name},
         {"description", text_or_null(r.description)},
         {"firmware_id", domain::to_text(r.firmware)},
         {"firmware_version", r.facts.version},
         {"status", domain::to_text(row.status)},
         {"status_reason", text_or_null(row.status_reason)},
         {"deployment_strategy", domain::to_text(p.strategy)},
         {"priority", domain::to_text(p.priority)},
         {"target_device_count", r.target_device_count},
         {"targeted_groups", r.target_groups},
         {"target_filters",
          r.target_filters_json.empty() ? json(nullptr) : json::parse(r.target_filters_json, nullptr, false)},
         {"rollout_percentage", p.rollout_percentage},
         {"max_concurrent_updates", p.max_concurrent_updates},
         {"batch_size", p.batch_size},
         {"batch_settle_percent", p.batch_settle_percent},
         {"total_devices", row.total},
         {"pending_devices", row.pending()},
         {"in_progress_devices", row.in_progress},
         {"completed_devices", row.completed},
         {"failed_devices", row.failed},
         {"cancelled_devices", row.cancelled},
         {"held_devices", row.held},
         {"undone_devices", row.undone},
         {"excluded", r.excluded},
         {"progress_percentage", percent(row.completed + row.failed + row.cancelled, row.total)},
         {"verdict", verdict(row.verdict)},
         {"scheduled_start", when(p.scheduled_start)},
         {"scheduled_end", when(p.scheduled_end)},
         {"actual_start", when(row.started_at)},
         {"actual_end", when(row.ended_at)},
         {"timeout_minutes", p.timeout_minutes},
         {"auto_rollback", p.auto_rollback},
         {"failure_threshold_percent", p.failure_threshold_percent},
         {"min_finished_for_verdict", p.min_finished_for_verdict},
         {"rollback_triggers", triggers},
         {"requires_approval", p.requires_approval},
         {"approved", row.approved || row.approved_by != domain::Caller{} ? json(row.approved) : json(nullptr)},
         {"approved_by", person(row.approved_by)},
         {"approval_comment", text_or_null(row.approval_comment)},
         {"approval_conditions", text_or_null(row.approval_conditions)},
         {"finished", row.finished},
         {"canary", canary(row)},
         {"switched", row.switched},
         {"switch_at", when(p.switch_at)},
         {"rollback", rollback_of(row)},
         {"error_threshold_count", p.error_threshold_count},
         {"health_window_minutes", p.health_window_minutes == 0 ? p.timeout_minutes : p.health_window_minutes},
         {"rollback_deadline_minutes", p.rollback_deadline_minutes},
         {"require_version_proof", p.require_version_proof},
         {"requires_device_confirmation", p.requires_device_confirmation},
         {"download_only", p.download_only},
         {"allow_beta", p.allow_beta},
         {"force_update", p.force_update},
         {"maintenance_window", window(p.maintenance_window)},
         {"max_retries", p.max_retries},
         {"pre_update_commands", p.pre_update_commands},
         {"post_update_commands", p.post_update_commands},
         {"notify_on_start", p.notify_on_start},
         {"notify_on_complete", p.notify_on_complete},
         {"notify_on_failure", p.notify_on_failure},
         {"notification_channels", p.notification_channels},
         {"open_batch", started ? json(row.batch) : json(nullptr)},
         {"created_at", when(row.created_at)},
         {"updated_at", when(row.updated_at)},
         {"created_by", person(row.created_by)},
         {"revision", row.revision}};
  j["targeted_devices"] = ids_of(service_.views(), row.id, targets_shown);
  const auto firmware_row = service_.views().firmware(r.firmware);
  j["firmware"] = firmware_row ? firmware(*firmware_row) : json(nullptr);
  return j;
}

json Renderer::campaign_statistics(const projections::CampaignRow& row) const {
  json batches = json::array();
  for (const auto& [number, b] : row.batches) {
    batches.push_back({{"batch", number}, {"granted", b.granted}, {"completed", b.completed},
                       {"failed", b.failed}, {"cancelled", b.cancelled}});
  }
  // Rate and estimate from what has ended so far; nothing is estimated before something has.
  json per_hour = 0.0;
  json estimate = nullptr;
  const std::uint64_t ended = row.completed + row.failed;
  if (row.started_at && ended > 0) {
    const auto until = row.ended_at.value_or(service_.now());
    const double hours = std::max(1.0, static_cast<double>((until - *row.started_at).count()) / 1e6) / 3600.0;
    const double rate = static_cast<double>(ended) / hours;
    per_hour = two_decimals(rate);
    const auto left = static_cast<double>(row.pending() + row.in_progress);
    if (!row.closed && left > 0) {
      estimate = format_time(service_.now() + domain::Duration(static_cast<std::int64_t>(left / rate * 3.6e9)));
    }
  }
  return {{"campaign_id", domain::to_text(row.id)},
          {"progress_percentage", percent(row.completed + row.failed + row.cancelled, row.total)},
          {"total_devices", row.total},
          {"successful_updates", row.completed},
          {"failed_updates", row.failed},
          {"pending_updates", row.pending()},
          {"in_progress_updates", row.in_progress},
          {"cancelled_updates", row.cancelled},
          {"suspicious_updates", row.without_download},
          {"success_rate", success_rate(row.completed, row.failed)},
          {"failure_rate", percent(row.failed, row.completed + row.failed)},
          {"avg_update_time", minutes(row.update_us_total, row.completed)},
          {"devices_per_hour", per_hour},
          {"estimated_completion", estimate},
          {"batches", batches},
          {"error_codes", row.error_codes}};
}

}  // namespace ota::http
