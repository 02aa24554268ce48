#include "http/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "domain/version.hpp"
#include "http/time_format.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

constexpr std::size_t kFirmwarePage = 200;

json when(domain::Time t) { return t == domain::Time{} ? json(nullptr) : json(format_time(t)); }
json when(const std::optional<domain::Time>& t) { return t ? json(format_time(*t)) : json(nullptr); }
json text_or_null(const std::string& s) { return s.empty() ? json(nullptr) : json(s); }
template <class T>
json or_null(const std::optional<T>& v) {
  return v ? json(*v) : json(nullptr);
}

double two_decimals(double value) { return std::round(value * 100.0) / 100.0; }
double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : two_decimals(100.0 * static_cast<double>(part) / static_cast<double>(whole));
}
double minutes(std::uint64_t us_total, std::uint64_t count) {
  return count == 0 ? 0.0 : two_decimals(static_cast<double>(us_total) / static_cast<double>(count) / 60e6);
}

std::string hex(const auto& bytes) { return domain::to_hex(domain::view_of(bytes)); }

std::string base64(const std::string& bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text.push_back(i + k > bytes.size() ? '=' : kDigits[(group >> (18 - 6 * k)) & 63]);
    }
  }
  return text;
}

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

const char* phase_word(domain::UpdateStatus s) {
  switch (s) {
    case domain::UpdateStatus::kDownloading: return "downloading";
    case domain::UpdateStatus::kVerifying: return "verifying";
    case domain::UpdateStatus::kInstalling: return "installing";
    case domain::UpdateStatus::kRebooting: return "rebooting";
    default: return nullptr;
  }
}

// Its own, if it takes a device back; else of the rollback that took its device back.
json rollback_id_of(const domain::DeviceUpdate& u) {
  if (u.is_rollback()) return domain::to_rollback_text(u.id);
  return u.undone_by ? json(domain::to_rollback_text(*u.undone_by)) : json(nullptr);
}

json ids_of(const projections::Views& views, domain::CampaignId campaign, std::size_t most) {
  json ids = json::array();
  if (most == 0) return ids;
  for (auto& id : views.devices_of(views.targets(campaign), most)) ids.push_back(std::move(id.value));
  return ids;
}

// The share of devices with a known version that run the newest available, non-beta firmware of their model.
double devices_on_latest(const projections::Views& views, const projections::Statistics& s) {
  std::map<std::string, std::string> newest;
  projections::FirmwareFilter filter;
  filter.status = domain::FirmwareStatus::kAvailable;
  filter.is_beta = false;
  projections::PageRequest page{kFirmwarePage, 0, ""};
  do {
    const auto rows = views.firmware_list(filter, page);
    for (const auto& row : rows.rows) {
      const auto& facts = row.firmware.record.facts;
      auto& version = newest[facts.device_model];
      if (version.empty() || domain::compare_versions(facts.version, version) > 0) version = facts.version;
    }
    page.cursor = rows.next_cursor;
  } while (!page.cursor.empty());
  std::uint64_t known = 0;
  std::uint64_t on_latest = 0;
  for (const auto& [model, versions] : s.devices_by_model_version) {
    const auto latest = newest.find(model);
    for (const auto& [version, count] : versions) {
      known += count;
      if (latest != newest.end() && domain::compare_versions(version, latest->second) == 0) on_latest += count;
    }
  }
  return percent(on_latest, known);
}

}  // namespace

double success_rate(std::uint64_t completed, std::uint64_t failed) { return percent(completed, completed + failed); }

Renderer::Renderer(const actors::Service& service, const LastSeen& last_seen, std::string base_path,
                   const actors::ContentFetcher* fetcher)
    : service_(service), last_seen_(last_seen), base_path_(std::move(base_path)), fetcher_(fetcher) {}

json Renderer::person(domain::Caller caller) const {
  const auto person = service_.person_of(caller);
  return person ? json(*person) : json(nullptr);
}

json Renderer::md5(const domain::FirmwareRegistered& record) {
  return record.md5 == decltype(record.md5){} ? json(nullptr) : json(hex(record.md5));
}

void Renderer::add_content(json& shown, const domain::Firmware& f) const {
  const auto& r = f.record;
  shown["content"] = domain::to_text(domain::content_of(f));
  const bool by_url = !r.file_url.empty();
  shown["source_url"] = by_url ? json(r.file_url) : json(nullptr);
  shown["fetch"] = by_url ? json(!r.kept_elsewhere) : json(nullptr);
  std::uint64_t received = f.content_here ? r.facts.file_size : 0;
  std::string error = f.content_error;
  if (domain::is_to_fetch(f)) {
    const auto state = fetcher_ ? fetcher_->state(r.id) : std::nullopt;
    if (state) received = state->received;
    if (state) error = state->last_error;
    if (!fetcher_) error = "fetching is switched off (firmware.fetch)";
  }
  shown["content_received"] = received;
  shown["content_error"] = text_or_null(error);
}

json Renderer::firmware(const projections::FirmwareRow& row) const {
  const auto& f = row.firmware;
  const auto& r = f.record;
  const std::string id = domain::to_text(r.id);
  const bool elsewhere = !f.content_here && r.kept_elsewhere;
  json shown{{"firmware_id", id},
             {"name", r.name},
             {"version", r.facts.version},
             {"description", text_or_null(r.description)},
             {"device_model", r.facts.device_model},
             {"manufacturer", r.manufacturer},
             {"min_hardware_version", text_or_null(r.facts.min_hardware_version)},
             {"max_hardware_version", text_or_null(r.facts.max_hardware_version)},
             {"file_name", r.file_name},
             {"file_size", r.facts.file_size},
             {"file_url", elsewhere ? r.file_url : base_path_ + "/firmware/" + id + "/content"},
             {"checksum_md5", md5(r)},
             {"checksum_sha256", hex(r.sha256)},
             {"signature", r.signature.empty() ? json(nullptr) : json(base64(r.signature))},
             {"tags", r.labels},
             {"metadata", r.metadata_json.empty() ? json::object() : json::parse(r.metadata_json, nullptr, false)},
             {"is_beta", r.facts.is_beta},
             {"is_security_update", r.facts.is_security_update},
             {"changelog", text_or_null(r.changelog)},
             {"status", domain::to_text(f.status)},
             {"status_reason", text_or_null(f.status_reason)},
             {"download_count", row.download_count},
             {"success_rate", success_rate(row.completed, row.failed)},
             {"created_at", when(f.created_at)},
             {"updated_at", when(f.updated_at)},
             {"created_by", person(f.created_by)}};
  add_content(shown, f);
  return shown;
}

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

json Renderer::update(const domain::DeviceUpdate& u) const {
  const auto firmware_row = service_.views().firmware(u.plan.firmware);
  const auto campaign = u.id.campaign();
  const auto campaign_row = campaign ? service_.views().campaign_summary(*campaign) : std::nullopt;
  const bool downloading = u.status == domain::UpdateStatus::kDownloading;
  const bool downloaded = u.status > domain::UpdateStatus::kDownloading && u.status <= domain::UpdateStatus::kCompleted;
  return {{"update_id", domain::to_text(u.id)},
          {"device_id", u.device.value},
          {"campaign_id", campaign ? json(domain::to_text(*campaign)) : json(nullptr)},
          {"rollback_id", rollback_id_of(u)},
          {"firmware", firmware_row ? firmware(*firmware_row) : json(nullptr)},
          {"firmware_id",
           u.plan.firmware == domain::FirmwareId{} ? json(nullptr) : json(domain::to_text(u.plan.firmware))},
          {"status", domain::to_text(u.status)},
          {"priority", domain::to_text(u.plan.priority)},
          {"progress_percentage", two_decimals(u.progress_basis_points / 100.0)},
          {"current_phase", phase_word(u.status) ? json(phase_word(u.status)) : json(nullptr)},
          {"from_version", text_or_null(u.plan.from_version)},
          {"to_version", u.plan.to_version},
          {"scheduled_at", when(campaign_row ? campaign_row->started_at : std::optional<domain::Time>(u.created_at))},
          {"started_at", when(u.started_at)},
          {"completed_at", when(u.completed_at)},
          {"timeout_at", when(u.timeout_at)},
          {"next_retry_at", when(u.retry_at)},
          {"error_code", text_or_null(u.error_code)},
          {"error_message", text_or_null(u.error_message)},
          {"retry_count", u.retry_count},
          {"max_retries", u.plan.max_retries},
          {"download_size", u.plan.download_size},
          {"download_progress", downloaded ? 100.0 : downloading ? two_decimals(u.phase_basis_points / 100.0) : 0.0},
          {"download_speed", u.bytes_per_second == 0 ? json(nullptr) : json(u.bytes_per_second)},
          {"signature_verified", or_null(u.signature_verified)},
          {"checksum_verified", or_null(u.checksum_verified)},
          {"device_validated", true},
          {"attempt", u.attempt},
          {"action_id", u.action.value == 0 ? json(nullptr) : json(u.action.value)},
          {"held", u.held},
          {"warnings", u.warnings},
          {"hold", u.hold},
          {"consent_asked", u.consent_asked > 0},
          {"consented", u.consented},
          {"details", u.details},
          {"cancel_requested", u.cancel.has_value()},
          {"cancel_requested_at", when(u.cancel_requested_at)},
          {"cancel_refused", u.cancel_refused},
          {"waiting_for", nullptr},
          {"campaign_progress_percentage",
           campaign_row ? json(percent(campaign_row->completed + campaign_row->failed + campaign_row->cancelled,
                                       campaign_row->total))
                        : json(nullptr)},
          {"created_at", when(u.created_at)},
          {"updated_at", when(u.updated_at)},
          {"revision", u.revision}};
}

json Renderer::device(const domain::Device& d) const {
  const auto facts = domain::facts_of(d);
  const auto* active = d.active();
  const auto seen = last_seen_.find(d.ordinal);
  return {{"device_id", d.id.value},
          {"name", text_or_null(d.attribute("name"))},
          {"device_model", text_or_null(facts.model)},
          {"hardware_version", text_or_null(facts.hardware_version)},
          {"firmware_version", text_or_null(facts.firmware_version)},
          {"groups", d.groups},
          {"user_id", person(d.owner)},
          {"attributes", d.attributes},
          {"status", d.deleted ? "deleted" : active ? "updating" : "registered"},
          {"last_seen", seen ? json(format_time(seen->at)) : json(nullptr)},
          {"address", seen ? text_or_null(seen->address) : json(nullptr)},
          {"last_seen_since", format_time(last_seen_.since())},
          {"active_update_id", active ? json(domain::to_text(active->first)) : json(nullptr)},
          {"created_at", when(d.registered_at)},
          {"updated_at", when(d.updated_at)}};
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
          {"success_rate", success_rate(row.completed, row.failed)},
          {"failure_rate", percent(row.failed, row.completed + row.failed)},
          {"avg_update_time", minutes(row.update_us_total, row.completed)},
          {"devices_per_hour", per_hour},
          {"estimated_completion", estimate},
          {"batches", batches},
          {"error_codes", row.error_codes}};
}

json Renderer::statistics(std::optional<domain::Time> from, std::optional<domain::Time> until) const {
  const auto all = service_.views().statistics();
  const bool is_period = from || until;
  const auto s = is_period ? service_.views().statistics_between(from.value_or(domain::Time{}),
                                                                 until.value_or(domain::Time::max()))
                           : all;
  const auto now = service_.now();
  const auto day = service_.views().statistics_between(now - std::chrono::hours(24), domain::Time::max());
  std::uint64_t campaigns = 0;
  for (const auto& [status, n] : s.campaigns) campaigns += n;
  const auto of = [&](domain::CampaignStatus status) {
    const auto found = s.campaigns.find(status);
    return found == s.campaigns.end() ? std::uint64_t{0} : found->second;
  };
  json j{{"total_campaigns", campaigns},
         {"active_campaigns", of(domain::CampaignStatus::kInProgress) + of(domain::CampaignStatus::kPaused) +
                                  of(domain::CampaignStatus::kRollback)},
         {"completed_campaigns", of(domain::CampaignStatus::kCompleted)},
         {"failed_campaigns", of(domain::CampaignStatus::kFailed)},
         {"total_updates", s.total_updates},
         {"pending_updates", s.pending_updates()},
         {"in_progress_updates", s.in_progress_updates},
         {"completed_updates", s.completed_updates},
         {"failed_updates", s.failed_updates},
         {"cancelled_updates", s.cancelled_updates},
         {"success_rate", success_rate(s.completed_updates, s.failed_updates)},
         {"avg_update_time", minutes(s.update_us_total, s.completed_updates)},
         {"total_data_transferred", s.data_transferred},
         {"last_24h_updates", day.total_updates},
         {"last_24h_failures", day.failed_updates},
         {"last_24h_data_transferred", day.data_transferred},
         {"updates_by_device_type", s.by_device_type},
         {"updates_by_firmware_version", s.by_firmware_version},
         {"rollbacks", s.rollbacks},
         {"rollback_rate", percent(s.rollbacks, s.started_campaigns)},
         {"total_devices", all.devices},
         {"devices_on_latest_firmware", devices_on_latest(service_.views(), all)}};
  if (is_period) {
    j["from"] = when(from);
    j["to"] = when(until);
  }
  return j;
}

}  // namespace ota::http
