// An event of a log that is read without the service, as a line of JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "domain/events.hpp"
#include "eventstore/types.hpp"

namespace ota::ctl {

// As GET /audit/events shows it, but for the actor: persons are tokens here.
nlohmann::json event_json(const eventstore::RecordedEvent& event);

// Its data alone, in the order in which its fields are declared.
std::string data_text(const domain::Event& event);

// One line, and its end.
std::string line_of(const nlohmann::json& value);

}  // namespace ota::ctl
