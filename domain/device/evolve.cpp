#include <algorithm>

#include "domain/device/device.hpp"
#include "domain/version.hpp"

namespace ota::domain {
namespace {

struct Fold {
  Device& s;
  const Recorded& r;
  const Settings& settings;

  UnfinishedUpdate* update() {
    const auto* id = std::get_if<UpdateId>(&r.stream);
    if (!id) return nullptr;
    const auto found = s.updates.find(*id);
    return found == s.updates.end() ? nullptr : &found->second;
  }
  // The old version, still reported by a device that says success before it reboots, does not count (decision 12).
  bool in_grace(const std::string& version) const {
    return s.installed && !s.installed->followed && !same_version(version, s.installed->to_version) &&
           r.time < s.installed->at + settings.success_grace;
  }
  void note_version(const Attributes& reported) {
    const auto found = reported.find(settings.version_attribute);
    if (found != reported.end() && !in_grace(found->second)) s.version = found->second;
  }
  void succeed(const UnfinishedUpdate& u, const UpdateId& id) {
    // Asked again once the grace is over; a download changes nothing on the device.
    s.wants_attributes_from = r.time + (u.plan.download_only ? Duration(0) : settings.success_grace);
    if (u.plan.download_only) return;
    s.installed_action = u.action;
    s.version = u.plan.to_version;
    s.attributes[settings.version_attribute] = u.plan.to_version;
    s.said.erase(settings.version_attribute);
    Installed done{id, u.plan.firmware, u.plan.from_version, u.plan.to_version, r.time, u.batch, u.retry, {}, false};
    if (u.plan.health_window_minutes > 0) {
      done.health_until = r.time + std::chrono::minutes(u.plan.health_window_minutes);
    }
    s.installed = std::move(done);
  }
  void finish() {
    if (const auto* id = std::get_if<UpdateId>(&r.stream)) s.updates.erase(*id);
  }

  void operator()(const DeviceRegistered& e) {
    s.registered = true;
    s.deleted = false;
    s.ordinal = e.ordinal;
    s.attributes = e.attributes;
    s.said.clear();                       // of what is not there any more nothing was said
    s.groups = e.groups;
    s.owner = e.owner;
    note_version(e.attributes);
    s.registered_at = r.time;
    s.wants_attributes_from = r.time;
  }
  void operator()(const DeviceAttributesChanged& e) {
    for (const auto& [key, value] : e.set) {
      s.attributes[key] = value;
      if (e.by_device) {
        s.said.insert(key);
      } else {
        s.said.erase(key);
      }
    }
    note_version(e.set);
    for (const auto& key : e.removed) {
      s.attributes.erase(key);
      s.said.erase(key);
      if (key == settings.version_attribute && !in_grace({})) s.version.clear();
    }
    if (e.owner) s.owner = *e.owner;
    if (e.groups_changed) s.groups = e.groups;
    if (e.by_device && s.wants_attributes_from && *s.wants_attributes_from <= r.time) {
      s.wants_attributes_from.reset();
    }
  }
  void operator()(const DeviceDeleted&) { s.deleted = true; }
  void operator()(const DeviceReturned& e) {
    s.deleted = false;
    s.return_due.reset();
    s.ordinal = e.ordinal;
    s.wants_attributes_from = r.time;
  }

  void operator()(const AutoConfirmChanged& e) {
    s.auto_confirm.reset();
    if (e.active) s.auto_confirm = AutoConfirm{e.initiator, e.remark, r.time};
  }
  void operator()(const DeviceTokenRotated& e) {
    s.token_generation = e.generation;
    s.previous_token_until = e.previous_until;
  }
  void operator()(const DevicePushChanged& e) { s.push = e.push; }

  void operator()(const UpdateRequested& e) {
    if (const auto* id = std::get_if<UpdateId>(&r.stream)) {
      UnfinishedUpdate u;
      u.plan = e.plan;
      u.requested_at = r.time;
      s.updates[*id] = std::move(u);
      const auto& rollback = e.plan.rollback;
      if (rollback && s.return_due && rollback->undoes == s.return_due->undoes) s.return_due.reset();
    }
  }
  void operator()(const ConsentAsked& e) {
    const auto* id = std::get_if<UpdateId>(&r.stream);
    if (!id) return;
    auto& u = s.updates[*id];
    if (e.plan) u.plan = *e.plan;
    if (u.requested_at == Time{}) u.requested_at = r.time;
    u.consent_asked = e.attempt;
    u.consented = false;
    u.action = e.action;
    s.last_action = e.action;
  }
  void operator()(const ConsentGiven& e) {
    if (auto* u = update(); u && u->consent_asked == e.attempt) u->consented = true;
  }
  void operator()(const UpdateRefuted& e) {
    const auto* id = std::get_if<UpdateId>(&r.stream);
    if (!id || !s.installed || s.installed->update != *id) return;
    const auto& done = *s.installed;
    if (e.takes_back) {
      s.return_due = ReturnDue{done.update,   done.firmware, done.from_version, done.to_version,
                               RollbackTrigger::kHealthCheck, e.fact};
    }
    s.installed.reset();
    s.installed_action.reset();  // it was none
  }
  void operator()(const AttemptGranted& e) {
    const auto* id = std::get_if<UpdateId>(&r.stream);
    if (!id) return;
    auto& u = s.updates[*id];
    if (e.plan) u.plan = *e.plan;
    if (u.requested_at == Time{}) u.requested_at = r.time;
    u.status = UpdateStatus::kInProgress;
    u.attempt = e.attempt;
    u.batch = e.batch;
    u.retry = e.retry;
    u.action = e.action;
    u.next_retry_at.reset();
    u.started = false;
    u.cancelling = false;
    u.may_hold = e.hold;
    u.released = false;
    u.awaits_version = false;
    u.consent_asked = 0;
    // One that was agreed to keeps its number, and others were given since (decision 21).
    if (!s.last_action || s.last_action->value < e.action.value) s.last_action = e.action;
    if (s.installed) s.installed->followed = true;
  }
  void operator()(const AttemptStarted& e) {
    auto* u = update();
    if (!u || u->attempt != e.attempt) return;
    u->started = true;
    if (e.released) u->released = true;
  }
  void operator()(const ProgressReported& e) {
    auto* u = update();
    if (!u || u->attempt != e.attempt) return;
    if (e.phase == UpdateStatus::kRebooting && u->plan.require_version_proof) u->awaits_version = true;
  }
  void operator()(const AttemptEnded& e) {
    auto* u = update();
    if (!u) return;
    if (e.success) {
      succeed(*u, std::get<UpdateId>(r.stream));
      finish();
    } else if (e.retry_at) {
      u->status = UpdateStatus::kScheduled;
      u->retry_count = e.retry_count;
      u->next_retry_at = e.retry_at;
      u->cancelling = false;
    } else {
      if (e.takes_back) {
        s.return_due = ReturnDue{std::get<UpdateId>(r.stream), u->plan.firmware, u->plan.from_version,
                                 u->plan.to_version, RollbackTrigger::kTimeout, e.error_message};
      }
      finish();
    }
  }
  void operator()(const GrantLapsed& e) {
    auto* u = update();
    if (!u) return;
    u->status = UpdateStatus::kScheduled;
    // Still a retry, as its campaign has it, or the campaign's rollback: no offer names it.
    const auto* id = std::get_if<UpdateId>(&r.stream);
    if (e.retry || (id && id->of_campaign && id->kind != UpdateId::kDeployment)) u->next_retry_at = r.time;
  }
  void operator()(const UpdateSkipped&) { finish(); }
  void operator()(const UpdateCancelled&) { finish(); }
  void operator()(const CancelRequested&) {
    if (auto* u = update()) u->cancelling = true;
  }
  void operator()(const CancelRefused&) {
    if (auto* u = update()) u->cancelling = false;
  }
  void operator()(const RetryAsked& e) {
    const auto* id = std::get_if<UpdateId>(&r.stream);
    if (!id) return;
    auto& u = s.updates[*id];
    u.status = UpdateStatus::kScheduled;
    u.retry_count = e.retry_count;
    u.next_retry_at = r.time;
    if (u.requested_at == Time{}) u.requested_at = r.time;  // it had ended: its age begins anew
    if (e.attempt > 0) u.attempt = e.attempt;
    if (e.batch > 0) u.batch = e.batch;
    if (e.plan) u.plan = *e.plan;
  }
  template <class Other>
  void operator()(const Other&) {}
};

}  // namespace

const std::pair<const UpdateId, UnfinishedUpdate>* Device::active() const {
  for (const auto& entry : updates) {
    if (entry.second.status == UpdateStatus::kInProgress) return &entry;
  }
  return nullptr;
}

std::string Device::attribute(const std::string& name) const {
  const auto found = attributes.find(name);
  return found == attributes.end() ? std::string() : found->second;
}

const std::pair<const UpdateId, UnfinishedUpdate>* Device::awaits_consent() const {
  if (active()) return nullptr;
  for (const auto& entry : updates) {
    if (entry.second.consent_asked > 0 && !entry.second.consented) return &entry;
  }
  return nullptr;
}

DeviceFacts facts_of(const Device& device) {
  // Made once: whoever filters a fleet asks for them a million times.
  static const std::string kCanHold = "can_hold";
  static const std::string kModel = "device_model";
  static const std::string kHardware = "hardware_version";
  static const std::string kTimezone = "timezone";
  const auto holds = device.attribute(kCanHold);
  return {device.attribute(kModel), device.attribute(kHardware), device.version, device.attribute(kTimezone),
          holds == "true" || holds == "1"};
}

void evolve(Device& state, const Recorded& event, const Settings& settings) {
  if (event.device) state.id = *event.device;
  std::visit(Fold{state, event, settings}, event.event);
  state.updated_at = event.time;
  state.position = event.position;
}

}  // namespace ota::domain
