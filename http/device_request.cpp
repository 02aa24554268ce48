#include "http/device_request.hpp"

#include <fmt/format.h>

#include "domain/limits.hpp"
#include "http/json_reader.hpp"
#include "http/limits.hpp"
#include "http/text.hpp"

namespace ota::http {
namespace {

using nlohmann::json;

// A person's id, as it is shown: the log gets a token. Null: nobody's any more.
void read_owner(const json& value, JsonReader& body, DeviceRequest& request) {
  if (value.is_object() && value.contains("user_id") && value["user_id"].is_null()) {
    request.change.owner = domain::Caller{};
    return;
  }
  auto user = body.string("user_id", {1, limits::kUserIdBytes});
  if (!user) return;
  if (user->size() > limits::kUserIdBytes) {
    body.fail("user_id", fmt::format("must have at most {} bytes, got {}", limits::kUserIdBytes, user->size()),
              "string_too_long");
  }
  request.person = std::move(*user);
}

void read_attributes(JsonReader& body, domain::ChangeAttributes& change) {
  constexpr auto kBytes = domain::limits::kAttributeBytes;
  const auto* attributes = body.object("attributes");
  if (!attributes) return;
  for (const auto& [key, text] : attributes->items()) {
    if (key.empty() || key.size() > kBytes) {
      body.fail("attributes", fmt::format("the name \"{}\" is not 1-{} bytes long", shown(key), kBytes), "string_too_long");
    } else if (text.is_null()) {
      change.removed.push_back(key);
    } else if (!text.is_string() || text.get_ref<const std::string&>().size() > kBytes) {
      body.fail("attributes", fmt::format("\"{}\" is {}, not a text of at most {} bytes", shown(key), shown(text.dump()),
                                          kBytes), "string_type");
    } else {
      change.values[key] = text.get<std::string>();
    }
  }
}

}  // namespace

DeviceRequest read_device(json& value, JsonReader& body) {
  DeviceRequest request;
  auto& change = request.change;
  for (const auto name : kDeviceTexts) {
    if (auto text = body.string(name, {1, domain::limits::kAttributeBytes})) {
      change.values[std::string(name)] = std::move(*text);
    }
  }
  change.groups = body.strings("groups", kDeviceGroups, {1, kDeviceGroupChars});
  read_owner(value, body, request);
  read_attributes(body, change);
  if (change.values.size() > domain::limits::kDeviceAttributes) {
    body.fail("attributes",
              fmt::format("a device has at most {} attributes, got {}", domain::limits::kDeviceAttributes,
                          change.values.size()),
              "too_long");
  }
  return request;
}

bool check_device_id(const FieldPlace& place, std::string_view id) {
  if (domain::is_valid_device_id(id)) return true;
  if (check_length(place, id, {1, limits::kPathParameterChars})) {
    place.fail(fmt::format("holds a control character: '{}'", shown(id)), "string_pattern_mismatch");
  }
  return false;
}

}  // namespace ota::http
