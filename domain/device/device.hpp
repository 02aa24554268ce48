// Device: what the directory knows of a device, and what is unfinished on it.
//
// The state is the fold of the tag device:<id>: the device's own stream and the events of its updates. Its position is
// what a grant is conditioned on, so a device is never granted two things at once.
#pragma once

#include <map>
#include <optional>
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
  Time requested_at{};
  bool operator==(const UnfinishedUpdate&) const = default;
};

struct Device {
  bool registered = false;
  bool deleted = false;
  DeviceId id;
  Ordinal ordinal;
  Attributes attributes;
  std::vector<std::string> groups;
  std::map<UpdateId, UnfinishedUpdate> updates;
  std::optional<ActionId> last_action;
  std::optional<ActionId> installed_action;   // the newest one that succeeded
  // configData is wanted from this moment on; absent: not wanted (until an update succeeds).
  std::optional<Time> wants_attributes_from;
  Time registered_at{};
  Time updated_at{};
  Position position;

  // The one that is granted and not over; null if none (decision 9: at most one).
  const std::pair<const UpdateId, UnfinishedUpdate>* active() const;
  std::string attribute(const std::string& name) const;   // empty if absent
};

// The device's own words, as every rule reads them.
struct DeviceFacts {
  std::string model;                      // empty: unknown
  std::string hardware_version;
  std::string firmware_version;
  std::string timezone;                   // as it reports it; empty: unknown
};
DeviceFacts facts_of(const Attributes& attributes, const Settings& settings);

// ---- commands ------------------------------------------------------------------------------------------------

struct RegisterDevice {                   // first poll, PUT, import; on a deleted device all but the poll bring it back
  Ordinal ordinal;                        // from the directory
  RegisteredVia via = RegisteredVia::kPoll;
  Attributes attributes;
  std::vector<std::string> groups;
};
struct ChangeAttributes {                 // configData or PUT
  enum class Mode { kMerge, kReplace, kRemove };
  Mode mode = Mode::kMerge;
  Attributes values;
  std::vector<std::string> removed;       // null values; kRemove: the keys
  std::optional<std::vector<std::string>> groups;
  bool by_device = false;
};
struct DeleteDevice {
  std::string reason;
};
struct RequestUpdate {                    // a direct update: POST /devices/{id}/update
  UpdateId id;
  DeviceId device;
  UpdatePlan plan;
};
struct GrantDirect {                      // the device asks: offer it its oldest direct update that may run
  Duration poll_sleep{};
};
using DeviceCommand = std::variant<RegisterDevice, ChangeAttributes, DeleteDevice, RequestUpdate, GrantDirect>;

void evolve(Device& state, const Recorded& event, const Settings& settings);
Decision decide(const Device& state, const DeviceCommand& command, const Context& context);

}  // namespace ota::domain
