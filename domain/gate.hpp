// What can stand between a device and its update (design 4): each gate is open or closed, and a fact decides it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/words.hpp"

namespace ota::domain {

// In the order in which they are tried: a closed one hides those behind it.
enum class Gate : std::uint8_t {
  kKnown, kTargeted, kPicked, kCompatible, kBeta, kNotThere, kBusy, kApproved, kRunning, kContent, kOwner, kWindow,
  kConsent, kRetryTime, kBatch, kConcurrency
};
std::string_view to_text(Gate);

// A gate as it stands for one device.
struct GateState {
  Gate gate = Gate::kKnown;
  bool open = false;
  std::string fact;
  std::optional<Time> until;              // closed, where time decides: until then
};

}  // namespace ota::domain
