// What the bus says when a device is gone: device.deleted, bare or in the platform's envelope.
//
//   {"device_id": "..."}        or        {"id": "...", "type": "device.deleted", "data":
//   {"device_id": "..."}, ...}
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace ota::gateways::nats {

struct DeviceDeletion {
  std::string device_id;    // valid (domain::is_valid_device_id)
  std::string event_id;     // of the envelope; empty if it has none
  std::string correlation;  // of the envelope's metadata; empty if it has none
};
struct Malformed {
  std::string why;  // names the field and shows the value, as ASCII and UTF-8 only
};

std::variant<DeviceDeletion, Malformed> parse_device_deletion(std::string_view body);

// Bytes from outside as quoted text, cut to a length that a log line can bear.
std::string shown(std::string_view bytes);

}  // namespace ota::gateways::nats
