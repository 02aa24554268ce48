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

enum class RegisteredVia : std::uint8_t { kPoll = 1, kApi = 2, kImport = 3, kDeviceService = 4 };

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
// Ids that a target list names before the devices are known: they have their ordinals already.
struct IdsReserved {
  Ordinal first;
  std::vector<std::string> devices;       // first, first + 1, ...
  bool operator==(const IdsReserved&) const = default;
};

}  // namespace ota::domain
