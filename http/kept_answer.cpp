#include "http/kept_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace ota::http {
namespace {

using nlohmann::json;

// hash of the request (32 bytes) | status (2) | length of the ETag (1) | ETag | body.
constexpr std::size_t kStatusAt = sizeof(eventstore::Hash);
constexpr std::size_t kEtagAt = kStatusAt + 3;
// Begins a text that is a person's token, in hexadecimal; in no answer of ours is such a character.
constexpr char kToken = '\x01';
constexpr std::string_view kTokenInJson = R"("\u0001)";

template <class Change>
void change_texts(json& value, const Change& change) {
  if (value.is_string()) {
    if (auto other = change(value.get_ref<const std::string&>())) value = std::move(*other);
  } else if (value.is_structured()) {
    for (auto& member : value) change_texts(member, change);
  }
}

std::string dumped(const json& body) { return body.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string without_names(const actors::Service& service, const std::string& body) {
  auto parsed = json::parse(body, nullptr, false);
  if (!parsed.is_structured()) return body;
  bool has_names = false;
  change_texts(parsed, [&](const std::string& text) -> std::optional<std::string> {
    const auto person = text.empty() ? std::nullopt : service.known_user(text);
    if (!person) return std::nullopt;
    has_names = true;
    return fmt::format("{}{:016x}", kToken, person->token);
  });
  return has_names ? dumped(parsed) : body;
}

std::string with_names(const actors::Service& service, std::string_view kept) {
  if (kept.find(kTokenInJson) == std::string_view::npos) return std::string(kept);
  auto parsed = json::parse(kept, nullptr, false);
  change_texts(parsed, [&](const std::string& text) -> std::optional<std::string> {
    if (!text.starts_with(kToken)) return std::nullopt;
    return service.person_of({std::stoull(text.substr(1), nullptr, 16)});
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
