#include <algorithm>

#include <fmt/format.h>

#include "domain/device/device.hpp"
#include "domain/device/gates.hpp"
#include "domain/limits.hpp"
#include "domain/version.hpp"

namespace ota::domain {
namespace {

constexpr std::string_view kHealth = "health";
constexpr std::string_view kHealthFailed = "failed";

std::string either(const std::string& text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : text;
}

// Some devices report success before they reboot: what they run till then says nothing (decision 12).
bool in_grace(const Device& s, const Settings& settings, Time now) {
  return s.installed && !s.installed->followed && now < s.installed->at + settings.success_grace;
}

Emitted of_device(const Device& s, Event event) { return {s.id, std::move(event), s.id}; }

// What really changes: nothing new writes nothing.
DeviceAttributesChanged change_of(const Device& s, const ChangeAttributes& c, const Settings& settings, Time now) {
  DeviceAttributesChanged change;
  change.by_device = c.by_device;
  if (c.mode != ChangeAttributes::Mode::kRemove) {
    for (const auto& [key, value] : c.values) {
      const auto known = s.attributes.find(key);
      // The version is stored already if the device reported it too early to count: now it may.
      const bool counts_now = key == settings.version_attribute && value != s.version && !in_grace(s, settings, now);
      if (known == s.attributes.end() || known->second != value || counts_now) change.set[key] = value;
    }
  }
  for (const auto& key : c.removed) {
    if (s.attributes.contains(key)) change.removed.push_back(key);
  }
  if (c.mode == ChangeAttributes::Mode::kReplace) {
    for (const auto& key : s.said) {
      if (!c.values.contains(key)) change.removed.push_back(key);
    }
  }
  std::sort(change.removed.begin(), change.removed.end());
  change.removed.erase(std::unique(change.removed.begin(), change.removed.end()), change.removed.end());
  if (c.owner && *c.owner != s.owner) change.owner = c.owner;
  if (c.groups && *c.groups != s.groups) {
    change.groups_changed = true;
    change.groups = *c.groups;
  }
  return change;
}

// What the device says of itself may show that its last success was none (decisions 12 and 27).
std::optional<UpdateRefuted> refuted_by(const Device& s, const ChangeAttributes& c, const Context& context) {
  if (!c.by_device || c.mode == ChangeAttributes::Mode::kRemove || !s.installed || s.installed->followed) return {};
  const auto& done = *s.installed;
  if (const auto health = c.values.find(std::string(kHealth));
      health != c.values.end() && health->second == kHealthFailed && done.health_until && context.now <= *done.health_until) {
    return UpdateRefuted{RefutedBy::kHealth, fmt::format("the device reported {}: {}", kHealth, kHealthFailed),
                         done.batch, done.retry, true};
  }
  const auto version = c.values.find(context.settings.version_attribute);
  if (version == c.values.end() || same_version(version->second, done.to_version) || in_grace(s, context.settings, context.now)) {
    return {};
  }
  return UpdateRefuted{RefutedBy::kVersion,
                       fmt::format("reported success but runs {}", either(version->second, "an unnamed version")),
                       done.batch, done.retry, false};
}

DomainError too_many_attributes(std::size_t count) {
  return invalid("attributes", fmt::format("a device has at most {} attributes; this would make {}",
                                     limits::kDeviceAttributes, count));
}

// One append: whoever speaks for the first time waits for one commit, not for three.
Events first_of(const Device& s, const RegisterDevice& c) {
  Events events{of_device(s, DeviceRegistered{c.ordinal, c.via, c.attributes, c.groups, c.owner})};
  if (c.via == RegisteredVia::kMqtt) events.push_back(of_device(s, DevicePushChanged{true}));
  if (!c.said) return events;
  DeviceAttributesChanged said;
  said.set = *c.said;
  said.by_device = true;
  events.push_back(of_device(s, std::move(said)));
  return events;
}

Decision on(const Device& s, const RegisterDevice& c, const Context& context) {
  if (s.registered && !s.deleted) return Events{};
  const std::size_t count = c.attributes.size() + (c.said ? c.said->size() : 0);
  if (count > limits::kDeviceAttributes) return too_many_attributes(count);
  if (!s.registered) return first_of(s, c);
  if (is_own_word(c.via)) return not_found("Device", s.id.value);  // decision 22
  Events events{of_device(s, DeviceReturned{c.ordinal, c.via})};
  ChangeAttributes known;
  known.values = c.attributes;
  if (!c.groups.empty()) known.groups = c.groups;
  if (c.owner != Caller{}) known.owner = c.owner;
  auto change = change_of(s, known, context.settings, context.now);
  if (!change.set.empty() || change.groups_changed || change.owner) events.push_back(of_device(s, std::move(change)));
  return events;
}

Decision on(const Device& s, const ChangeAttributes& c, const Context& context) {
  if (!s.registered || s.deleted) return not_found("Device", s.id.value);
  auto change = change_of(s, c, context.settings, context.now);
  const bool answers = c.by_device && s.wants_attributes_from && *s.wants_attributes_from <= context.now;
  auto refuted = refuted_by(s, c, context);
  if (change.set.empty() && change.removed.empty() && !change.groups_changed && !change.owner && !answers && !refuted) {
    return Events{};
  }
  const auto added = std::count_if(change.set.begin(), change.set.end(),
                                   [&](const auto& entry) { return !s.attributes.contains(entry.first); });
  const std::size_t after = s.attributes.size() + static_cast<std::size_t>(added) - change.removed.size();
  if (after > limits::kDeviceAttributes) return too_many_attributes(after);
  Events events{of_device(s, std::move(change))};
  if (refuted) events.push_back({s.installed->update, std::move(*refuted), s.id});
  return events;
}

// One append: the device is gone, and so is what was unfinished on it (design 7). What one append has no room for, and
// what was re-opened behind it, follows: asked again, a deleted device says what is left.
Decision on(const Device& s, const DeleteDevice& c, const Context&) {
  if (!s.registered) return not_found("Device", s.id.value);
  Events events;
  if (!s.deleted) events.push_back(of_device(s, DeviceDeleted{c.reason, s.ordinal}));
  for (const auto& [id, u] : s.updates) {
    if (events.size() > limits::kCancelsOfDeletion) break;
    const bool running = u.status == UpdateStatus::kInProgress;
    events.push_back({id, UpdateCancelled{CancelCause::kDeviceDeleted, running ? u.attempt : 0, u.batch, u.retry}, s.id});
  }
  return events;
}

Decision on(const Device& s, const RequestUpdate& c, const Context&) {
  if (!s.registered || s.deleted) return not_found("Device", s.id.value);
  if (s.updates.contains(c.id)) return Events{};
  std::size_t waiting = 0;
  for (const auto& [id, u] : s.updates) {
    if (!id.of_campaign) ++waiting;
    if (!id.of_campaign && u.plan.firmware == c.plan.firmware) {
      return DomainError{ErrorCode::kDuplicate,
                         fmt::format("device {} already has a pending update for this firmware: {}",
                                     s.id.value, to_text(id)),
                         {}, {}, {}, {}};
    }
  }
  if (waiting >= limits::kDirectUpdatesWaiting) {
    auto error = wrong_state("device", fmt::format("{} updates waiting", waiting), "update", {});
    error.message = fmt::format("device {} already has {} updates waiting; cancel some of them first", s.id.value,
                                waiting);
    return error;
  }
  const auto facts = facts_of(s);
  if (!c.plan.force_update && !facts.firmware_version.empty() &&
      compare_versions(facts.firmware_version, c.plan.to_version) >= 0) {
    return DomainError{ErrorCode::kStateTransition,
                       fmt::format("device {} already runs {}, which is not older than {}; set force_update "
                                   "to install it all the same",
                                   s.id.value, facts.firmware_version, c.plan.to_version),
                       {}, facts.firmware_version, c.plan.to_version, {}};
  }
  RequestUpdate request = c;
  request.plan.from_version = facts.firmware_version;
  return Events{{request.id, UpdateRequested{request.plan}, s.id}};
}

// The device runs something else by now. One whose update timed out half-way may run either version.
bool is_superseded(const Device& s, const UpdatePlan& plan) {
  if (s.version.empty() || same_version(s.version, plan.rollback->undone_version)) return false;
  return !(plan.rollback->trigger == RollbackTrigger::kTimeout && same_version(s.version, plan.to_version));
}

DomainError never_had(const Device& s, const RequestRollback& c) {
  auto error = wrong_state("device", either(s.version, "unknown"), c.plan.to_version, c.versions);
  error.message = fmt::format("{} is not in the history of device {}; it can go back to {}", c.plan.to_version, s.id.value,
                              c.versions.empty() ? "no version that is known" : fmt::format("{}", fmt::join(c.versions, ", ")));
  return error;
}

std::optional<DomainError> refuse_manual(const Device& s, const RequestRollback& c) {
  if (c.plan.rollback->reason.empty()) return invalid("reason", "a rollback needs a reason");
  if (same_version(c.plan.to_version, s.version)) {
    auto error = wrong_state("device", s.version, c.plan.to_version, c.versions);
    error.message = fmt::format("device {} already runs {}", s.id.value, s.version);
    return error;
  }
  if (std::find(c.versions.begin(), c.versions.end(), c.plan.to_version) == c.versions.end()) return never_had(s, c);
  if (!c.error_code.empty()) {
    auto others = c.versions;
    std::erase_if(others, [&](const auto& version) { return same_version(version, c.plan.to_version); });
    auto error = wrong_state("device", either(s.version, "unknown"), c.plan.to_version, std::move(others));
    error.message = c.error_message;
    return error;
  }
  for (const auto& [id, u] : s.updates) {
    if (!u.plan.rollback) continue;
    return DomainError{ErrorCode::kDuplicate,
                       fmt::format("device {} is already being rolled back: {}", s.id.value, to_rollback_text(id)), {}, {}, {}, {}};
  }
  return std::nullopt;
}

// BR-OTA-031 to 035. What is due is requested once: the request ends it.
Decision on(const Device& s, const RequestRollback& c, const Context&) {
  if (!s.registered || s.deleted) return not_found("Device", s.id.value);
  if (s.updates.contains(c.id)) return Events{};
  UpdatePlan plan = c.plan;
  // Of what timed out half-way nobody knows which version it runs: what is undone is what it goes back from.
  plan.from_version = plan.rollback->trigger == RollbackTrigger::kTimeout ? plan.rollback->undone_version : s.version;
  if (plan.rollback->trigger == RollbackTrigger::kManual) {
    if (auto refused = refuse_manual(s, c)) return std::move(*refused);
    plan.rollback->undone_version = s.version;
    if (s.installed && same_version(s.installed->to_version, s.version)) plan.rollback->undoes = s.installed->update;
  } else if (!s.return_due) {
    return Events{};
  }
  Events events{{c.id, UpdateRequested{plan}, s.id}};
  if (!c.error_code.empty()) {
    AttemptEnded failed;
    failed.attempt = 0;
    failed.error_code = c.error_code;
    failed.error_message = c.error_message;
    events.push_back({c.id, std::move(failed), s.id});
  }
  return events;
}

// Whatever waits for consent has it with that.
Decision on(const Device& s, const SetAutoConfirm& c, const Context&) {
  if (!s.registered || s.deleted) return not_found("Device", s.id.value);
  for (const auto& [name, text] : {std::pair<const char*, const std::string&>{"initiator", c.initiator}, {"remark", c.remark}}) {
    if (text.size() > limits::kAutoConfirmTextBytes) {
      return invalid(name, fmt::format("at most {} bytes, got {}", limits::kAutoConfirmTextBytes, text.size()));
    }
  }
  if (!c.active) {
    if (!s.auto_confirm) return Events{};
    return Events{of_device(s, AutoConfirmChanged{false, c.initiator, c.remark})};
  }
  if (s.auto_confirm && s.auto_confirm->initiator == c.initiator && s.auto_confirm->remark == c.remark) return Events{};
  if (s.auto_confirm) return wrong_state("auto-confirmation", "active", "activate", {"inactive"});
  Events events{of_device(s, AutoConfirmChanged{true, c.initiator, c.remark})};
  for (const auto& [id, u] : s.updates) {
    if (u.consent_asked == 0 || u.consented) continue;
    events.push_back({id, ConsentGiven{u.consent_asked, {"auto-confirmation was activated"}}, s.id});
  }
  return events;
}

Decision on(const Device& s, const RotateToken& c, const Context& context) {
  if (!s.registered || s.deleted) return not_found("Device", s.id.value);
  if (c.generation != s.token_generation) return Events{};
  DeviceTokenRotated rotated{s.token_generation + 1, {}};
  if (c.previous_for > Duration(0)) rotated.previous_until = context.now + c.previous_for;
  return Events{of_device(s, rotated)};
}

Decision on(const Device& s, const SetPush& c, const Context&) {
  if (!s.registered || s.deleted) return not_found("Device", s.id.value);
  if (s.push == c.push) return Events{};
  return Events{of_device(s, DevicePushChanged{c.push})};
}

AttemptGranted grant_of(const Device& s, const UnfinishedUpdate& u, const GrantDirect& c, const Context& context) {
  const auto& plan = u.plan;
  AttemptGranted granted;
  granted.attempt = u.attempt + 1;
  granted.action = next_action(s.last_action, context.settings.first_action);
  granted.retry = u.next_retry_at.has_value();
  granted.start_by = context.now + start_patience(std::chrono::minutes(plan.timeout_minutes), c.poll_sleep);
  if (plan.rollback) return granted;
  if (plan.from_version != s.version) {  // it runs something else than when this was asked for
    granted.plan = plan;
    granted.plan->from_version = s.version;
  }
  if (const auto at_hand = c.shelf.find(plan.firmware); at_hand != c.shelf.end()) {
    granted.warnings = unknowns(facts_of(s), at_hand->second.facts);
  }
  return granted;
}

// What need not be done any more ends on the way to the first that is granted: all of it one append.
Decision on(const Device& s, const GrantDirect& c, const Context& context) {
  if (!s.registered || s.deleted || s.active()) return Events{};
  Events events;
  for (const auto* entry : own_in_order(s, c.owner_pauses_until, c.shelf, context.now)) {
    const auto& [id, u] = *entry;
    if (u.plan.priority < c.at_least) break;
    if (u.plan.rollback && is_superseded(s, u.plan)) {
      events.push_back({id, UpdateCancelled{CancelCause::kSuperseded, 0, 0, false}, s.id});
    } else if (auto skipped = skip_own(s, u.plan, c.shelf)) {
      events.push_back({id, std::move(*skipped), s.id});
    } else {
      events.push_back({id, grant_of(s, u, c, context), s.id});
      break;
    }
  }
  return events;
}

}  // namespace

Decision decide(const Device& state, const DeviceCommand& command, const Context& context) {
  return std::visit([&](const auto& c) { return on(state, c, context); }, command);
}

}  // namespace ota::domain
