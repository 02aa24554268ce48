// Events <-> bytes. The only place that knows events.proto.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/events.hpp"

namespace ota::domain {

struct EncodedEvent {
  std::uint16_t type = 0;
  std::string payload;
};

// The type number and bytes of an event. Deterministic: equal events have equal bytes.
EncodedEvent encode(const Event&);

// The event of a type number and bytes; UnknownEvent for a type of a newer version; empty if the bytes are damaged.
std::optional<Event> decode(std::uint16_t type, std::string_view payload);

// "campaign.created", "attempt.granted": the event's name for people.
std::string_view event_name(std::uint16_t type);
std::uint16_t event_type(const Event&);

}  // namespace ota::domain
