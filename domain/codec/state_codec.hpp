// Folded states <-> bytes: the form of snapshots and of the rows in the views.
//
// Not for ever, unlike events: a form that is no longer read is dropped and folded again. Each begins with a version.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "domain/campaign/campaign.hpp"
#include "domain/device/device.hpp"
#include "domain/firmware/firmware.hpp"
#include "domain/update/update.hpp"

namespace ota::domain {

std::string encode_state(const Firmware&);
std::string encode_state(const Device&);
std::string encode_state(const DeviceUpdate&);
std::string encode_state(const Campaign&);

// Empty if the bytes are damaged or of another version.
std::optional<Firmware> decode_firmware_state(std::string_view bytes);
std::optional<Device> decode_device_state(std::string_view bytes);
std::optional<DeviceUpdate> decode_update_state(std::string_view bytes);
std::optional<Campaign> decode_campaign_state(std::string_view bytes);

// Decodes devices one after the other into the same object: who looks at a million of them would else spend most of the
// time on allocating and freeing the same few strings.
class DeviceStates {
 public:
  DeviceStates();
  ~DeviceStates();
  DeviceStates(const DeviceStates&) = delete;
  DeviceStates& operator=(const DeviceStates&) = delete;

  // What decode_device_state() answers, valid until the next call; null if the bytes are damaged.
  const Device* decode(std::string_view bytes);

 private:
  struct Reused;
  std::unique_ptr<Reused> reused_;
};

}  // namespace ota::domain
