#include "http/kept_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/text.hpp"

namespace ota::http {
namespace {

using json = nlohmann::ordered_json;         // as it was, to the byte

// hash of the request (32 bytes) | status (2) | length of the ETag (1) | ETag | body.
constexpr std::size_t kStatusAt = sizeof(eventstore::Hash);
constexpr std::size_t kEtagAt = kStatusAt + 3;
// Begins a text that is a person's token, in hexadecimal.
constexpr char kToken = '\x01';
constexpr std::size_t kTokenChars = 16;
constexpr std::string_view kTokenInJson = R"("\u0001)";
// Where answers name persons, and what in them is of somebody else's making.
constexpr std::array<std::string_view, 4> kPersons{"created_by", "approved_by", "user_id", "actor"};
constexpr std::array<std::string_view, 3> kOfOthers{"metadata", "attributes", "target_filters"};

template <class Change>
void change_persons(json& value, const Change& change) {
  if (value.is_array()) {
    for (auto& member : value) change_persons(member, change);
  }
  if (!value.is_object()) return;
  for (auto& [name, member] : value.items()) {
    if (member.is_string() && is_among(kPersons, name)) {
      member = change(member.template get_ref<const std::string&>());
    } else if (!is_among(kOfOthers, name)) {
      change_persons(member, change);
    }
  }
}

// What answers call somebody who has no name (actors/service.cpp).
constexpr std::string_view kErased = "deleted user";
constexpr std::string_view kUnknown = "unknown user";

std::string dumped(const json& body) { return body.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string without_names(const actors::Service& service, const std::string& body) {
  auto parsed = json::parse(body, nullptr, false);
  if (!parsed.is_structured()) return body;
  bool has_names = false;
  change_persons(parsed, [&](const std::string& name) -> json {
    if (name == kErased || name == kUnknown) return json(name);
    has_names = true;
    const auto person = service.known_user(name);
    return person ? json(fmt::format("{}{:016x}", kToken, person->token)) : json(kErased);  // since it was answered
  });
  return has_names ? dumped(parsed) : body;
}

std::string with_names(const actors::Service& service, std::string_view kept) {
  auto parsed = json::parse(kept, nullptr, false);
  if (kept.find(kTokenInJson) == std::string_view::npos || !parsed.is_structured()) return std::string(kept);
  change_persons(parsed, [&](const std::string& text) -> json {
    std::uint64_t token = 0;
    const auto* const end = text.data() + text.size();
    const bool is_token = text.size() == kTokenChars + 1 && text.front() == kToken &&
                          std::from_chars(text.data() + 1, end, token, 16).ptr == end;
    const auto person = is_token ? service.person_of({token}) : std::nullopt;
    return person ? json(*person) : json(text);
  });
  return dumped(parsed);
}

}  // namespace

Problem key_reused() {
  return Problem::invalid_field({"header", "Idempotency-Key"}, "the key was used for another request within 24 hours",
                                "idempotency_key_reused");
}

std::string to_keep(const actors::Service& service, const eventstore::Hash& request, const httplib::Response& response) {
  const auto etag = response.get_header_value("ETag").substr(0, UINT8_MAX);
  std::string kept(domain::view_of(request));
  kept.push_back(static_cast<char>(response.status >> 8));
  kept.push_back(static_cast<char>(response.status & 0xff));
  kept.push_back(static_cast<char>(etag.size()));
  return kept + etag + without_names(service, response.body);
}

bool answer_as_kept(RequestContext& context, const actors::Service& service, std::string_view kept, const eventstore::Hash& request) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(kept[at]); };
  if (kept.size() < kEtagAt || kept.size() < kEtagAt + byte(kEtagAt - 1)) return false;
  if (!kept.starts_with(domain::view_of(request))) {
    context.answer(key_reused());
    return true;
  }
  const auto etag = kept.substr(kEtagAt, byte(kEtagAt - 1));
  if (!etag.empty()) context.set_header("ETag", etag);
  context.answer_json(byte(kStatusAt) << 8 | byte(kStatusAt + 1), with_names(service, kept.substr(kEtagAt + etag.size())));
  return true;
}

}  // namespace ota::http
