#include "http/event_json.hpp"

#include <string>
#include <utility>

#include "domain/codec/codec.hpp"
#include "domain/codec/readable.hpp"
#include "http/time_format.hpp"

namespace ota::http {

using nlohmann::json;

namespace {

// Domain values as JSON, with persons by their names.
struct Shown {
  const Api& api;
  bool& names_somebody;

  json operator()(bool yes) const { return yes; }
  json operator()(std::int64_t n) const { return n; }
  json operator()(std::uint64_t n) const { return n; }
  json operator()(double n) const { return n; }
  json operator()(const std::string& text) const { return text; }
  json operator()(const domain::JsonText& given) const {
    if (given.text.find('\0') != given.text.npos) return given.text;  // the parser takes it for the end
    auto parsed = json::parse(given.text, nullptr, false);
    return parsed.is_discarded() ? json(given.text) : parsed;
  }
  json operator()(domain::Caller person) const {
    const auto name = api.service.person_of(person);
    names_somebody = names_somebody || name.has_value();
    return name ? json(*name) : json(nullptr);
  }
  json operator()(const domain::ReadableList& list) const {
    json shown = json::array();
    for (const auto& value : list) shown.push_back(std::visit(*this, value.value));
    return shown;
  }
  json operator()(const domain::ReadableFields& fields) const {
    json shown = json::object();
    for (const auto& [name, value] : fields) shown[name] = std::visit(*this, value.value);
    return shown;
  }
};

}  // namespace

json event_json(const Api& api, const eventstore::RecordedEvent& event) { return show_event(api, event).shown; }

ShownEvent show_event(const Api& api, const eventstore::RecordedEvent& e) {
  ShownEvent made;
  const Shown show{api, made.names_somebody};
  json tags = json::array();
  for (const auto tag : e.tags) tags.push_back(domain::readable_name(tag));
  const auto decoded = domain::decode(e.type, e.payload);
  json actor = show(projections::to_domain(e.caller));
  json correlation = nullptr;
  if (!e.correlation.empty()) {
    correlation = std::string(e.correlation);
  } else if (e.command) {
    correlation = domain::to_hex(domain::view_of(e.command->bytes));
  }
  made.shown = {{"position", e.position.value},
                 {"time", format_time(e.time)},
                 {"type", domain::event_name(e.type)},
                 {"stream", domain::readable_name(e.stream)},
                 {"tags", std::move(tags)},
                 {"actor", std::move(actor)},
                 {"correlation_id", std::move(correlation)},
                 {"causation", e.causation.value == 0 ? json(nullptr) : json(e.causation.value)},
                 {"data", decoded ? show(domain::readable(*decoded)) : json(nullptr)}};
  return made;
}

}  // namespace ota::http
