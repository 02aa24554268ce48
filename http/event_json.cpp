#include "http/event_json.hpp"

#include <string>
#include <utility>

#include "domain/codec/codec.hpp"
#include "http/time_format.hpp"

namespace ota::http {

using nlohmann::json;

json event_json(const Api& api, const eventstore::RecordedEvent& e) {
  json tags = json::array();
  for (const auto tag : e.tags) tags.push_back(domain::readable_name(tag));
  const auto decoded = domain::decode(e.type, e.payload);
  json actor = nullptr;
  if (const auto person = api.service.person_of(projections::to_domain(e.caller))) actor = *person;
  json correlation = nullptr;
  if (!e.correlation.empty()) {
    correlation = std::string(e.correlation);
  } else if (e.command) {
    correlation = domain::to_hex(domain::view_of(e.command->bytes));
  }
  return {{"position", e.position.value},
          {"time", format_time(e.time)},
          {"type", domain::event_name(e.type)},
          {"stream", domain::readable_name(e.stream)},
          {"tags", std::move(tags)},
          {"actor", std::move(actor)},
          {"correlation_id", std::move(correlation)},
          {"causation", e.causation.value == 0 ? json(nullptr) : json(e.causation.value)},
          {"data", decoded ? json::parse(domain::to_json_text(*decoded), nullptr, false) : json(nullptr)}};
}

}  // namespace ota::http
