// May this device be updated now? The gates of a campaign, in order (design 4).
//
// A grant is decided on three things: the campaign's state, the places that it has promised and not yet committed, and
// what the device says of itself. The append is conditioned on all three, so nothing decided here can come too late.
// One list of gates both decides the grant and answers "why is this device not updated?".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "domain/campaign/campaign.hpp"
#include "domain/device/device.hpp"
#include "domain/gate.hpp"

namespace ota::domain {

struct Reservations {
  Bitmap ordinals;              // promised, the append is in flight
  std::uint32_t in_batch = 0;             // of these, first attempts in the open batch
  Bitmap asked = {};                      // a question for consent is in flight: it takes no place (decision 32)
  bool contains(std::uint32_t ordinal) const { return ordinals.contains(ordinal) || asked.contains(ordinal); }
};

// Where a rollback would take the device: what is known of the version before.
struct WayBack {
  std::string version;                    // empty: not known
  bool stored = false;                    // its firmware is registered and its bytes are here
  bool recalled = false;
  FirmwareId firmware;
  FirmwareFacts facts;
  Position read_at;                       // of the views that said so
  std::string undone = {};                // the version that is undone; empty: whatever runs
};

// The error that ends a rollback before it begins, as a code and in words; empty codes: there is a way back.
std::pair<std::string, std::string> why_not_back(const WayBack& back);

// What only the device knows.
struct GrantAsk {
  DeviceId device;
  Ordinal ordinal;
  bool known = true;                      // registered, and not deleted
  DeviceFacts facts;
  Position device_position;               // of the state that all this was read from
  ActionId action;                        // the one that an offer would get
  std::uint32_t attempts = 0;             // of this update so far
  std::uint32_t batch = 0;                // of its last grant
  std::string planned_from;               // the version that its plan starts from; empty: it has no plan
  std::string ended_because;              // for people, of an update that has ended; only for "why not?"
  Duration poll_sleep{};                  // that it was given
  bool consented = false;                 // its user has agreed, to this update while it lasts
  bool consent_asked = false;             // and was asked
  bool auto_confirms = false;             // and agrees to whatever comes
  bool push = false;                      // it takes its commands over MQTT
  bool content_elsewhere = false;         // the firmware's bytes stay where they are, and who is pushed its URL fetches them there
  Caller owner;                           // nobody: not known, or nobody's
  Position owner_read_at;                 // of the views that said what the owner wants
  std::optional<Time> owner_pauses_until; // the owner's preferences (decision 18)
  bool owner_wants_beta = false;
  std::string busy_with;                  // another update that it is busy with; empty: none
  std::uint32_t rollback = 0;             // asks to be taken back by the campaign's n-th rollback; 0: to be updated
  WayBack back;                           // of a rollback
};

struct Wait {
  Gate gate = Gate::kRunning;
  std::string fact;                       // the number or event that decided it
  std::optional<Time> until;              // known only where time decides
};
// A rollback that cannot be, or need not be: its update ends before it has begun, or behind an attempt that failed.
struct NoWayBack {
  UpdatePlan plan;
  std::uint32_t attempts = 0;             // that it had
  bool superseded = false;                // the device runs something else already; else it has failed
  std::string error_code;
  std::string fact;
};
using GrantDecision = std::variant<AttemptGranted, ConsentAsked, UpdateSkipped, NoWayBack, Wait>;

Events events_of(const NoWayBack& none, const UpdateId& update, const DeviceId& device);

GrantDecision grant(const Campaign& state, const Reservations& reserved, const GrantAsk& ask, const Context& context);

// All gates that stand before this device, each with the fact that decides it. The first that is closed is why it is not
// updated; if none is, it is granted when it asks.
std::vector<GateState> gates(const Campaign& state, const Reservations& reserved, const GrantAsk& ask,
                             const Context& context);

// Would its campaign grant this device, were it not busy? As far as that is known without the campaign's state: an emergency
// asks others to make room only if that helps it (decision 9).
bool would_be_granted(const CampaignCreated& record, bool switched, const GrantAsk& ask, Time now);

// Could anybody be granted now? Published to the poll path, so that devices do not ask in vain.
struct Room {
  bool for_first_attempts = false;
  bool for_retries = false;
  bool for_consent = false;               // whoever was not asked yet may be asked, though there is no place
  bool for_pushed_only = false;           // the firmware's bytes are not here: nobody who polls gets them (decision 29)
};
Room room(const Campaign& state, const Reservations& reserved, Time now);

}  // namespace ota::domain
