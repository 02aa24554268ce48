#include "tools/otactl/event_line.hpp"

#include "domain/codec/codec.hpp"
#include "domain/codec/readable.hpp"
#include "domain/streams.hpp"
#include "tools/otactl/log_directory.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

std::string hex_of_bytes(const auto& bytes) { return domain::to_hex(domain::view_of(bytes)); }

}  // namespace

bool is_json(std::string_view text) { return text.find('\0') == text.npos && json::accept(text); }

std::string data_text(const domain::Event& event) { return domain::to_json_text(event, is_json); }

nlohmann::json event_json(const eventstore::RecordedEvent& event) {
  json tags = json::array();
  for (const auto tag : event.tags) tags.push_back(domain::readable_name(tag));
  const auto decoded = domain::decode(event.type, event.payload);
  json shown{{"position", event.position.value},
             {"time", time_text(event.time)},
             {"type", domain::event_name(event.type)},
             {"stream", domain::readable_name(event.stream)},
             {"tags", std::move(tags)},
             {"actor_token", event.caller.empty() ? json(nullptr) : json(hex_of_bytes(event.caller.bytes))},
             {"correlation_id", event.correlation.empty() ? json(nullptr) : json(std::string(event.correlation))},
             {"causation", event.causation.value == 0 ? json(nullptr) : json(event.causation.value)},
             {"data", decoded ? json::parse(data_text(*decoded), nullptr, false) : json(nullptr)}};
  if (event.correlation.empty() && event.command) shown["correlation_id"] = hex_of_bytes(event.command->bytes);
  return shown;
}

std::string line_of(const nlohmann::json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

}  // namespace ota::ctl
