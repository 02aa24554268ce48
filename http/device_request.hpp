// What a request says of a device: PUT /devices/{id}, and each line of an import (spec/api.md section 5).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "domain/device/device.hpp"
#include "http/field_bounds.hpp"

namespace ota::http {

class JsonReader;

struct DeviceRequest {
  domain::ChangeAttributes change;        // with an owner only if it is to have none
  std::string person;                     // whose device it is; empty: nothing is said of it
};

inline constexpr std::size_t kDeviceGroups = 100;
inline constexpr std::size_t kDeviceGroupChars = 128;
// Fields of their own that are attributes of the device.
inline constexpr std::string_view kDeviceTexts[] = {"name", "device_model", "hardware_version", "firmware_version"};

// Reads the fields of `value` with `body`, a reader of it with these errors. If anything was refused, nothing of the answer
// may be used.
DeviceRequest read_device(nlohmann::json& value, JsonReader& body, FieldErrors& errors);

// Whether a name may be an attribute's; else adds the error.
bool check_attribute_name(const FieldPlace& place, std::string_view name);
// Why an id cannot stand in a path, where something is asked of whoever has it; empty: it can.
std::string why_not_in_paths(std::string_view id);
// Whether an id may name a device (decision 20); else adds the error.
bool check_device_id(const FieldPlace& place, std::string_view id);

}  // namespace ota::http
