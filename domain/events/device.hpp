// What can have happened to a device, and to the numbers of devices.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/ids.hpp"
#include "domain/words.hpp"

namespace ota::domain {

enum class RegisteredVia : std::uint8_t { kPoll = 1, kApi = 2, kImport = 3, kDeviceService = 4, kMqtt = 5 };

using Attributes = std::map<std::string, std::string>;

struct DeviceRegistered {
  Ordinal ordinal;
  RegisteredVia via = RegisteredVia::kPoll;
  Attributes attributes;                  // firmware_version, hardware_version, device_model, name, ... as known
  std::vector<std::string> groups;
  Caller owner = {};                      // the person whose device it is; nobody: not known
  bool operator==(const DeviceRegistered&) const = default;
};
struct DeviceAttributesChanged {
  Attributes set;
  std::vector<std::string> removed;
  bool by_device = false;                 // configData: answers our wish to hear them
  bool groups_changed = false;
  std::vector<std::string> groups;        // all of them, if groups_changed
  std::optional<Caller> owner = {};       // if that changed; nobody: it has none any more
  bool operator==(const DeviceAttributesChanged&) const = default;
};
struct DeviceDeleted {
  std::string reason;
  Ordinal ordinal;                        // retired with it
  bool operator==(const DeviceDeleted&) const = default;
};
struct DeviceReturned {
  Ordinal ordinal;                        // a new one: in no old campaign (decision 22)
  RegisteredVia via = RegisteredVia::kApi;
  bool operator==(const DeviceReturned&) const = default;
};
// Its user agrees to every update beforehand, or does so no longer (DDI, confirmationBase).
struct AutoConfirmChanged {
  bool active = true;
  std::string initiator;                  // who switched it on, in the device's own words
  std::string remark;
  bool operator==(const AutoConfirmChanged&) const = default;
};
// It has another token from now on: the one of this generation, which is derived and written nowhere.
struct DeviceTokenRotated {
  std::uint32_t generation = 1;           // the first token of a device is of generation 0
  std::optional<Time> previous_until = {};  // the token before counts till then; absent: not any more
  bool operator==(const DeviceTokenRotated&) const = default;
};
// It takes its commands over MQTT, or no more: whoever pushes them knows whom to tell.
struct DevicePushChanged {
  bool push = true;
  bool operator==(const DevicePushChanged&) const = default;
};
// Ids that a target list names before the devices are known: they have their ordinals already.
struct IdsReserved {
  Ordinal first;
  std::vector<std::string> devices;       // first, first + 1, ...
  bool operator==(const IdsReserved&) const = default;
};

}  // namespace ota::domain
