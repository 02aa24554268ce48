// What holds for everything that a device says, however it came: shared by ddi_json, ddi_cbor and
// mqtt_up.
//
// Claims: whatever an update or a device then decides is written to the log as bytes that read back
// as the same events (a text that is not UTF-8 would be an event that nobody can ever read), keeps
// the bounds of events, and is decided once.
#pragma once

#include <string>
#include <vector>

#include "domain/device/device.hpp"
#include "domain/update/update.hpp"

namespace ota::fuzz {

// Said of the first attempt of an update, whatever is the matter with it.
void check_said(const domain::UpdateCommand& command);
// Said of the device itself.
void check_said(const domain::DeviceCommand& command);

// As they were read.
void check_details(const std::vector<std::string>& details);
void check_attributes(const domain::ChangeAttributes& change);

}  // namespace ota::fuzz
