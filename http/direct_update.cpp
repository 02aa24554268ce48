#include "http/direct_update.hpp"

#include <fmt/format.h>

#include "domain/version.hpp"

namespace ota::http {
namespace {

// Decision 5: both known and different.
std::optional<Problem> check_compatible(const domain::Device& device, const domain::FirmwareFacts& firmware) {
  const auto known = domain::facts_of(device);
  const bool other_model = !known.model.empty() && known.model != firmware.device_model;
  const bool other_hardware =
      !known.hardware_version.empty() &&
      !domain::in_hardware_range(known.hardware_version, firmware.min_hardware_version, firmware.max_hardware_version);
  if (!other_model && !other_hardware) return std::nullopt;
  return Problem::state_transition(
      other_model ? fmt::format("device {} is a {}, the firmware is for {}", device.id.value, known.model,
                                firmware.device_model)
                  : fmt::format("device {} has hardware {}, the firmware is for {}..{}", device.id.value,
                                known.hardware_version, firmware.min_hardware_version, firmware.max_hardware_version),
      "incompatible", "update", {"compatible"});
}

}  // namespace

std::variant<projections::FirmwareRow, Problem> firmware_for(const actors::Service& service, const DirectRequest& asked) {
  auto row = service.views().firmware(asked.plan.firmware);
  if (!row) return Problem::not_found("Firmware not found: " + domain::to_text(asked.plan.firmware));
  const auto& f = row->firmware;
  if (f.status != domain::FirmwareStatus::kAvailable) {
    return Problem::state_transition(fmt::format("firmware {} is {}", f.record.name, domain::to_text(f.status)),
                                     domain::to_text(f.status), "roll out", {"available"});
  }
  return std::move(*row);
}

std::variant<domain::UpdatePlan, Problem> plan_for(const actors::Service& service, const DirectRequest& asked,
                                                   const projections::FirmwareRow& firmware, const domain::Device& device) {
  const auto& facts = firmware.firmware.record.facts;
  const auto owner = device.owner == domain::Caller{} ? std::nullopt : service.views().user(device.owner);
  const bool opted_in = asked.allow_beta || (owner && owner->beta_opt_in);
  if (facts.is_beta && !opted_in) {
    return Problem::invalid_field({"body", "allow_beta"}, "Beta firmware requires explicit opt-in: allow_beta is false",
                                  "value_error");
  }
  if (!asked.plan.force_update) {
    if (auto problem = check_compatible(device, facts)) return std::move(*problem);
  }
  domain::UpdatePlan plan = asked.plan;
  plan.allow_beta = asked.allow_beta;
  plan.to_version = facts.version;
  plan.download_size = facts.file_size;
  plan.firmware_number = facts.number;
  if (facts.is_security_update) plan.priority = std::max(plan.priority, domain::Priority::kHigh);
  return plan;
}

std::variant<domain::Device, Problem> device_to_update(const actors::Service& service, const domain::DeviceId& id) {
  auto device = service.views().device(id);
  if (!device || device->deleted) return Problem::not_found("Device not found: " + id.value);
  return std::move(*device);
}

}  // namespace ota::http
