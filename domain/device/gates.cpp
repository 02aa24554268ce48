#include "domain/device/gates.hpp"

#include <fmt/format.h>

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

std::string name_of(const Entry& entry) {
  return fmt::format("update {} to {}", to_text(entry.first), entry.second.plan.to_version);
}

// At most one at a time; of those that may run the one with the highest priority, then the oldest.
GateState not_busy(const Device& s, const Entry& entry, const std::optional<Time>& pause, Time now) {
  if (const auto* active = s.active(); active && active->first == entry.first) {
    return closed(Gate::kBusy, "it is in progress");
  } else if (active) {
    return closed(Gate::kBusy, fmt::format("the device is busy with {}", name_of(*active)));
  }
  const auto* next = next_own(s, pause, now);
  if (next && next->first != entry.first) return closed(Gate::kBusy, fmt::format("{} goes first", name_of(*next)));
  return open(Gate::kBusy, "nothing else is under way on the device");
}

GateState content(const FirmwareAtHand& firmware) {
  if (firmware.recalled) return closed(Gate::kContent, fmt::format("firmware {} is recalled", firmware.name));
  if (!firmware.content_here) return closed(Gate::kContent, fmt::format("the content of firmware {} is not here", firmware.name));
  return open(Gate::kContent, fmt::format("firmware {} is here", firmware.name));
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

const Entry* next_own(const Device& s, const std::optional<Time>& owner_pauses_until, Time now) {
  const auto zone = facts_of(s).timezone;
  const Entry* best = nullptr;
  for (const auto& entry : s.updates) {
    const auto& u = entry.second;
    if (entry.first.of_campaign || u.status != UpdateStatus::kScheduled) continue;
    if (u.next_retry_at && *u.next_retry_at > now) continue;
    if (is_paused_by_owner(u, owner_pauses_until, now)) continue;
    if (u.plan.maintenance_window && !is_open(*u.plan.maintenance_window, zone, now)) continue;
    if (!best || u.plan.priority > best->second.plan.priority ||
        (u.plan.priority == best->second.plan.priority && u.requested_at < best->second.requested_at)) {
      best = &entry;
    }
  }
  return best;
}

std::vector<GateState> own_gates(const Device& s, const UpdateId& update, const FirmwareAtHand& firmware,
                                 const std::optional<Time>& owner_pauses_until, const Context& context) {
  const auto found = s.updates.find(update);
  if (found == s.updates.end()) return {};
  const auto& u = found->second;
  return {known(s),
          not_busy(s, *found, owner_pauses_until, context.now),
          content(firmware),
          owner(u, owner_pauses_until, context.now),
          window(s, u, context.now),
          retry_time(u, context.now)};
}

}  // namespace ota::domain
