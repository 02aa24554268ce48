#include "domain/firmware/firmware.hpp"

#include <fmt/format.h>

namespace ota::domain {
namespace {

struct Fold {
  Firmware& s;
  const Recorded& r;

  void operator()(const FirmwareRegistered& e) {
    s.exists = true;
    s.record = e;
    s.created_by = r.caller;
    s.created_at = r.time;
  }
  void operator()(const FirmwareContentStored& e) {
    s.content_here = true;
    s.sha1 = e.sha1;
  }
  void operator()(const FirmwareDeprecated& e) {
    s.status = FirmwareStatus::kDeprecated;
    s.status_reason = e.reason;
  }
  void operator()(const FirmwareRestored& e) {
    s.status = FirmwareStatus::kAvailable;
    s.status_reason = e.reason;
  }
  void operator()(const FirmwareRecalled& e) {
    s.status = FirmwareStatus::kRecalled;
    s.status_reason = e.reason;
  }
  template <class Other>
  void operator()(const Other&) {}
};

Events one(const Firmware& s, Event event) {
  return {{s.record.id, std::move(event), std::nullopt}};
}

Decision on(const Firmware& s, const RegisterFirmware& c, const Context&) {
  if (s.exists) {
    // Same key, same bytes: the record that is there (BR-OTA-005); other bytes must not pass for it (decision 1).
    if (s.record.sha256 == c.record.sha256) {
      // Registered by URL, and here are the bytes (decision 29).
      if (c.sha1 && !s.content_here) return one(s, FirmwareContentStored{*c.sha1});
      return Events{};
    }
    return DomainError{ErrorCode::kDuplicate,
                       fmt::format("firmware {} {} for {} is registered with other bytes: {}", s.record.name,
                                   s.record.facts.version, s.record.facts.device_model, to_text(s.record.id)),
                       {}, {}, {}, {}};
  }
  Events events{{c.record.id, c.record, std::nullopt}};
  if (c.sha1) events.push_back({c.record.id, FirmwareContentStored{*c.sha1}, std::nullopt});
  return events;
}

Decision on(const Firmware& s, const DeprecateFirmware& c, const Context&) {
  if (!s.exists) return not_found("Firmware", to_text(s.record.id));
  if (s.status == FirmwareStatus::kDeprecated) return Events{};
  if (s.status == FirmwareStatus::kRecalled) {
    return wrong_state("firmware", to_text(s.status), "deprecate", {"available"});
  }
  return one(s, FirmwareDeprecated{c.reason});
}

Decision on(const Firmware& s, const RestoreFirmware& c, const Context&) {
  if (!s.exists) return not_found("Firmware", to_text(s.record.id));
  if (s.status == FirmwareStatus::kAvailable) return Events{};
  if (s.status == FirmwareStatus::kRecalled) {
    return wrong_state("firmware", to_text(s.status), "restore", {"deprecated"});
  }
  return one(s, FirmwareRestored{c.reason});
}

// For good: what was wrong with these bytes stays wrong (decision 2).
Decision on(const Firmware& s, const RecallFirmware& c, const Context&) {
  if (!s.exists) return not_found("Firmware", to_text(s.record.id));
  if (s.status == FirmwareStatus::kRecalled) return Events{};
  return one(s, FirmwareRecalled{c.reason});
}

}  // namespace

void evolve(Firmware& state, const Recorded& event) {
  std::visit(Fold{state, event}, event.event);
  state.updated_at = event.time;
  state.position = event.position;
  ++state.revision;
}

Decision decide(const Firmware& state, const FirmwareCommand& command, const Context& context) {
  return std::visit([&](const auto& c) { return on(state, c, context); }, command);
}

}  // namespace ota::domain
