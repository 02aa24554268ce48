#include "http/media_type.hpp"

#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr std::string_view kPlain = "application/json";
constexpr std::string_view kHal = "application/hal+json";
constexpr std::string_view kCbor = "application/cbor";

std::string_view without_parameters(std::string_view item) {
  return trim(item.substr(0, item.find(';')));
}

// "text/html;q=0": named to be refused.
bool is_refused(std::string_view item) {
  for (auto at = item.find(';'); at != std::string_view::npos; at = item.find(';')) {
    item.remove_prefix(at + 1);
    const auto parameter = trim(item.substr(0, item.find(';')));
    const bool weight = parameter.starts_with("q=") || parameter.starts_with("Q=");
    if (weight && parameter.find_first_not_of("0.", 2) == std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

bool is_json(std::string_view content_type) {
  const auto type = without_parameters(content_type);
  return equals_ignoring_case(type, kPlain) || equals_ignoring_case(type, kHal);
}

bool is_cbor(std::string_view content_type) {
  return equals_ignoring_case(without_parameters(content_type), kCbor);
}

std::string_view to_text(JsonForm form) {
  return form == JsonForm::kPlain ? kPlain : form == JsonForm::kCbor ? kCbor : kHal;
}

JsonForm json_form(std::string_view accept) {
  if (trim(accept).empty()) return JsonForm::kHal;
  bool plain = false;
  bool cbor = false;
  bool any = false;
  for_each_item(accept, [&](std::string_view item) {
    if (is_refused(item)) return;
    const auto type = without_parameters(item);
    if (equals_ignoring_case(type, kPlain)) plain = true;
    if (equals_ignoring_case(type, kCbor)) cbor = true;
    if (type == "*/*" || equals_ignoring_case(type, "application/*") ||
        equals_ignoring_case(type, kHal)) {
      any = true;
    }
  });
  if (plain) return JsonForm::kPlain;
  if (any) return JsonForm::kHal;
  return cbor ? JsonForm::kCbor : JsonForm::kNone;
}

}  // namespace ota::http
