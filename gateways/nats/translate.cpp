#include "gateways/nats/translate.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "domain/campaign/campaign.hpp"
#include "domain/codec/codec.hpp"

namespace ota::gateways::nats {
namespace {

using domain::Recorded;
using nlohmann::ordered_json;

// The `data` of a message, its fields in the order of spec/ota-domain.md; empty: this one is not
// published.
using Data = std::optional<ordered_json>;

ordered_json name_of(const History& history, domain::Caller caller) {
  const auto person = history.person(caller);
  return person ? ordered_json(*person) : ordered_json(nullptr);
}

// Published when the content is stored: until then nobody can be offered the firmware. What stays elsewhere is offered by
// others, from its registration on.
Data firmware_uploaded(const Recorded& event, const History& history) {
  const auto* id = std::get_if<domain::FirmwareId>(&event.stream);
  const auto firmware = id ? history.firmware(*id) : std::nullopt;
  if (!firmware) return std::nullopt;
  const auto& record = firmware->record;
  // Bytes that the service fetched itself are the upload of whoever registered their URL.
  const auto by = event.caller.token != 0 ? event.caller : firmware->by;
  return ordered_json{{"firmware_id", domain::to_text(*id)},
                      {"name", record.name},
                      {"version", record.facts.version},
                      {"device_model", record.facts.device_model},
                      {"file_size", record.facts.file_size},
                      {"is_security_update", record.facts.is_security_update},
                      {"uploaded_by", name_of(history, by)},
                      {"timestamp", iso_time(event.time)}};
}

Data firmware_elsewhere(const Recorded& event, const History& history) {
  const auto* registered = std::get_if<domain::FirmwareRegistered>(&event.event);
  const auto* moved = std::get_if<domain::FirmwareSourceChanged>(&event.event);
  const bool elsewhere = (registered && registered->kept_elsewhere) || (moved && moved->kept_elsewhere);
  return elsewhere ? firmware_uploaded(event, history) : std::nullopt;
}

Data firmware_withdrawn(const Recorded& event, const History& history) {
  const auto* id = std::get_if<domain::FirmwareId>(&event.stream);
  const auto firmware = id ? history.firmware(*id) : std::nullopt;
  if (!firmware) return std::nullopt;
  const auto* deprecated = std::get_if<domain::FirmwareDeprecated>(&event.event);
  const auto* recalled = std::get_if<domain::FirmwareRecalled>(&event.event);
  return ordered_json{{"firmware_id", domain::to_text(*id)},
                      {"name", firmware->record.name},
                      {"version", firmware->record.facts.version},
                      {"device_model", firmware->record.facts.device_model},
                      {"reason", deprecated ? deprecated->reason : recalled ? recalled->reason : std::string()},
                      {deprecated ? "deprecated_by" : "recalled_by", name_of(history, event.caller)},
                      {"timestamp", iso_time(event.time)}};
}

// What all messages about campaigns begin with.
ordered_json campaign_data(domain::CampaignId id, const domain::CampaignCreated& record) {
  return {{"campaign_id", domain::to_text(id)},
          {"name", record.name},
          {"firmware_id", domain::to_text(record.firmware)},
          {"firmware_version", record.facts.version},
          {"target_device_count", record.target_device_count}};
}

Data campaign_created(const Recorded& event, const History& history) {
  const auto* id = std::get_if<domain::CampaignId>(&event.stream);
  const auto* record = std::get_if<domain::CampaignCreated>(&event.event);
  if (!id || !record) return std::nullopt;
  auto data = campaign_data(*id, *record);
  data["deployment_strategy"] = domain::to_text(record->policy.strategy);
  data["priority"] = domain::to_text(record->policy.priority);
  data["created_by"] = name_of(history, event.caller);
  data["timestamp"] = iso_time(event.time);
  return data;
}

// About a campaign that there is, what is special about this event in the middle.
Data about_campaign(const Recorded& event, const History& history, const ordered_json& more) {
  const auto* id = std::get_if<domain::CampaignId>(&event.stream);
  const auto record = id ? history.campaign(*id) : std::nullopt;
  if (!record) return std::nullopt;
  auto data = campaign_data(*id, *record);
  data.update(more);
  data["timestamp"] = iso_time(event.time);
  return data;
}

// Started, or resumed.
Data campaign_runs(const Recorded& event, const History& history) {
  return about_campaign(event, history, ordered_json::object());
}

Data campaign_approved(const Recorded& event, const History& history) {
  const auto& e = std::get<domain::CampaignApproved>(event.event);
  if (!e.approved) return std::nullopt;   // a refusal changes nothing for anybody else
  return about_campaign(event, history, {{"approved_by", name_of(history, event.caller)}, {"comment", e.comment}});
}

Data campaign_paused(const Recorded& event, const History& history) {
  const auto& e = std::get<domain::CampaignPaused>(event.event);
  return about_campaign(event, history, {{"reason", e.reason}});
}

// Behind an end, and behind the beginning of a rollback, nobody is granted any more: who never was is cancelled with it.
Data about_end(const Recorded& event, const History& history, ordered_json more) {
  const auto* id = std::get_if<domain::CampaignId>(&event.stream);
  if (!id) return std::nullopt;
  more["cancelled_devices"] = history.never_granted(*id, event.position);
  return about_campaign(event, history, more);
}

Data campaign_cancelled(const Recorded& event, const History& history) {
  const auto& e = std::get<domain::CampaignCancelled>(event.event);
  return about_end(event, history, {{"reason", e.reason}});
}

Data campaign_rollback(const Recorded& event, const History& history) {
  const auto& e = std::get<domain::CampaignRollbackBegun>(event.event);
  return about_end(event, history, {{"trigger", domain::to_text(e.trigger)}, {"reason", e.reason}});
}

// Nothing of it runs any more. An operator's cancellation was told when it was said.
Data campaign_closed(const Recorded& event, const History& history, domain::CampaignStatus outcome) {
  const auto& e = std::get<domain::CampaignClosed>(event.event);
  const auto* id = std::get_if<domain::CampaignId>(&event.stream);
  if (e.outcome != outcome || !id) return std::nullopt;
  if (outcome == domain::CampaignStatus::kCancelled && history.was_cancelled(*id, event.position)) return std::nullopt;
  return about_end(event, history, {{"reason", domain::sentence(e.verdict)}});
}

template <domain::CampaignStatus outcome>
Data campaign_closed_as(const Recorded& event, const History& history) {
  return campaign_closed(event, history, outcome);
}

// An update that was granted at least once (decision 31); the rest of a campaign is told by the campaign's own messages. The
// event's own attempt does not answer that: it is 0 for one that waited for a retry. Rollbacks have messages of their own.
std::optional<domain::DeviceUpdate> update_of(const Recorded& event, const History& history) {
  const auto* id = std::get_if<domain::UpdateId>(&event.stream);
  if (!id || (id->of_campaign && id->kind != domain::UpdateId::kDeployment)) return std::nullopt;
  auto update = history.update(*id, event.position);
  if (update.attempt == 0 || update.is_rollback()) return std::nullopt;
  return update;
}

ordered_json update_data(const Recorded& event, const domain::DeviceUpdate& update) {
  const auto& id = std::get<domain::UpdateId>(event.stream);
  const auto campaign = id.campaign();
  return {{"update_id", domain::to_text(id)},
          {"device_id", update.device.value},
          {"firmware_id", domain::to_text(update.plan.firmware)},
          {"firmware_version", update.plan.to_version},
          {"campaign_id", campaign ? ordered_json(domain::to_text(*campaign)) : nullptr},
          {"timestamp", iso_time(event.time)}};
}

Data update_cancelled(const Recorded& event, const History& history) {
  const auto update = update_of(event, history);
  return update ? Data(update_data(event, *update)) : std::nullopt;
}

// Once, at its first grant.
Data update_scheduled(const Recorded& event, const History& history) {
  if (std::get<domain::AttemptGranted>(event.event).attempt != 1) return std::nullopt;
  const auto update = update_of(event, history);
  if (!update) return std::nullopt;
  auto data = update_data(event, *update);
  data["from_version"] = update->plan.from_version;
  return data;
}

// Each attempt; a holder's second beginning is none, nor is more time.
Data update_started(const Recorded& event, const History& history) {
  const auto& e = std::get<domain::AttemptStarted>(event.event);
  if (e.released || e.extended) return std::nullopt;
  const auto update = update_of(event, history);
  if (!update) return std::nullopt;
  auto data = update_data(event, *update);
  data["attempt"] = e.attempt;
  return data;
}

Data update_completed(const Recorded& event, const History& history) {
  if (!std::get<domain::AttemptEnded>(event.event).success) return std::nullopt;
  const auto update = update_of(event, history);
  return update ? Data(update_data(event, *update)) : std::nullopt;
}

Data failure_of(const Recorded& event, const History& history) {
  const auto update = update_of(event, history);
  if (!update) return std::nullopt;
  auto data = update_data(event, *update);
  data["error_code"] = update->error_code;
  data["error_message"] = update->error_message;
  return data;
}

// For good; what is tried again has not failed.
Data update_failed(const Recorded& event, const History& history) {
  const auto& e = std::get<domain::AttemptEnded>(event.event);
  return e.success || e.retry_at ? std::nullopt : failure_of(event, history);
}

// The update behind the event, if it is one that takes a device back.
std::optional<domain::DeviceUpdate> rollback_of(const Recorded& event, const History& history) {
  const auto* id = std::get_if<domain::UpdateId>(&event.stream);
  // What a campaign brings to its devices is most of the log, and no rollback.
  if (!id || (id->of_campaign && id->kind == domain::UpdateId::kDeployment)) return std::nullopt;
  auto update = history.update(*id, event.position);
  return update.is_rollback() ? std::optional(std::move(update)) : std::nullopt;
}

ordered_json rollback_data(const domain::UpdateId& id, const domain::DeviceUpdate& update,
                           domain::Time time) {
  const auto trigger =
      update.plan.rollback ? update.plan.rollback->trigger : domain::RollbackTrigger::kManual;
  return {{"rollback_id", domain::to_rollback_text(id)},
          {"device_id", update.device.value},
          {"from_version", update.plan.from_version},
          {"to_version", update.plan.to_version},
          {"trigger", domain::to_text(trigger)},
          {"timestamp", iso_time(time)}};
}

// Once for each device, at its first grant (decision 10).
Data rollback_initiated(const Recorded& event, const History& history) {
  const auto* granted = std::get_if<domain::AttemptGranted>(&event.event);
  if (!granted || granted->attempt != 1) return std::nullopt;
  const auto update = rollback_of(event, history);
  if (!update) return std::nullopt;
  return rollback_data(std::get<domain::UpdateId>(event.stream), *update, event.time);
}

Data rollback_completed(const Recorded& event, const History& history) {
  const auto* ended = std::get_if<domain::AttemptEnded>(&event.event);
  if (!ended || !ended->success) return std::nullopt;
  const auto update = rollback_of(event, history);
  if (!update) return std::nullopt;
  return rollback_data(std::get<domain::UpdateId>(event.stream), *update, event.time);
}

Data rollback_failed(const Recorded& event, const History& history) {
  const auto* ended = std::get_if<domain::AttemptEnded>(&event.event);
  if (ended && (ended->success || ended->retry_at)) return std::nullopt;
  const auto update = rollback_of(event, history);
  if (!update) return std::nullopt;
  auto data = rollback_data(std::get<domain::UpdateId>(event.stream), *update, event.time);
  data["error_code"] = update->error_code;
  data["error_message"] = update->error_message;
  return data;
}

struct Translation {
  std::uint16_t event_type;
  std::string_view message_type;
  Data (*data)(const Recorded&, const History&);
};

template <class E>
Translation on(std::string_view message_type, Data (*data)(const Recorded&, const History&)) {
  return {domain::event_type(E{}), message_type, data};
}

const auto& translations() {
  using domain::CampaignClosed;
  using domain::CampaignStatus;
  static const std::array table{
      on<domain::FirmwareContentStored>("firmware.uploaded", firmware_uploaded),
      on<domain::FirmwareRegistered>("firmware.uploaded", firmware_elsewhere),
      on<domain::FirmwareSourceChanged>("firmware.uploaded", firmware_elsewhere),
      on<domain::FirmwareDeprecated>("firmware.deprecated", firmware_withdrawn),
      on<domain::FirmwareRecalled>("firmware.recalled", firmware_withdrawn),
      on<domain::CampaignCreated>("campaign.created", campaign_created),
      on<domain::CampaignApproved>("campaign.approved", campaign_approved),
      on<domain::CampaignStarted>("campaign.started", campaign_runs),
      on<domain::CampaignPaused>("campaign.paused", campaign_paused),
      on<domain::CampaignResumed>("campaign.resumed", campaign_runs),
      on<domain::CampaignCancelled>("campaign.cancelled", campaign_cancelled),
      on<domain::CampaignRollbackBegun>("campaign.rollback", campaign_rollback),
      on<CampaignClosed>("campaign.completed", campaign_closed_as<CampaignStatus::kCompleted>),
      on<CampaignClosed>("campaign.failed", campaign_closed_as<CampaignStatus::kFailed>),
      on<CampaignClosed>("campaign.cancelled", campaign_closed_as<CampaignStatus::kCancelled>),
      on<domain::AttemptGranted>("update.scheduled", update_scheduled),
      on<domain::AttemptStarted>("update.started", update_started),
      on<domain::AttemptEnded>("update.completed", update_completed),
      on<domain::AttemptEnded>("update.failed", update_failed),
      on<domain::UpdateRefuted>("update.failed", failure_of),
      on<domain::UpdateCancelled>("update.cancelled", update_cancelled),
      // A retry found the device already there, or no longer compatible: counted cancelled (decision 11).
      on<domain::UpdateSkipped>("update.cancelled", update_cancelled),
      on<domain::AttemptGranted>("rollback.initiated", rollback_initiated),
      on<domain::AttemptEnded>("rollback.completed", rollback_completed),
      on<domain::AttemptEnded>("rollback.failed", rollback_failed),
      on<domain::UpdateCancelled>("rollback.failed", rollback_failed),
      // It had come back, and runs something else all the same.
      on<domain::UpdateRefuted>("rollback.failed", rollback_failed),
  };
  return table;
}

}  // namespace

bool may_speak(std::uint16_t event_type) {
  return std::any_of(translations().begin(), translations().end(),
                     [&](const auto& row) { return row.event_type == event_type; });
}

std::optional<Message> translate(const Recorded& event, std::string_view correlation,
                                 const History& history) {
  const auto type = domain::event_type(event.event);
  for (const auto& row : translations()) {
    if (row.event_type != type) continue;
    if (auto data = row.data(event, history)) {
      return make_message(event.position, event.time, row.message_type, correlation,
                          std::move(*data));
    }
  }
  return std::nullopt;
}

}  // namespace ota::gateways::nats
