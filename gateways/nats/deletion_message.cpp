#include "gateways/nats/deletion_message.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "domain/ids.hpp"
#include "gateways/nats/limits.hpp"

namespace ota::gateways::nats {
namespace {

using nlohmann::json;

std::string text_or_empty(const json& object, const char* name, std::size_t bytes_max) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  const auto& text = found->get_ref<const std::string&>();
  return text.size() <= bytes_max ? text : std::string();
}

}  // namespace

std::string shown(std::string_view bytes) {
  const bool cut = bytes.size() > limits::kShownBytes;
  auto text = json(bytes.substr(0, limits::kShownBytes))
                  .dump(-1, ' ', false, json::error_handler_t::replace);
  return cut ? text + fmt::format(" ({} bytes in all)", bytes.size()) : text;
}

std::variant<Deletion, Malformed> parse_deletion(std::string_view body, const char* field) {
  const auto told = [is_name = field == std::string_view("user_id")](std::string_view bytes) {
    return is_name ? fmt::format("({} bytes)", bytes.size()) : shown(bytes);
  };
  const auto parsed = json::parse(body, nullptr, false);
  if (parsed.is_discarded()) return Malformed{"not JSON: " + told(body)};
  if (!parsed.is_object()) return Malformed{"not a JSON object: " + told(body)};
  const auto inner = parsed.find("data");
  const bool enveloped = inner != parsed.end() && inner->is_object();
  const auto& data = enveloped ? *inner : parsed;
  const auto id = data.find(field);
  if (id == data.end()) return Malformed{fmt::format("{} is missing: {}", field, told(body))};
  if (!id->is_string()) return Malformed{fmt::format("{} is not a text: {}", field, told(body))};
  Deletion deletion;
  deletion.id = id->get<std::string>();
  if (!domain::is_valid_device_id(deletion.id)) {
    return Malformed{fmt::format("{} {} is not 1-256 characters without control characters", field,
                                 told(deletion.id))};
  }
  deletion.event_id = text_or_empty(parsed, "id", limits::kEventIdBytes);
  if (const auto metadata = parsed.find("metadata");
      metadata != parsed.end() && metadata->is_object()) {
    deletion.correlation = text_or_empty(*metadata, "correlation_id", limits::kCorrelationBytes);
  }
  return deletion;
}

}  // namespace ota::gateways::nats
