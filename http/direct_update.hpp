// A direct update as it is asked for, and the checks that one device and ten thousand have in common (spec/api.md section 5).
#pragma once

#include <variant>

#include "actors/service.hpp"
#include "http/problem.hpp"

namespace ota::http {

struct DirectRequest {
  domain::UpdatePlan plan;                // but for what only the views know
  bool allow_beta = false;
};

// The firmware that is asked for; or why no device can be given it.
std::variant<projections::FirmwareRow, Problem> firmware_for(const actors::Service& service, const DirectRequest& asked);

// The plan for this device, completed with what the firmware's record says; or why this device cannot be given it.
std::variant<domain::UpdatePlan, Problem> plan_for(const actors::Service& service, const DirectRequest& asked,
                                                   const projections::FirmwareRow& firmware, const domain::Device& device);

// The device, registered and not deleted; or that there is none.
std::variant<domain::Device, Problem> device_to_update(const actors::Service& service, const domain::DeviceId& id);

}  // namespace ota::http
