#include "gateways/nats/translate.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

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

// What both campaign messages begin with.
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

Data campaign_started(const Recorded& event, const History& history) {
  const auto* id = std::get_if<domain::CampaignId>(&event.stream);
  const auto record = id ? history.campaign(*id) : std::nullopt;
  if (!record) return std::nullopt;
  auto data = campaign_data(*id, *record);
  data["timestamp"] = iso_time(event.time);
  return data;
}

// For updates that were granted at least once (decision 31); the rest of a campaign is told by the
// campaign's own messages. The event's own attempt does not answer that: it is 0 for an update that
// waited for a retry.
Data update_cancelled(const Recorded& event, const History& history) {
  const auto* id = std::get_if<domain::UpdateId>(&event.stream);
  if (!id) return std::nullopt;
  const auto update = history.update(*id, event.position);
  if (update.attempt == 0 || update.is_rollback()) return std::nullopt;
  const auto campaign = id->campaign();
  return ordered_json{
      {"update_id", domain::to_text(*id)},
      {"device_id", update.device.value},
      {"firmware_id", domain::to_text(update.plan.firmware)},
      {"firmware_version", update.plan.to_version},
      {"campaign_id", campaign ? ordered_json(domain::to_text(*campaign)) : nullptr},
      {"timestamp", iso_time(event.time)}};
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

const auto& translations() {
  static const std::array table{
      Translation{domain::event_type(domain::FirmwareContentStored{}), "firmware.uploaded",
                  firmware_uploaded},
      Translation{domain::event_type(domain::FirmwareRegistered{}), "firmware.uploaded",
                  firmware_elsewhere},
      Translation{domain::event_type(domain::FirmwareSourceChanged{}), "firmware.uploaded",
                  firmware_elsewhere},
      Translation{domain::event_type(domain::CampaignCreated{}), "campaign.created",
                  campaign_created},
      Translation{domain::event_type(domain::CampaignStarted{}), "campaign.started",
                  campaign_started},
      Translation{domain::event_type(domain::UpdateCancelled{}), "update.cancelled",
                  update_cancelled},
      // A retry found the device already there, or no longer compatible: counted cancelled
      // (decision 11).
      Translation{domain::event_type(domain::UpdateSkipped{}), "update.cancelled",
                  update_cancelled},
      Translation{domain::event_type(domain::AttemptGranted{}), "rollback.initiated",
                  rollback_initiated},
      Translation{domain::event_type(domain::AttemptEnded{}), "rollback.completed",
                  rollback_completed},
      Translation{domain::event_type(domain::AttemptEnded{}), "rollback.failed", rollback_failed},
      Translation{domain::event_type(domain::UpdateCancelled{}), "rollback.failed",
                  rollback_failed},
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
