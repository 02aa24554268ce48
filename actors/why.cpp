// "Why is this device not updated?" and the way back of a single device: what the service gathers before it asks.
#include <algorithm>
#include <semaphore>

#include <fmt/format.h>

#include "actors/asking.hpp"
#include "actors/limits.hpp"
#include "actors/service.hpp"
#include "domain/device/gates.hpp"

namespace ota::actors {
namespace {

// Every version that the device is known to have run, the newest first.
std::vector<std::string> versions_of(const projections::Views& views, const domain::DeviceId& device) {
  std::vector<std::string> versions;
  const auto add = [&](const std::string& version) {
    if (!version.empty() && std::find(versions.begin(), versions.end(), version) == versions.end()) {
      versions.push_back(version);
    }
  };
  projections::PageRequest page;
  page.limit = limits::kHistoryPage;
  while (versions.size() < limits::kVersionsShown) {
    const auto found = views.device_updates(device, page);
    for (const auto& update : found.rows) {
      const bool ran = update.status == domain::UpdateStatus::kCompleted || update.status == domain::UpdateStatus::kRollback;
      if (ran && !update.plan.download_only) add(update.plan.to_version);
      if (update.attempt > 0) add(update.plan.from_version);
    }
    if (found.next_cursor.empty()) break;
    page.cursor = found.next_cursor;
  }
  return versions;
}

// The firmware that tells the device's model: of its newest update, else the one that it says to run.
std::optional<domain::FirmwareId> some_firmware_of(const projections::Views& views, const domain::Device& device) {
  if (device.installed) return device.installed->firmware;
  return views.firmware_of(device.attribute("device_model"), device.version);
}

}  // namespace

Answer Service::roll_back(const domain::DeviceId& device, const std::string& to_version, const std::string& reason,
                          domain::UpdateId id, Meta meta) {
  const auto known = views().device(device);
  if (!known || !known->registered || known->deleted) return domain::not_found("Device", device.value);
  domain::RequestRollback request;
  request.id = id;
  request.versions = versions_of(views(), device);
  domain::WayBack back;
  back.version = to_version;
  if (const auto model_of = some_firmware_of(views(), *known)) {
    back = way_back(views(), *model_of, to_version);
  } else if (const auto target = views().firmware_of(known->attribute("device_model"), to_version)) {
    back = way_back(views(), *target, to_version);
  }
  request.plan = plan_back(back, {domain::RollbackTrigger::kManual, reason, {}, {}});
  std::tie(request.error_code, request.error_message) = domain::why_not_back(back);
  return this->device(device, std::move(request), std::move(meta));
}

domain::Result<std::vector<Service::Why>> Service::why(const domain::DeviceId& device,
                                                       std::optional<domain::CampaignId> campaign) {
  const auto known = views().device(device);
  if (!known) return domain::not_found("Device", device.value);
  std::vector<domain::CampaignId> asked;
  if (campaign) {
    asked.push_back(*campaign);
  } else {
    for (const auto id : views().open_campaigns()) {
      if (views().targets(id).contains(known->ordinal.value)) asked.push_back(id);
    }
  }
  std::vector<Why> answers;
  if (!campaign) answers = why_of_own(*known);
  for (const auto id : asked) {
    const auto row = views().campaign_summary(id);
    if (!row) return domain::not_found("Campaign", domain::to_text(id));
    const bool backwards = row->status == domain::CampaignStatus::kRollback;
    const auto kind = static_cast<std::uint8_t>(backwards ? row->rollback.number : 0);
    Why why{id, domain::UpdateId::in_campaign(id, known->ordinal, kind), {}};
    auto ask = ask_for(*known, why.update, views(), settings());
    if (const auto* active = known->active(); active && active->first != why.update) {
      ask.busy_with = fmt::format("update {} to {}", domain::to_text(active->first), active->second.plan.to_version);
    }
    auto gates = ask_why(id, std::move(ask));
    if (!gates) return gates.error();
    why.gates = std::move(gates.value());
    answers.push_back(std::move(why));
  }
  return answers;
}

// Of the device's own updates, which no campaign is asked about.
std::vector<Service::Why> Service::why_of_own(const domain::Device& device) const {
  std::vector<Why> answers;
  for (const auto& [id, u] : device.updates) {
    if (id.of_campaign || u.status != domain::UpdateStatus::kScheduled) continue;
    domain::FirmwareAtHand firmware{u.plan.to_version, false, false};
    if (const auto row = views().firmware(u.plan.firmware)) {
      firmware.name = fmt::format("{} {}", row->firmware.record.name, row->firmware.record.facts.version);
      firmware.content_here = row->firmware.content_here;
      firmware.recalled = row->firmware.status == domain::FirmwareStatus::kRecalled;
    }
    const domain::Context context{now(), {}, settings()};
    const auto pause = pause_of_owner(device, views()).first;
    answers.push_back({std::nullopt, id, domain::own_gates(device, id, firmware, pause, context)});
  }
  return answers;
}

domain::Result<std::vector<domain::GateState>> Service::ask_why(domain::CampaignId campaign, domain::GrantAsk ask) {
  using Outcome = domain::Result<std::vector<domain::GateState>>;
  struct Slot {
    std::binary_semaphore ready{0};
    std::optional<Outcome> outcome;
  };
  const auto slot = std::make_shared<Slot>();
  AskWhy why;
  why.ask = std::move(ask);
  why.reply = std::make_shared<Reply<Outcome>>([slot](Outcome outcome) {
    slot->outcome = std::move(outcome);
    slot->ready.release();
  });
  auto refused = this->ask(campaign, std::move(why), {});
  if (!refused) return refused.error();
  slot->ready.acquire();
  return std::move(*slot->outcome);
}

}  // namespace ota::actors
