#include "domain/device/gates.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "domain/version.hpp"
#include "domain/window.hpp"

namespace ota::domain {
namespace {

using Entry = std::pair<const UpdateId, UnfinishedUpdate>;

GateState open(Gate gate, std::string fact) { return {gate, true, std::move(fact), {}}; }
GateState closed(Gate gate, std::string fact, std::optional<Time> until = {}) {
  return {gate, false, std::move(fact), until};
}

GateState known(const Device& s) {
  if (s.registered && !s.deleted) return open(Gate::kKnown, fmt::format("device {} is registered", s.id.value));
  return closed(Gate::kKnown, "the device is not registered, or was deleted");
}

std::string either(const std::string& text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : text;
}

std::string name_of(const Entry& entry) {
  return fmt::format("update {} to {}", to_text(entry.first), entry.second.plan.to_version);
}

// At most one at a time; of those that may run the one with the highest priority, then the oldest.
GateState not_busy(const Device& s, const Entry& entry, const std::optional<Time>& pause, const FirmwareShelf& shelf,
                   Time now) {
  if (const auto* active = s.active(); active && active->first == entry.first) {
    return closed(Gate::kBusy, "it is in progress");
  } else if (active) {
    return closed(Gate::kBusy, fmt::format("the device is busy with {}", name_of(*active)));
  }
  for (const auto* first : own_in_order(s, pause, shelf, now)) {
    if (first->first == entry.first) break;
    if (skip_own(s, first->second.plan, shelf)) continue;
    if (!may_run(s, entry, pause, shelf, now)) break;  // it waits for something else
    return closed(Gate::kBusy, fmt::format("{} goes first", name_of(*first)));
  }
  return open(Gate::kBusy, "nothing else is under way on the device");
}

GateState compatible(const Device& s, const UnfinishedUpdate& u, const FirmwareShelf& shelf) {
  if (u.plan.force_update) return open(Gate::kCompatible, "force_update: models are not compared");
  const auto at_hand = shelf.find(u.plan.firmware);
  const auto facts = facts_of(s);
  if (at_hand != shelf.end()) {
    if (auto fact = misfit(facts, at_hand->second.facts); !fact.empty()) return closed(Gate::kCompatible, std::move(fact));
  }
  return open(Gate::kCompatible, fmt::format("model {}, hardware {}", either(facts.model, "not known: taken to fit"),
                                             either(facts.hardware_version, "not known: taken to fit")));
}

// Whoever asked for a rollback asked for that very version.
bool is_beta_refused(const UnfinishedUpdate& u, const FirmwareShelf& shelf) {
  const auto at_hand = shelf.find(u.plan.firmware);
  return !u.plan.rollback && !u.plan.allow_beta && at_hand != shelf.end() && !at_hand->second.owner_agrees;
}

GateState beta(const UnfinishedUpdate& u, const FirmwareShelf& shelf) {
  if (is_beta_refused(u, shelf)) {
    return closed(Gate::kBeta, "the firmware is a beta, and neither this update nor the device's owner has opted in");
  }
  const auto at_hand = shelf.find(u.plan.firmware);
  const bool is_beta = at_hand != shelf.end() && at_hand->second.facts.is_beta;
  return open(Gate::kBeta, is_beta ? "the update or the device's owner has opted in to beta firmware" : "the firmware is no beta");
}

GateState not_there(const Device& s, const UnfinishedUpdate& u) {
  if (u.plan.force_update) return open(Gate::kNotThere, "force_update: versions are not compared");
  auto fact = fmt::format("the device runs {}, the update brings {}", either(s.version, "a version that is not known"),
                          u.plan.to_version);
  const bool there = !s.version.empty() && compare_versions(s.version, u.plan.to_version) >= 0;
  return there ? closed(Gate::kNotThere, std::move(fact)) : open(Gate::kNotThere, std::move(fact));
}

GateState content(const UnfinishedUpdate& u, const FirmwareShelf& shelf) {
  const auto found = shelf.find(u.plan.firmware);
  const auto name = found == shelf.end() ? u.plan.to_version : found->second.name;
  if (found != shelf.end() && found->second.recalled) {
    return closed(Gate::kContent, fmt::format("firmware {} is recalled", name));
  }
  if (found == shelf.end() || !found->second.can_be_had()) {
    return closed(Gate::kContent, fmt::format("the content of firmware {} is not here", name));
  }
  if (found->second.content_here) return open(Gate::kContent, fmt::format("firmware {} is here", name));
  return open(Gate::kContent, fmt::format("firmware {} stays where it is, and the device is told over MQTT where that is", name));
}

GateState owner(const UnfinishedUpdate& u, const std::optional<Time>& until, Time now) {
  if (is_paused_by_owner(u, until, now)) return closed(Gate::kOwner, "the device's owner has paused updates", *until);
  return open(Gate::kOwner, "the device's owner has not paused updates");
}

GateState window(const Device& s, const UnfinishedUpdate& u, Time now) {
  const auto& window = u.plan.maintenance_window;
  if (!window) return open(Gate::kWindow, "there is no maintenance window");
  const auto zone = facts_of(s).timezone;
  const auto text = [&](std::string_view state) {
    return fmt::format("the maintenance window {} to {} ({}) is {}", minute_text(window->start_minute),
                       minute_text(window->end_minute), zone_of(*window, zone), state);
  };
  if (is_open(*window, zone, now)) return open(Gate::kWindow, text("open"));
  return closed(Gate::kWindow, text("closed"), opens_at(*window, zone, now));
}

GateState retry_time(const UnfinishedUpdate& u, Time now) {
  if (u.next_retry_at && *u.next_retry_at > now) {
    return closed(Gate::kRetryTime, "the last attempt failed, the next one waits", *u.next_retry_at);
  }
  return open(Gate::kRetryTime, u.next_retry_at ? "the wait for the next attempt is over" : "it is not a retry");
}

}  // namespace

bool is_paused_by_owner(const UnfinishedUpdate& u, const std::optional<Time>& until, Time now) {
  return until && *until > now && !u.plan.rollback;
}

std::string misfit(const DeviceFacts& d, const FirmwareFacts& f) {
  if (!d.model.empty() && d.model != f.device_model) {
    return fmt::format("the device is a {}, the firmware is for {}", d.model, f.device_model);
  }
  if (!d.hardware_version.empty() &&
      !in_hardware_range(d.hardware_version, f.min_hardware_version, f.max_hardware_version)) {
    return fmt::format("hardware {} is outside {}..{}", d.hardware_version, either(f.min_hardware_version, "any"),
                       either(f.max_hardware_version, "any"));
  }
  return {};
}

std::vector<std::string> unknowns(const DeviceFacts& d, const FirmwareFacts& f) {
  std::vector<std::string> found;
  if (d.model.empty()) found.push_back(fmt::format("the device's model is not known: taken to be a {}", f.device_model));
  const bool bounded = !f.min_hardware_version.empty() || !f.max_hardware_version.empty();
  if (d.hardware_version.empty() && bounded) {
    found.push_back(fmt::format("the device's hardware version is not known: taken to be within {}..{}",
                                either(f.min_hardware_version, "any"), either(f.max_hardware_version, "any")));
  }
  return found;
}

std::optional<UpdateSkipped> skip_own(const Device& s, const UpdatePlan& plan, const FirmwareShelf& shelf) {
  if (plan.rollback || plan.force_update) return std::nullopt;
  const auto facts = facts_of(s);
  if (const auto at_hand = shelf.find(plan.firmware); at_hand != shelf.end()) {
    if (auto fact = misfit(facts, at_hand->second.facts); !fact.empty()) {
      return UpdateSkipped{SkipReason::kIncompatible, std::move(fact)};
    }
  }
  if (!facts.firmware_version.empty() && compare_versions(facts.firmware_version, plan.to_version) >= 0) {
    return UpdateSkipped{SkipReason::kAlreadyThere, fmt::format("the device runs {}, the update brings {}",
                                                                facts.firmware_version, plan.to_version)};
  }
  return std::nullopt;
}

bool may_run(const Device& s, const Entry& entry, const std::optional<Time>& owner_pauses_until,
             const FirmwareShelf& shelf, Time now) {
  const auto& u = entry.second;
  if (entry.first.of_campaign || u.status != UpdateStatus::kScheduled) return false;
  if (u.next_retry_at && *u.next_retry_at > now) return false;
  if (is_paused_by_owner(u, owner_pauses_until, now) || is_beta_refused(u, shelf)) return false;
  const auto at_hand = shelf.find(u.plan.firmware);
  if (at_hand != shelf.end() && (!at_hand->second.can_be_had() || at_hand->second.recalled)) return false;
  return !u.plan.maintenance_window || is_open(*u.plan.maintenance_window, facts_of(s).timezone, now);
}

std::vector<const Entry*> own_in_order(const Device& s, const std::optional<Time>& owner_pauses_until,
                                       const FirmwareShelf& shelf, Time now) {
  std::vector<const Entry*> found;
  for (const auto& entry : s.updates) {
    if (may_run(s, entry, owner_pauses_until, shelf, now)) found.push_back(&entry);
  }
  std::stable_sort(found.begin(), found.end(), [](const Entry* a, const Entry* b) {
    const auto& x = a->second;
    const auto& y = b->second;
    if (x.plan.priority != y.plan.priority) return x.plan.priority > y.plan.priority;
    return x.requested_at < y.requested_at;
  });
  return found;
}

std::vector<GateState> own_gates(const Device& s, const UpdateId& update, const FirmwareShelf& shelf,
                                 const std::optional<Time>& owner_pauses_until, const Context& context) {
  const auto found = s.updates.find(update);
  if (found == s.updates.end()) return {};
  const auto& u = found->second;
  std::vector<GateState> gates{known(s)};
  if (!u.plan.rollback) {
    gates.push_back(compatible(s, u, shelf));
    gates.push_back(beta(u, shelf));
    gates.push_back(not_there(s, u));
  }
  gates.push_back(not_busy(s, *found, owner_pauses_until, shelf, context.now));
  gates.push_back(content(u, shelf));
  gates.push_back(owner(u, owner_pauses_until, context.now));
  gates.push_back(window(s, u, context.now));
  gates.push_back(retry_time(u, context.now));
  return gates;
}

}  // namespace ota::domain
