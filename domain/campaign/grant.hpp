// May this device be updated now? The gates of a campaign, in order (design 4).
//
// A grant is decided on three things: the campaign's state, the places that it has promised and not yet committed, and
// what the device says of itself. The append is conditioned on all three, so nothing decided here can come too late.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "domain/campaign/campaign.hpp"
#include "domain/device/device.hpp"

namespace ota::domain {

enum class Gate : std::uint8_t {
  kKnown, kTargeted, kCompatible, kNotThere, kBusy, kRunning, kContent, kWindow, kConsent, kRetryTime, kBatch,
  kConcurrency
};
std::string_view to_text(Gate);

struct Reservations {
  Bitmap ordinals;              // promised, the append is in flight
  std::uint32_t in_batch = 0;             // of these, first attempts in the open batch
};

// What only the device knows.
struct GrantAsk {
  DeviceId device;
  Ordinal ordinal;
  DeviceFacts facts;
  Position device_position;               // of the state that all this was read from
  ActionId action;                        // the one that an offer would get
  std::uint32_t attempts = 0;             // of this update so far
  std::uint32_t batch = 0;                // of its last grant
  Duration poll_sleep{};                  // that it was given
};

struct Wait {
  Gate gate = Gate::kRunning;
  std::string fact;                       // the number or event that decided it
  std::optional<Time> until;              // known only where time decides
};
using GrantDecision = std::variant<AttemptGranted, UpdateSkipped, Wait>;

GrantDecision grant(const Campaign& state, const Reservations& reserved, const GrantAsk& ask, const Context& context);

// Could anybody be granted now? Published to the poll path, so that devices do not ask in vain.
struct Room {
  bool for_first_attempts = false;
  bool for_retries = false;
};
Room room(const Campaign& state, const Reservations& reserved, Time now);

}  // namespace ota::domain
