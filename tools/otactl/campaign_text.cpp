#include "tools/otactl/campaign_text.hpp"

#include "tools/otactl/human.hpp"
#include "tools/otactl/json_cells.hpp"

namespace ota::ctl {
namespace {

const std::vector<Shown> kCampaignColumns{{"CAMPAIGN", {"campaign_id"}},
                                          {"NAME", {"name"}},
                                          {"STATUS", {"status"}},
                                          {"VERSION", {"firmware.version", "firmware_version"}},
                                          {"STRATEGY", {"deployment_strategy"}},
                                          {"PRIORITY", {"priority"}},
                                          {"TOTAL", {"total_devices"}, As::kNumber},
                                          {"DONE", {"completed_devices"}, As::kNumber},
                                          {"FAILED", {"failed_devices"}, As::kNumber},
                                          {"PROGRESS", {"progress_percentage"}, As::kPercent},
                                          {"CREATED", {"created_at"}, As::kTime}};

const std::vector<Shown> kCampaignLines{
    {"campaign", {"campaign_id"}},
    {"name", {"name"}},
    {"description", {"description"}},
    {"status", {"status"}},
    {"reason", {"status_reason"}},
    {"verdict", {"verdict.text"}},
    {"canary", {"canary.text"}},
    {"rollback", {"rollback.reason"}},
    {"rollback trigger", {"rollback.trigger"}},
    {"rollback ends by", {"rollback.give_up_at"}, As::kTime},
    {"firmware", {"firmware_id", "firmware.firmware_id"}},
    {"version", {"firmware.version", "firmware_version"}},
    {"model", {"firmware.device_model"}},
    {"strategy", {"deployment_strategy"}},
    {"priority", {"priority"}},
    {"rollout", {"rollout_percentage"}, As::kPercent},
    {"at once", {"max_concurrent_updates"}, As::kNumber},
    {"batch size", {"batch_size"}, As::kNumber},
    {"timeout", {"timeout_minutes"}, As::kMinutes},
    {"failure threshold", {"failure_threshold_percent"}, As::kPercent},
    {"auto rollback", {"auto_rollback"}, As::kYesNo},
    {"rollback triggers", {"rollback_triggers"}},
    {"groups", {"targeted_groups"}},
    {"filters", {"target_filters"}},
    {"window", {"maintenance_window"}},
    {"progress", {"progress_percentage"}, As::kPercent},
    {"devices", {"total_devices"}, As::kNumber},
    {"  pending", {"pending_devices"}, As::kNumber},
    {"  in progress", {"in_progress_devices"}, As::kNumber},
    {"  held", {"held_devices"}, As::kNumber},
    {"  completed", {"completed_devices"}, As::kNumber},
    {"    taken back", {"undone_devices"}, As::kNumber},
    {"  failed", {"failed_devices"}, As::kNumber},
    {"  cancelled", {"cancelled_devices"}, As::kNumber},
    {"excluded", {"excluded"}},
    {"requires approval", {"requires_approval"}, As::kYesNo},
    {"approved", {"approved"}, As::kYesNo},
    {"approved by", {"approved_by"}},
    {"comment", {"approval_comment"}},
    {"switched", {"switched"}, As::kYesNo},
    {"switch", {"switch_at"}, As::kTime},
    {"scheduled start", {"scheduled_start"}, As::kTime},
    {"scheduled end", {"scheduled_end"}, As::kTime},
    {"started", {"actual_start"}, As::kTime},
    {"ended", {"actual_end"}, As::kTime},
    {"created", {"created_at"}, As::kTime},
    {"created by", {"created_by"}},
    {"updated", {"updated_at"}, As::kTime}};

const std::vector<Shown> kUpdateColumns{{"UPDATE", {"update_id"}},
                                        {"DEVICE", {"device_id"}},
                                        {"STATUS", {"status"}},
                                        {"PROGRESS", {"progress_percentage"}, As::kPercent},
                                        {"FROM", {"from_version"}},
                                        {"TO", {"to_version"}},
                                        {"ATTEMPT", {"attempt"}, As::kNumber},
                                        {"WAITING FOR", {"waiting_for"}},
                                        {"ERROR", {"error_code"}},
                                        {"UPDATED", {"updated_at"}, As::kTime}};

const std::vector<Shown> kUpdateLines{
    {"update", {"update_id"}},
    {"device", {"device_id"}},
    {"campaign", {"campaign_id"}},
    {"rollback", {"rollback_id"}},
    {"status", {"status"}},
    {"phase", {"current_phase"}},
    {"progress", {"progress_percentage"}, As::kPercent},
    {"download", {"download_progress"}, As::kPercent},
    {"download speed, B/s", {"download_speed"}, As::kSize},
    {"download size", {"download_size"}, As::kSize},
    {"waiting for", {"waiting_for"}},
    {"held", {"held"}, As::kYesNo},
    {"firmware", {"firmware.firmware_id", "firmware_id"}},
    {"from", {"from_version"}},
    {"to", {"to_version"}},
    {"priority", {"priority"}},
    {"attempt", {"attempt"}, As::kNumber},
    {"retries", {"retry_count"}, As::kNumber},
    {"retries at most", {"max_retries"}, As::kNumber},
    {"next retry", {"next_retry_at"}, As::kTime},
    {"error", {"error_code"}},
    {"error text", {"error_message"}},
    {"signature verified", {"signature_verified"}, As::kYesNo},
    {"checksum verified", {"checksum_verified"}, As::kYesNo},
    {"device validated", {"device_validated"}, As::kYesNo},
    {"cancel requested", {"cancel_requested_at"}, As::kTime},
    {"campaign progress", {"campaign_progress_percentage"}, As::kPercent},
    {"scheduled", {"scheduled_at"}, As::kTime},
    {"started", {"started_at"}, As::kTime},
    {"timeout", {"timeout_at"}, As::kTime},
    {"completed", {"completed_at"}, As::kTime},
    {"created", {"created_at"}, As::kTime},
    {"updated", {"updated_at"}, As::kTime}};

// Verbs answer with a sentence beside the object.
std::string message_of(const nlohmann::json& object) {
  const auto found = object.is_object() ? object.find("message") : object.end();
  if (!object.is_object() || found == object.end() || !found->is_string()) return {};
  return text::printable(found->get<std::string>()) + "\n";
}

}  // namespace

std::string campaign_text(const nlohmann::json& campaign) {
  return message_of(campaign) + object_lines(campaign, kCampaignLines);
}

std::string campaigns_text(const nlohmann::json& page) {
  return list_text(page, "campaigns", kCampaignColumns);
}

std::string update_text(const nlohmann::json& update) {
  return message_of(update) + object_lines(update, kUpdateLines);
}

std::string updates_text(const nlohmann::json& page) {
  return list_text(page, "updates", kUpdateColumns);
}

}  // namespace ota::ctl
