// Updates and devices (spec/api.md section 5).
#include <nlohmann/json.hpp>

#include "http/render.hpp"
#include "http/render_parts.hpp"

namespace ota::http {
namespace {

using nlohmann::json;
using namespace json_of;

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

}  // namespace

Renderer::Renderer(const actors::Service& service, const LastSeen& last_seen, std::string base_path,
                   const actors::ContentFetcher* fetcher)
    : service_(service), last_seen_(last_seen), base_path_(std::move(base_path)), fetcher_(fetcher) {}

json Renderer::person(domain::Caller caller) const {
  const auto person = service_.person_of(caller);
  return person ? json(*person) : json(nullptr);
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
          {"success_without_download", u.without_download},
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
          {"auto_confirm", d.auto_confirm ? json{{"initiator", text_or_null(d.auto_confirm->initiator)},
                                                 {"remark", text_or_null(d.auto_confirm->remark)},
                                                 {"since", when(d.auto_confirm->since)}}
                                          : json(nullptr)},
          {"push", d.push},
          {"status", d.deleted ? "deleted" : active ? "updating" : "registered"},
          {"last_seen", seen ? json(format_time(seen->at)) : json(nullptr)},
          {"address", seen ? text_or_null(seen->address) : json(nullptr)},
          {"last_seen_since", format_time(last_seen_.since())},
          {"active_update_id", active ? json(domain::to_text(active->first)) : json(nullptr)},
          {"created_at", when(d.registered_at)},
          {"updated_at", when(d.updated_at)}};
}

}  // namespace ota::http
