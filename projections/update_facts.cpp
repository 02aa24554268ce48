#include "projections/update_facts.hpp"

#include <tuple>
#include <utility>

namespace ota::projections {
namespace {

// A batch loses who lapses, until the next grant.
std::uint32_t batch_of(const domain::DeviceUpdate& u) {
  const bool lapsed =
      u.status == domain::UpdateStatus::kScheduled && !u.retry && !u.retry_at && u.attempt > 0;
  return lapsed ? 0 : u.batch;
}

std::uint64_t took_us(const domain::DeviceUpdate& u) {
  // One that was undone stays counted as completed.
  const bool done = u.status == domain::UpdateStatus::kCompleted || u.status == domain::UpdateStatus::kRollback;
  if (!done || !u.started_at || !u.completed_at) return 0;
  const domain::Duration took = *u.completed_at - *u.started_at;
  return took.count() > 0 ? static_cast<std::uint64_t>(took.count()) : 0;
}

}  // namespace

UpdateFacts facts_of(const domain::DeviceUpdate& u) {
  UpdateFacts facts;
  facts.exists = u.exists;
  facts.status = u.status;
  facts.attempt = u.attempt;
  facts.batch = batch_of(u);
  facts.held = u.held;
  facts.firmware = u.plan.firmware;
  facts.download_size = u.plan.download_size;
  facts.created_at = u.created_at;
  facts.took_us = took_us(u);
  facts.start_by = u.start_by;
  facts.timeout_at = u.timeout_at;
  if (u.cancel) facts.give_up_at = u.cancel->give_up_at;
  if (u.held) facts.window_opens_at = u.held_until;
  return facts;
}

Standing standing_of(domain::UpdateStatus status, bool campaign_ended) {
  switch (status) {
    case domain::UpdateStatus::kCreated:
    case domain::UpdateStatus::kScheduled:
      return campaign_ended ? Standing::kCancelled : Standing::kPending;
    case domain::UpdateStatus::kInProgress:
    case domain::UpdateStatus::kDownloading:
    case domain::UpdateStatus::kVerifying:
    case domain::UpdateStatus::kInstalling:
    case domain::UpdateStatus::kRebooting:
      return Standing::kInProgress;
    case domain::UpdateStatus::kCompleted:
    case domain::UpdateStatus::kRollback:
      return Standing::kCompleted;  // undone, it stays counted
    case domain::UpdateStatus::kFailed:
      return Standing::kFailed;
    case domain::UpdateStatus::kCancelled:
      return Standing::kCancelled;
  }
  return Standing::kNone;
}

domain::UpdateStatus pending_status(const CampaignEntry& campaign) {
  if (campaign.ended()) return domain::UpdateStatus::kCancelled;
  return campaign.state.started_at ? domain::UpdateStatus::kScheduled
                                   : domain::UpdateStatus::kCreated;
}

domain::DeviceUpdate pending_update(const CampaignEntry& campaign, domain::Ordinal ordinal,
                                    domain::DeviceId device) {
  const auto& c = campaign.state;
  domain::DeviceUpdate u;
  u.id = domain::UpdateId::in_campaign(c.id, ordinal);
  u.device = std::move(device);
  u.plan.firmware = c.firmware;
  u.plan.to_version = c.facts.version;
  u.plan.priority = c.policy.priority;
  u.plan.max_retries = c.policy.max_retries;
  u.plan.timeout_minutes = c.policy.timeout_minutes;
  u.plan.download_size = c.facts.file_size;
  u.plan.firmware_number = c.facts.number;
  u.plan.force_update = c.policy.force_update;
  u.plan.pre_update_commands = c.policy.pre_update_commands;
  u.plan.post_update_commands = c.policy.post_update_commands;
  u.plan.maintenance_window = c.policy.maintenance_window;
  u.status = pending_status(campaign);
  u.created_at = c.created_at;
  u.updated_at = campaign.ended_at ? *campaign.ended_at : c.started_at.value_or(c.created_at);
  if (campaign.ended()) {
    u.completed_at = campaign.ended_at;
    std::tie(u.error_code, u.error_message) = domain::why_cancelled(domain::cause_of_end(c));
  }
  return u;
}

std::optional<domain::DeviceUpdate> pending_rollback(const CampaignEntry& campaign,
                                                     const domain::DeviceUpdate& deployment,
                                                     bool device_is_gone) {
  const auto& rollback = campaign.state.rollback;
  const bool waits = campaign.state.status == domain::CampaignStatus::kRollback;
  if (rollback.number == 0 || !(waits || device_is_gone) || deployment.status != domain::UpdateStatus::kCompleted) return {};
  domain::DeviceUpdate u;
  u.id = domain::UpdateId::in_campaign(campaign.state.id, deployment.id.ordinal,
                                       static_cast<std::uint8_t>(rollback.number));
  u.device = deployment.device;
  u.plan.from_version = deployment.plan.to_version;
  u.plan.to_version = deployment.plan.from_version;
  u.plan.priority = domain::Priority::kCritical;
  u.plan.rollback = domain::RollbackOf{rollback.trigger, rollback.reason, deployment.id,
                                       deployment.plan.to_version};
  u.created_at = rollback.begun_at;
  u.updated_at = rollback.begun_at;
  if (device_is_gone) {
    u.status = domain::UpdateStatus::kFailed;
    u.error_code = "device_deleted";
    u.error_message = "the device was deleted";
  }
  return u;
}

domain::DeviceUpdate withdrawn_update(const CampaignEntry& campaign, domain::Ordinal ordinal,
                                      domain::DeviceId device, domain::Time at) {
  auto u = pending_update(campaign, ordinal, std::move(device));
  u.status = domain::UpdateStatus::kCancelled;
  std::tie(u.error_code, u.error_message) = domain::why_cancelled(domain::CancelCause::kDeviceDeleted);
  u.updated_at = at;
  u.completed_at = at;
  return u;
}

}  // namespace ota::projections
