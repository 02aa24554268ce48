#include "gateways/mqtt/down_message.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "domain/update/attempt.hpp"
#include "gateways/mqtt/limits.hpp"
#include "gateways/nats/message.hpp"

namespace ota::gateways::mqtt {
namespace {

using ordered = nlohmann::ordered_json;

std::string dump(const ordered& j) { return j.dump(-1, ' ', false, ordered::error_handler_t::replace); }

std::string hex(const auto& bytes) { return domain::to_hex(domain::view_of(bytes)); }

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  // The library ends what it writes with a zero: the string has room for it behind its last character.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return text;
}

std::string_view word(Install install) {
  switch (install) {
    case Install::kLater: return "later";
    case Install::kNever: return "never";
    default: return "now";
  }
}

// Never 0, which is that of the empty command.
std::uint64_t fingerprint_of(const std::string& text) {
  const std::uint64_t hash = std::hash<std::string>{}(text);
  return hash == 0 ? 1 : hash;
}

ordered plan_of(const char* type, const Task& task, const domain::DeviceUpdate& update, const domain::Firmware& firmware) {
  const auto& plan = update.plan;
  return {{"type", type},
          {"update_id", domain::to_text(update.id)},
          {"attempt", task.attempt},
          {"action_id", task.action.value},
          {"name", firmware.record.name},
          {"from_version", plan.from_version},
          {"to_version", plan.to_version},
          {"priority", domain::to_text(plan.priority)},
          {"pre_update_commands", plan.pre_update_commands},
          {"post_update_commands", plan.post_update_commands}};
}

ordered artifact_of(const domain::Firmware& firmware) {
  const auto& r = firmware.record;
  ordered artifact{{"filename", r.file_name}, {"size", r.facts.file_size}};
  if (firmware.content_here) {
    artifact["md5"] = hex(r.md5);
    artifact["sha1"] = hex(firmware.sha1);
  }
  artifact["sha256"] = hex(r.sha256);
  if (!r.signature.empty()) artifact["signature"] = base64(r.signature);
  return artifact;
}

}  // namespace

std::optional<domain::ActionId> action_to_tell(const projections::PollRecord& record) {
  if (record.deleted) return std::nullopt;
  if (record.active.value != 0) {
    return record.awaits_version && !record.cancelling ? std::nullopt : std::optional(record.active);
  }
  return record.consent.value != 0 ? std::optional(record.consent) : std::nullopt;
}

Task task_of(const projections::PollRecord& record, domain::ActionId action, std::uint32_t attempt) {
  const bool is_active = record.active == action;
  const auto kind = !is_active ? Task::Kind::kConfirm : record.cancelling ? Task::Kind::kCancel : Task::Kind::kUpdate;
  return {kind, action, attempt};
}

Install install_of(const domain::DeviceUpdate& update, std::uint32_t attempt, const std::string& timezone, domain::Time now) {
  if (update.plan.download_only) return Install::kNever;
  if (update.attempt != attempt || !update.in_progress() || update.status >= domain::UpdateStatus::kInstalling) {
    return Install::kNow;
  }
  const bool waits = update.held || (update.hold && !update.released);
  return waits || domain::update::closed_until(update, timezone, now) ? Install::kLater : Install::kNow;
}

Command make_command(const Task& task, const domain::DeviceUpdate& update, const domain::Firmware& firmware, Install install,
                     const UrlOf& url_of) {
  if (task.kind == Task::Kind::kCancel) return make_cancel(task, update.id);
  const bool confirm = task.kind == Task::Kind::kConfirm;
  auto body = plan_of(confirm ? "confirm" : "update", task, update, firmware);
  auto artifact = artifact_of(firmware);
  if (!confirm) body["install"] = word(install);
  body["artifact"] = artifact;
  Command command;
  command.fingerprint = fingerprint_of(dump(body));
  if (!confirm) {
    if (update.start_by) body["deadline"] = nats::iso_time(*update.start_by);
    artifact["url"] = url_of(update.device, firmware);
    body["artifact"] = std::move(artifact);
  }
  command.body = dump(body);
  return command;
}

Command make_cancel(const Task& task, const domain::UpdateId& update) {
  Command command;
  command.body = dump({{"type", "cancel"},
                       {"update_id", domain::to_text(update)},
                       {"attempt", task.attempt},
                       {"action_id", task.action.value}});
  command.fingerprint = fingerprint_of(command.body);
  return command;
}

namespace {

ordered answer(const std::string& id) {
  ordered j = ordered::object();
  if (!id.empty()) j["id"] = id;
  return j;
}

}  // namespace

std::string make_go(const std::string& id, const Accepted& accepted, const Go& go) {
  auto j = answer(id);
  if (!id.empty()) j["ok"] = true;
  j["update_id"] = domain::to_text(accepted.update);
  j["attempt"] = accepted.attempt;
  j["go"] = go.go;
  if (!go.go) j["message"] = go.why;
  if (!go.url.empty()) j["url"] = go.url;
  return dump(j);
}

std::string make_ok(const std::string& id) {
  auto j = answer(id);
  j["ok"] = true;
  return dump(j);
}

std::string make_error(const std::string& id, std::string_view kind, const std::string& message,
                       const std::vector<Fault>& faults) {
  auto j = answer(id);
  j["ok"] = false;
  j["error"] = kind;
  j["message"] = message;
  if (!faults.empty()) {
    j["fields"] = ordered::array();
    for (const auto& fault : faults) j["fields"].push_back({{"field", fault.field}, {"message", fault.message}});
  }
  return dump(j);
}

std::string make_malformed(const Heard& heard) {
  std::string message;
  const auto& faults = heard.faults.named();
  const auto said = std::min(faults.size(), limits::kFaultsInMessage);
  for (std::size_t i = 0; i < said; ++i) {
    if (i > 0) message += "; ";
    message += faults[i].field.empty() ? faults[i].message : faults[i].field + ": " + faults[i].message;
  }
  if (const auto more = faults.size() - said + heard.faults.more(); more > 0) message += fmt::format("; and {} more", more);
  return make_error(heard.id, "invalid", message, faults);
}

std::string make_too_often(const std::string& id, double per_s) {
  return make_error(id, "rate_limited",
                    fmt::format("more than {:g} messages a second: this one is not carried out, nor are others beyond that", per_s));
}

std::string_view kind_word(domain::ErrorCode code) {
  switch (code) {
    case domain::ErrorCode::kInvalid: return "invalid";
    case domain::ErrorCode::kNotFound: return "not_found";
    case domain::ErrorCode::kStateTransition: return "state_transition";
    case domain::ErrorCode::kDuplicate: return "duplicate";
    case domain::ErrorCode::kRevision: return "revision";
    case domain::ErrorCode::kBusy: return "busy";
    case domain::ErrorCode::kQuota: return "quota";
    case domain::ErrorCode::kUnavailable: return "unavailable";
  }
  return "unavailable";
}

}  // namespace ota::gateways::mqtt
