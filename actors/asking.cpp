#include "actors/asking.hpp"

#include <utility>

#include <fmt/format.h>

namespace ota::actors {

namespace {

bool is_pushed_from_elsewhere(const domain::Device& device, const domain::Firmware& firmware) {
  return device.push && !firmware.content_here && firmware.record.kept_elsewhere;
}

}  // namespace

bool stays_elsewhere(const projections::Views& views, domain::FirmwareId firmware) {
  const auto row = views.firmware(firmware);
  return row && row->firmware.record.kept_elsewhere;
}

domain::WayBack way_back(const projections::Views& views, const domain::Device& device, domain::FirmwareId now,
                         const std::string& version) {
  domain::WayBack back;
  back.version = version;
  back.read_at = views.position();
  if (version.empty()) return back;
  const auto brought = views.firmware(now);
  if (!brought) return back;
  const auto id = views.firmware_bringing(brought->firmware.record.facts.device_model, version);
  const auto row = id ? views.firmware(*id) : std::nullopt;
  if (!row) return back;
  back.firmware = *id;
  back.facts = row->firmware.record.facts;
  back.stored = row->firmware.content_here || is_pushed_from_elsewhere(device, row->firmware);
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

std::pair<domain::User, domain::Position> wishes_of_owner(const domain::Device& device, const projections::Views& views) {
  const auto read_at = views.position();
  if (device.owner == domain::Caller{}) return {{}, read_at};
  return {views.user(device.owner).value_or(domain::User{}), read_at};
}

domain::FirmwareShelf shelf_of(const domain::Device& device, const projections::Views& views) {
  domain::FirmwareShelf shelf;
  const auto wants_beta = [&] { return wishes_of_owner(device, views).first.beta_opt_in; };
  for (const auto& [id, u] : device.updates) {
    if (id.of_campaign || shelf.contains(u.plan.firmware)) continue;
    auto& at_hand = shelf[u.plan.firmware];
    at_hand.name = u.plan.to_version;
    const auto row = views.firmware(u.plan.firmware);
    if (!row) continue;
    const auto& record = row->firmware.record;
    at_hand = {fmt::format("{} {}", record.name, record.facts.version), row->firmware.content_here,
               row->firmware.status == domain::FirmwareStatus::kRecalled, record.facts,
               !record.facts.is_beta || wants_beta(), is_pushed_from_elsewhere(device, row->firmware)};
  }
  return shelf;
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
  ask.auto_confirms = device.auto_confirm.has_value();
  ask.push = device.push;
  ask.owner = device.owner;
  const auto [wishes, read_at] = wishes_of_owner(device, views);
  ask.owner_pauses_until = wishes.paused_until;
  ask.owner_wants_beta = wishes.beta_opt_in;
  ask.owner_read_at = read_at;
  if (const auto known = device.updates.find(update); known != device.updates.end()) {
    const auto& u = known->second;
    ask.attempts = u.attempt;
    ask.batch = u.batch;
    ask.planned_from = u.plan.from_version;
    ask.consented = u.consented;
    ask.consent_asked = u.consent_asked > 0;
    if (u.consented && u.consent_asked == u.attempt + 1) ask.action = u.action;  // the one that was agreed to
  }
  if (ask.rollback > 0) {
    const auto deployment = views.update(domain::UpdateId::in_campaign(*update.campaign(), update.ordinal));
    if (deployment) {
      ask.back = way_back(views, device, deployment->plan.firmware, deployment->plan.from_version);
      ask.back.undone = deployment->plan.to_version;
    }
  }
  return ask;
}

}  // namespace ota::actors
