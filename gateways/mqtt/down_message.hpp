// What devices are told over MQTT (docs/devices.md, "Over MQTT"): commands, made of what the record says of the device, and
// answers to what it said. Pure.
//
// A command is made of state, not of an event: made twice it is the same, and publishing it again changes nothing. Its
// fingerprint leaves out what changes by itself with time (when a link ends, until when to begin), so that a device which
// is at work is not told the same again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "domain/firmware/firmware.hpp"
#include "domain/update/update.hpp"
#include "gateways/mqtt/up_message.hpp"
#include "projections/poll_index.hpp"

namespace ota::gateways::mqtt {

// Where a device gets the bytes of a firmware; a link that is good by itself.
using UrlOf = std::function<std::string(const domain::DeviceId&, const domain::Firmware&)>;

struct Command {
  std::string body;                       // empty: nothing is to be done
  std::uint64_t fingerprint = 0;          // 0: of the empty one
};

// The update that a device is to be told of.
struct Task {
  enum class Kind { kUpdate, kConfirm, kCancel };
  Kind kind = Kind::kUpdate;
  domain::ActionId action;
  std::uint32_t attempt = 0;              // that the action stands for
};
// Empty: there is nothing to tell. What awaits its version is installed, and is not to be installed again.
std::optional<domain::ActionId> action_to_tell(const projections::PollRecord& record);
Task task_of(const projections::PollRecord& record, domain::ActionId action, std::uint32_t attempt);

// When to install what was downloaded.
enum class Install { kNow, kLater, kNever };
// `timezone`: of the device, as it says; for a window in its own zone.
Install install_of(const domain::DeviceUpdate& update, std::uint32_t attempt, const std::string& timezone, domain::Time now);

Command make_command(const Task& task, const domain::DeviceUpdate& update, const domain::Firmware& firmware, Install install,
                     const UrlOf& url_of);
Command make_cancel(const Task& task, const domain::UpdateId& update);

// ---- answers ----------------------------------------------------------------------------------------------------------

// To `accepted`. `url`: a fresh link to the bytes, if it may go on; `why`: if it may not.
struct Go {
  bool go = false;
  std::string why;
  std::string url;
};
std::string make_go(const std::string& id, const Accepted& accepted, const Go& go);
std::string make_ok(const std::string& id);
// `kind`: the word for programs; `faults`: of the message's fields.
std::string make_error(const std::string& id, std::string_view kind, const std::string& message,
                       const std::vector<Fault>& faults = {});
// Of a message that cannot be read.
std::string make_malformed(const Heard& heard);
// Of one that came too soon behind the others.
std::string make_too_often(const std::string& id, double per_s);
// The word for an error of the domain.
std::string_view kind_word(domain::ErrorCode code);

}  // namespace ota::gateways::mqtt
