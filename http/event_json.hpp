// One event of the log, for people and programs (spec/api.md section 6).
#pragma once

#include <nlohmann/json.hpp>

#include "eventstore/types.hpp"
#include "http/api.hpp"

namespace ota::http {

// position, time, type, stream, tags, actor, correlation_id, causation, data (domain/codec/readable.hpp, with persons by
// their names). What is not known is null.
nlohmann::json event_json(const Api& api, const eventstore::RecordedEvent& event);

// The same, and whether a person's name is in it: that may be gone tomorrow, so whoever keeps what was made lets it be.
struct ShownEvent {
  nlohmann::json shown;
  bool names_somebody = false;
};
ShownEvent show_event(const Api& api, const eventstore::RecordedEvent& event);

}  // namespace ota::http
