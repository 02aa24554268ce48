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
  if (auto why = why_not_in_paths(*user); !why.empty()) body.fail("user_id", std::move(why), "string_pattern_mismatch");
  request.person = std::move(*user);
}

// What `name` says must not be said otherwise beside it, nor taken away.
bool is_said_otherwise(const FieldPlace& place, const std::string& name, const json& value,
                       const domain::ChangeAttributes& change) {
  const auto beside = change.values.find(name);
  if (beside == change.values.end() || value == beside->second) return false;
  place.fail(fmt::format("is {}, but \"{}\" beside the attributes is '{}'", shown(value.dump()), name, shown(beside->second)),
             "value_error");
  return true;
}

void read_attribute(const FieldPlace& attributes, const std::string& name, const json& value,
                    domain::ChangeAttributes& change) {
  constexpr auto kBytes = domain::limits::kAttributeBytes;
  const auto* text = value.get_ptr<const std::string*>();
  const auto is_plain = [](const std::string& s) { return s.size() <= kBytes && is_printable_ascii(s); };
  // Most are, and need no place for errors.
  if (text && is_plain(*text) && is_plain(name) && name.find_first_not_of(' ') != std::string::npos &&
      change.values.try_emplace(name, *text).second) {
    return;
  }
  if (!check_attribute_name(attributes, name)) return;
  FieldPlace place = attributes;
  place.location.push_back(name);
  if (is_said_otherwise(place, name, value, change)) return;
  if (value.is_null()) {
    change.removed.push_back(name);
  } else if (!text) {
    place.fail(fmt::format("must be a string of at most {} bytes, got {}", kBytes, shown(value.dump())), "string_type");
  } else if (check_bytes(place, *text, kBytes)) {
    change.values[name] = *text;
  }
}

void read_attributes(JsonReader& body, FieldErrors& errors, domain::ChangeAttributes& change) {
  const auto* attributes = body.object("attributes");
  if (!attributes) return;
  const FieldPlace place{errors, body.location("attributes")};
  for (const auto& [name, value] : attributes->items()) read_attribute(place, name, value, change);
}

}  // namespace

DeviceRequest read_device(json& value, JsonReader& body, FieldErrors& errors) {
  DeviceRequest request;
  auto& change = request.change;
  for (const auto name : kDeviceTexts) {
    if (auto text = body.string(name, {1, domain::limits::kAttributeBytes})) {
      change.values[std::string(name)] = std::move(*text);
    }
  }
  change.groups = body.strings("groups", kDeviceGroups, {1, kDeviceGroupChars});
  read_owner(value, body, request);
  read_attributes(body, errors, change);
  if (change.values.size() > domain::limits::kDeviceAttributes) {
    body.fail("attributes",
              fmt::format("a device has at most {} attributes, got {}", domain::limits::kDeviceAttributes,
                          change.values.size()),
              "too_long");
  }
  return request;
}

bool check_attribute_name(const FieldPlace& place, std::string_view name) {
  constexpr auto kBytes = domain::limits::kAttributeBytes;
  const bool is_blank = name.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (!is_blank && name.size() <= kBytes && count_characters(name) && !has_control_character(name)) return true;
  place.fail(fmt::format("an attribute's name must be text of 1-{} bytes, not blank and without control characters; got {} in '{}'",
                         kBytes, name.size(), shown(name)),
             name.size() > kBytes ? "string_too_long" : "string_pattern_mismatch");
  return false;
}

std::string why_not_in_paths(std::string_view id) {
  if (id == "." || id == "..") return fmt::format("'{}' cannot be an id: clients take it out of paths", id);
  return has_control_character(id) ? fmt::format("holds a control character: '{}'", shown(id)) : std::string();
}

bool check_device_id(const FieldPlace& place, std::string_view id) {
  if (domain::is_valid_device_id(id)) return true;
  if (!check_length(place, id, {1, limits::kPathParameterChars})) return false;
  place.fail(why_not_in_paths(id), "string_pattern_mismatch");
  return false;
}

}  // namespace ota::http
