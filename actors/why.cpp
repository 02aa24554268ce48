// "Why is this device not updated?" and the way back of a single device: what the service gathers before it asks.
#include <algorithm>

#include <fmt/format.h>

#include "actors/asking.hpp"
#include "actors/awaited.hpp"
#include "actors/limits.hpp"
#include "actors/service.hpp"
#include "domain/device/gates.hpp"
#include "domain/version.hpp"

namespace ota::actors {
namespace {

// Every version that the device is known to have run, the newest first; not the present one, to which no way leads back.
std::vector<std::string> versions_of(const projections::Views& views, const domain::Device& device) {
  std::vector<std::string> versions;
  const auto add = [&](const std::string& version) {
    if (version.empty() || domain::same_version(version, device.version)) return;
    const auto is_it = [&](const auto& known) { return domain::same_version(known, version); };
    if (std::none_of(versions.begin(), versions.end(), is_it)) versions.push_back(version);
  };
  projections::PageRequest page;
  page.limit = limits::kHistoryPage;
  while (versions.size() < limits::kVersionsShown) {
    const auto found = views.device_updates(device.id, page);
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

// Whoever would grant only knows that the content is not here; the firmware's record knows why (decision 29).
void explain_content(std::vector<domain::GateState>& gates, const projections::Views& views, domain::FirmwareId firmware) {
  for (auto& gate : gates) {
    if (gate.gate != domain::Gate::kContent || gate.open) continue;
    const auto row = views.firmware(firmware);
    if (!row || row->firmware.content_here || row->firmware.status == domain::FirmwareStatus::kRecalled) continue;
    gate.fact = domain::why_not_here(row->firmware);
  }
}

// The firmware that tells the device's model: of its newest update, else the one that it says to run.
std::optional<domain::FirmwareId> some_firmware_of(const projections::Views& views, const domain::Device& device) {
  if (device.installed) return device.installed->firmware;
  return views.firmware_bringing(device.attribute("device_model"), device.version);
}

// A version as the device has it, however it is asked for (decision 3).
std::string as_it_ran(const domain::Device& device, const std::vector<std::string>& versions, const std::string& asked) {
  if (domain::same_version(asked, device.version)) return device.version;
  const auto ran = std::find_if(versions.begin(), versions.end(), [&](const auto& v) { return domain::same_version(v, asked); });
  return ran == versions.end() ? asked : *ran;
}

}  // namespace

Answer Service::roll_back(const domain::DeviceId& device, const std::string& to_version, const std::string& reason,
                          domain::UpdateId id, Meta meta) {
  const auto known = views().device(device);
  if (!known || !known->registered || known->deleted) return domain::not_found("Device", device.value);
  domain::RequestRollback request;
  request.id = id;
  request.versions = versions_of(views(), *known);
  const auto version = as_it_ran(*known, request.versions, to_version);
  domain::WayBack back;
  back.version = version;
  if (const auto model_of = some_firmware_of(views(), *known)) {
    back = way_back(views(), *known, *model_of, version);
  } else if (const auto target = views().firmware_bringing(known->attribute("device_model"), version)) {
    back = way_back(views(), *known, *target, version);
  }
  request.plan = plan_back(back, {domain::RollbackTrigger::kManual, reason, {}, {}});
  std::tie(request.error_code, request.error_message) = domain::why_not_back(back);
  return this->device(device, std::move(request), std::move(meta));
}

domain::Result<std::vector<Service::Why>> Service::why(const domain::DeviceId& device,
                                                       std::optional<domain::CampaignId> campaign) {
  auto known = views().device(device);
  const auto reserved = views().ordinal_of(device);
  if (!known && !reserved) return domain::not_found("Device", device.value);
  // A target list may name it all the same: by the ordinal that it will have when it comes, or comes back.
  if (!known || (known->deleted && reserved && *reserved != known->ordinal)) {
    known.emplace();
    known->id = device;
    known->ordinal = *reserved;
  }
  if (campaign) {
    auto answer = why_of_campaign(*known, *campaign);
    if (!answer) return answer.error();
    return std::vector<Why>{std::move(answer.value())};
  }
  auto answers = why_of_own(*known);
  for (const auto id : views().open_campaigns()) {
    const auto row = views().campaign_summary(id);
    if (!row || row->closed) continue;
    auto answer = why_of_campaign(*known, id);
    if (!answer) continue;  // one that cannot say it does not silence the others
    const auto& gates = answer.value().gates;
    // Whom the percentage leaves out is told so; who is no target at all is not bothered.
    const bool left_out = std::any_of(gates.begin(), gates.end(), [](const auto& gate) {
      return gate.gate == domain::Gate::kPicked && !gate.open;
    });
    if (left_out || views().targets(id).contains(known->ordinal.value)) answers.push_back(std::move(answer.value()));
  }
  return answers;
}

std::vector<Service::Why> Service::why_of_own(const domain::DeviceId& device) const {
  const auto known = views().device(device);
  return known ? why_of_own(*known) : std::vector<Why>{};
}

domain::Result<Service::Why> Service::why_of_campaign(const domain::Device& device, domain::CampaignId campaign) {
  const auto row = views().campaign_summary(campaign);
  if (!row) return domain::not_found("Campaign", domain::to_text(campaign));
  const bool backwards = row->status == domain::CampaignStatus::kRollback;
  const auto kind = static_cast<std::uint8_t>(backwards ? row->rollback.number : 0);
  Why why{campaign, domain::UpdateId::in_campaign(campaign, device.ordinal, kind), {}};
  auto ask = ask_for(device, why.update, views(), settings());
  if (const auto* active = device.active(); active && active->first != why.update) {
    ask.busy_with = fmt::format("update {} to {}", domain::to_text(active->first), active->second.plan.to_version);
  }
  if (const auto update = views().update(why.update)) {
    ask.ended_because = update->error_message.empty() ? update->error_code : update->error_message;
  }
  auto gates = ask_why(campaign, std::move(ask));
  if (!gates) return gates.error();
  why.gates = std::move(gates.value());
  if (kind == domain::UpdateId::kDeployment) explain_content(why.gates, views(), row->record.firmware);
  return why;
}

// Of the device's own updates, which no campaign is asked about.
std::vector<Service::Why> Service::why_of_own(const domain::Device& device) const {
  std::vector<Why> answers;
  const auto shelf = shelf_of(device, views());
  const auto wishes = wishes_of_owner(device, views()).first;
  const domain::Context context{now(), {}, settings()};
  for (const auto& [id, u] : device.updates) {
    const bool under_way = u.status == domain::UpdateStatus::kScheduled || u.status == domain::UpdateStatus::kInProgress;
    if (id.of_campaign || !under_way) continue;
    answers.push_back({std::nullopt, id, domain::own_gates(device, id, shelf, wishes.paused_until, context)});
    explain_content(answers.back().gates, views(), u.plan.firmware);
  }
  return answers;
}

domain::Result<std::vector<domain::GateState>> Service::ask_why(domain::CampaignId campaign, domain::GrantAsk ask) {
  using Outcome = domain::Result<std::vector<domain::GateState>>;
  const auto awaited = std::make_shared<Awaited<Outcome>>();
  AskWhy why;
  why.ask = std::move(ask);
  why.reply = std::make_shared<Reply<Outcome>>([awaited](Outcome outcome) { awaited->set(std::move(outcome)); });
  auto refused = this->ask(campaign, std::move(why), {});
  if (!refused) return refused.error();
  return awaited->take();
}

}  // namespace ota::actors
