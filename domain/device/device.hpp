// Device: what the directory knows of a device, and what is unfinished on it.
//
// The state is the fold of the tag device:<id>: the device's own stream and the events of its updates. Its position is
// what a grant is conditioned on, so a device is never granted two things at once.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "domain/result.hpp"
#include "domain/settings.hpp"
#include "domain/streams.hpp"

namespace ota::domain {

// An update of this device that has begun and not ended, or waits for another attempt.
struct UnfinishedUpdate {
  UpdateStatus status = UpdateStatus::kScheduled;  // scheduled (waits) or in_progress
  UpdatePlan plan;
  std::uint32_t attempt = 0;
  std::uint32_t retry_count = 0;
  std::optional<Time> next_retry_at;
  std::uint32_t batch = 0;
  bool retry = false;                     // the present attempt is one
  ActionId action;                        // of the present attempt
  bool started = false;
  bool cancelling = false;                // cancelAction is offered
  bool may_hold = false;                  // the present attempt may have to hold
  bool released = false;                  // it held, and may install now
  bool awaits_version = false;            // it says that it succeeded; its version was not seen yet
  Time requested_at{};
  std::uint32_t consent_asked = 0;        // for this attempt, with `action`; 0: not asked
  bool consented = false;
  bool operator==(const UnfinishedUpdate&) const = default;
};

// The newest update that succeeded: what a rollback would undo, and what the device may still refute.
struct Installed {
  UpdateId update;
  FirmwareId firmware;
  std::string from_version;
  std::string to_version;
  Time at{};
  std::uint32_t batch = 0;
  bool retry = false;
  std::optional<Time> health_until;       // bad health until then takes the device back
  bool followed = false;                  // by a newer update: it is refuted no more
  bool operator==(const Installed&) const = default;
};

// The device is to be taken back, and the update that does it is not requested yet.
struct ReturnDue {
  UpdateId undoes;
  FirmwareId firmware;                    // that it brought: tells the model of the one before
  std::string to_version;                 // the one before; empty: not known
  std::string undone_version;
  RollbackTrigger trigger = RollbackTrigger::kHealthCheck;
  std::string fact;
  bool operator==(const ReturnDue&) const = default;
};

// Its user agrees to every update beforehand.
struct AutoConfirm {
  std::string initiator;
  std::string remark;
  Time since{};
  bool operator==(const AutoConfirm&) const = default;
};

struct Device {
  bool registered = false;
  bool deleted = false;
  DeviceId id;
  Ordinal ordinal;
  Attributes attributes;
  std::set<std::string> said;             // those of the attributes that have their value from the device itself
  std::vector<std::string> groups;
  // What it runs, as every rule reads it: the attribute, but for the grace after a success (decision 12).
  std::string version;
  Caller owner;
  std::map<UpdateId, UnfinishedUpdate> updates;
  std::optional<Installed> installed;
  std::optional<ReturnDue> return_due;
  std::optional<ActionId> last_action;
  std::optional<ActionId> installed_action;   // the newest one that succeeded
  // configData is wanted from this moment on; absent: not wanted (until an update succeeds).
  std::optional<Time> wants_attributes_from;
  std::optional<AutoConfirm> auto_confirm;
  std::uint32_t token_generation = 0;     // of the token that it is to have
  std::optional<Time> previous_token_until;   // the generation before is still good till then
  bool push = false;                      // it takes its commands over MQTT
  Time registered_at{};
  Time updated_at{};
  Position position;

  // The one that is granted and not over; null if none (decision 9: at most one).
  const std::pair<const UpdateId, UnfinishedUpdate>* active() const;
  // The one whose user was asked for consent and has not answered; null if none, or if one is active.
  const std::pair<const UpdateId, UnfinishedUpdate>* awaits_consent() const;
  std::string attribute(const std::string& name) const;   // empty if absent
};

// The device's own words, as every rule reads them.
struct DeviceFacts {
  std::string model;                      // empty: unknown
  std::string hardware_version;
  std::string firmware_version;
  std::string timezone;                   // as it reports it; empty: unknown
  bool can_hold = false;                  // downloads and verifies, and installs when it is told to
};
DeviceFacts facts_of(const Device& device);

// The device has registered itself.
inline bool is_own_word(RegisteredVia via) { return via == RegisteredVia::kPoll || via == RegisteredVia::kMqtt; }

// ---- commands ------------------------------------------------------------------------------------------------

// First poll, hello, PUT, import. A deleted device comes back by an operator's word, not by its own (decision 22). Whoever
// says hello takes its commands over MQTT.
struct RegisterDevice {
  Ordinal ordinal;                        // from the directory
  RegisteredVia via = RegisteredVia::kPoll;
  Attributes attributes;
  std::vector<std::string> groups;
  Caller owner = {};                      // nobody: not known
  std::optional<Attributes> said = {};    // by the device itself, with its hello
};
// configData or PUT. kReplace takes away what the device said before and does not say now; what operators said of it, and
// the version that a success has shown, stay.
struct ChangeAttributes {
  enum class Mode { kMerge, kReplace, kRemove };
  Mode mode = Mode::kMerge;
  Attributes values;
  std::vector<std::string> removed;       // null values; kRemove: the keys
  std::optional<std::vector<std::string>> groups;
  std::optional<Caller> owner = {};
  bool by_device = false;
};
// Take this device back: an operator's wish, or what is due (ReturnDue).
struct RequestRollback {
  UpdateId id;                            // of the update that does it
  UpdatePlan plan;                        // with `rollback`
  std::vector<std::string> versions;      // that the device had; one of them an operator may go back to
  std::string error_code;                 // it cannot be: ends at once, with this; empty: it can
  std::string error_message;
};
struct DeleteDevice {
  std::string reason;
};
struct RequestUpdate {                    // a direct update: POST /devices/{id}/update
  UpdateId id;
  DeviceId device;
  UpdatePlan plan;
};
// What is known of a firmware at the moment.
struct FirmwareAtHand {
  std::string name;                       // and version, for people
  bool content_here = false;
  bool recalled = false;
  FirmwareFacts facts = {};
  bool owner_agrees = true;               // with beta firmware; or it is none
  bool pushed_from_elsewhere = false;     // its bytes stay where they are, and the device is told over MQTT where that is

  bool can_be_had() const { return content_here || pushed_from_elsewhere; }
};
using FirmwareShelf = std::map<FirmwareId, FirmwareAtHand>;

struct GrantDirect {                      // the device asks: offer it its oldest direct update that may run
  Duration poll_sleep{};
  std::optional<Time> owner_pauses_until = {};   // the owner's preference (decision 18)
  FirmwareShelf shelf = {};               // of its updates; nothing speaks against one that is not in it
  Priority at_least = Priority::kLow;     // what ranks lower is not looked at: a campaign's may stand before it
};
struct SetAutoConfirm {                   // on: whatever waits for consent has it
  bool active = true;
  std::string initiator;
  std::string remark;
};
struct RotateToken {
  std::uint32_t generation = 0;           // the one that is to count no more; if it does not any more, nothing happens
  Duration previous_for{};                // so long it is good all the same
};
struct SetPush {
  bool push = true;
};
using DeviceCommand = std::variant<RegisterDevice, ChangeAttributes, DeleteDevice, RequestUpdate, GrantDirect,
                                   RequestRollback, SetAutoConfirm, RotateToken, SetPush>;

void evolve(Device& state, const Recorded& event, const Settings& settings);
Decision decide(const Device& state, const DeviceCommand& command, const Context& context);

}  // namespace ota::domain
