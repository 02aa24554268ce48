#include "actors/asking.hpp"

#include <tuple>
#include <utility>

namespace ota::actors {

domain::WayBack way_back(const projections::Views& views, domain::FirmwareId now, const std::string& version) {
  domain::WayBack back;
  back.version = version;
  back.read_at = views.position();
  if (version.empty()) return back;
  const auto brought = views.firmware(now);
  if (!brought) return back;
  const auto id = views.firmware_of(brought->firmware.record.facts.device_model, version);
  const auto row = id ? views.firmware(*id) : std::nullopt;
  if (!row) return back;
  back.firmware = *id;
  back.facts = row->firmware.record.facts;
  back.stored = row->firmware.content_here;
  back.recalled = row->firmware.status == domain::FirmwareStatus::kRecalled;
  return back;
}

domain::UpdatePlan plan_back(const domain::WayBack& back, domain::RollbackOf rollback) {
  domain::UpdatePlan plan;
  plan.firmware = back.firmware;
  plan.to_version = back.version;
  plan.priority = domain::Priority::kCritical;  // BR-OTA-033
  plan.download_size = back.facts.file_size;
  plan.firmware_number = back.facts.number;
  plan.force_update = true;
  plan.rollback = std::move(rollback);
  return plan;
}

std::pair<std::optional<domain::Time>, domain::Position> pause_of_owner(const domain::Device& device,
                                                                        const projections::Views& views) {
  const auto read_at = views.position();
  if (device.owner == domain::Caller{}) return {{}, read_at};
  const auto owner = views.user(device.owner);
  return {owner ? owner->paused_until : std::nullopt, read_at};
}

domain::GrantAsk ask_for(const domain::Device& device, const domain::UpdateId& update, const projections::Views& views,
                         const domain::Settings& settings) {
  domain::GrantAsk ask;
  ask.device = device.id;
  ask.ordinal = device.ordinal;
  ask.known = device.registered && !device.deleted;
  ask.facts = domain::facts_of(device);
  ask.device_position = device.position;
  ask.action = domain::next_action(device.last_action, settings.first_action);
  ask.rollback = update.kind;
  ask.owner = device.owner;
  std::tie(ask.owner_pauses_until, ask.owner_read_at) = pause_of_owner(device, views);
  if (const auto known = device.updates.find(update); known != device.updates.end()) {
    const auto& u = known->second;
    ask.attempts = u.attempt;
    ask.batch = u.batch;
    ask.consented = u.consented;
    ask.consent_asked = u.consent_asked > 0;
    if (u.consented && u.consent_asked == u.attempt + 1) ask.action = u.action;  // the one that was agreed to
  }
  if (ask.rollback > 0) {
    const auto deployment = views.update(domain::UpdateId::in_campaign(*update.campaign(), update.ordinal));
    if (deployment) ask.back = way_back(views, deployment->plan.firmware, deployment->plan.from_version);
  }
  return ask;
}

}  // namespace ota::actors
