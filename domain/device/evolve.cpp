#include <algorithm>

#include "domain/device/device.hpp"

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
  void finish() {
    if (const auto* id = std::get_if<UpdateId>(&r.stream)) s.updates.erase(*id);
  }

  void operator()(const DeviceRegistered& e) {
    s.registered = true;
    s.deleted = false;
    s.ordinal = e.ordinal;
    s.attributes = e.attributes;
    s.groups = e.groups;
    s.registered_at = r.time;
    s.wants_attributes_from = r.time;
  }
  void operator()(const DeviceAttributesChanged& e) {
    for (const auto& [key, value] : e.set) s.attributes[key] = value;
    for (const auto& key : e.removed) s.attributes.erase(key);
    if (e.groups_changed) s.groups = e.groups;
    if (e.by_device && s.wants_attributes_from && *s.wants_attributes_from <= r.time) {
      s.wants_attributes_from.reset();
    }
  }
  void operator()(const DeviceDeleted&) { s.deleted = true; }
  void operator()(const DeviceReturned& e) {
    s.deleted = false;
    s.ordinal = e.ordinal;
    s.wants_attributes_from = r.time;
  }

  void operator()(const UpdateRequested& e) {
    if (const auto* id = std::get_if<UpdateId>(&r.stream)) {
      UnfinishedUpdate u;
      u.plan = e.plan;
      u.requested_at = r.time;
      s.updates[*id] = std::move(u);
    }
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
    s.last_action = e.action;
  }
  void operator()(const AttemptStarted& e) {
    if (auto* u = update(); u && u->attempt == e.attempt) u->started = true;
  }
  void operator()(const AttemptEnded& e) {
    auto* u = update();
    if (!u) return;
    if (e.success) {
      s.installed_action = u->action;
      s.attributes[settings.version_attribute] = u->plan.to_version;
      // Asked again once the grace is over: some clients report success before they reboot (decision 12).
      s.wants_attributes_from = r.time + settings.success_grace;
      finish();
    } else if (e.retry_at) {
      u->status = UpdateStatus::kScheduled;
      u->retry_count = e.retry_count;
      u->next_retry_at = e.retry_at;
      u->cancelling = false;
    } else {
      finish();
    }
  }
  void operator()(const GrantLapsed& e) {
    auto* u = update();
    if (!u) return;
    u->status = UpdateStatus::kScheduled;
    if (e.retry) u->next_retry_at = r.time;  // still a retry, as its campaign has it: no offer names it
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

DeviceFacts facts_of(const Attributes& attributes, const Settings& settings) {
  const auto value = [&](const std::string& name) {
    const auto found = attributes.find(name);
    return found == attributes.end() ? std::string() : found->second;
  };
  return {value("device_model"), value("hardware_version"), value(settings.version_attribute),
          value("timezone")};
}

void evolve(Device& state, const Recorded& event, const Settings& settings) {
  if (event.device) state.id = *event.device;
  std::visit(Fold{state, event, settings}, event.event);
  state.updated_at = event.time;
  state.position = event.position;
}

}  // namespace ota::domain
