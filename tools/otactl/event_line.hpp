// An event of a log that is read without the service, as a line of JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "domain/events.hpp"
#include "eventstore/types.hpp"

namespace ota::ctl {

// As GET /audit/events shows it, but for the actor: persons are tokens here.
nlohmann::json event_json(const eventstore::RecordedEvent& event);

// All of it: the parser takes a NUL for the end.
bool is_json(std::string_view text);

// Its data alone, in the order in which its fields are declared.
std::string data_text(const domain::Event& event);

// One line, and its end.
std::string line_of(const nlohmann::json& value);

}  // namespace ota::ctl
