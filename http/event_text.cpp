#include "http/event_text.hpp"

#include <nlohmann/json.hpp>

#include "domain/streams.hpp"
#include "http/event_json.hpp"
#include "projections/decoded.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

void append_field(std::string& line, std::string_view field) {
  if (!line.empty()) line += ',';
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    line += field;
    return;
  }
  line += '"';
  for (const char c : field) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

// The campaign of an event: its stream, or that of its update.
std::string campaign_of(const eventstore::RecordedEvent& event) {
  const auto stream = domain::parse_stream(event.stream);
  if (!stream) return {};
  if (const auto* campaign = std::get_if<domain::CampaignId>(&*stream)) return domain::to_text(*campaign);
  const auto* update = std::get_if<domain::UpdateId>(&*stream);
  const auto campaign = update ? update->campaign() : std::nullopt;
  return campaign ? domain::to_text(*campaign) : std::string();
}

std::string csv_line(const Api& api, const eventstore::RecordedEvent& event) {
  const auto shown = event_json(api, event);
  const auto text = [&](const char* name) {
    const auto& value = shown[name];
    return value.is_null() ? std::string() : value.is_string() ? value.get<std::string>() : dumped(value);
  };
  const auto device = projections::decode(event).device;
  std::string line = text("position");
  for (const auto* name : {"time", "type", "stream"}) append_field(line, text(name));
  append_field(line, device ? device->value : "");
  append_field(line, campaign_of(event));
  for (const auto* name : {"actor", "correlation_id", "causation", "data"}) append_field(line, text(name));
  return line + "\r\n";
}

}  // namespace

std::optional<EventFormat> parse_event_format(std::string_view word) {
  if (word == "json") return EventFormat::kJson;
  if (word == "jsonl") return EventFormat::kJsonLines;
  if (word == "csv") return EventFormat::kCsv;
  return std::nullopt;
}

std::string_view content_type_of(EventFormat format) {
  switch (format) {
    case EventFormat::kJsonLines: return "application/x-ndjson";
    case EventFormat::kCsv: return "text/csv; charset=utf-8; header=present";
    case EventFormat::kJson: break;
  }
  return "application/json";
}

std::string_view extension_of(EventFormat format) {
  switch (format) {
    case EventFormat::kJsonLines: return "jsonl";
    case EventFormat::kCsv: return "csv";
    case EventFormat::kJson: break;
  }
  return "json";
}

std::string_view first_line(EventFormat format) {
  if (format != EventFormat::kCsv) return {};
  return "position,time,type,stream,device_id,campaign_id,actor,correlation_id,causation,data\r\n";
}

std::string line_of(const Api& api, const eventstore::RecordedEvent& event, EventFormat format) {
  return format == EventFormat::kCsv ? csv_line(api, event) : dumped(event_json(api, event)) + "\n";
}

}  // namespace ota::http
