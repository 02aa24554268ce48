// What the bus says when a device or a user is gone: device.deleted and user.deleted, bare or in the platform's envelope.
//
//   {"device_id": "..."}        or        {"id": "...", "type": "device.deleted", "data":
//   {"device_id": "..."}, ...}; of a user the same with "user_id"
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace ota::gateways::nats {

struct Deletion {
  std::string id;           // of the device or user: 1-256 characters without control characters
  std::string event_id;     // of the envelope; empty if it has none
  std::string correlation;  // of the envelope's metadata; empty if it has none
};
struct Malformed {
  std::string why;  // names the field and shows the value, as ASCII and UTF-8 only; of a user how long it is
};

// `field`: "device_id" or "user_id". What may be a user's name is not quoted: it would stay wherever the words go.
std::variant<Deletion, Malformed> parse_deletion(std::string_view body, const char* field);

// Bytes from outside as quoted text, cut to a length that a log line can bear.
std::string shown(std::string_view bytes);

}  // namespace ota::gateways::nats
