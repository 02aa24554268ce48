#include "http/media_type.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "http/text.hpp"

namespace ota::http {
namespace {

constexpr std::string_view kPlain = "application/json";
constexpr std::string_view kHal = "application/hal+json";
constexpr std::string_view kCbor = "application/cbor";

std::string_view without_parameters(std::string_view item) {
  return trim(item.substr(0, item.find(';')));
}

constexpr int kWeightMax = 1'000;

// "0.25" -> 250; what is no weight counts as none.
int weight_in(std::string_view text) {
  if (text.empty() || text.front() != '0') return kWeightMax;
  int weight = 0;
  int unit = kWeightMax / 10;
  for (const char digit : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (digit < '0' || digit > '9') return kWeightMax;
    weight += (digit - '0') * unit;
    unit /= 10;
  }
  return weight;
}

// "text/html;q=0.5" -> 500, in thousandths; 0: named to be refused.
int weight_of(std::string_view item) {
  for (auto at = item.find(';'); at != std::string_view::npos; at = item.find(';')) {
    item.remove_prefix(at + 1);
    const auto parameter = trim(item.substr(0, item.find(';')));
    if (parameter.starts_with("q=") || parameter.starts_with("Q=")) return weight_in(trim(parameter.substr(2)));
  }
  return kWeightMax;
}

// How much each form is wanted: by its name, or by a wildcard, of which the closer one counts.
class Wishes {
 public:
  void add(std::string_view item) {
    const auto type = without_parameters(item);
    const int weight = weight_of(item);
    if (type == "*/*") {
      any_ = std::max(any_.value_or(0), weight);
    } else if (equals_ignoring_case(type, "application/*")) {
      any_application_ = std::max(any_application_.value_or(0), weight);
    } else if (const auto form = form_of(type)) {
      auto& named = named_[index(*form)];
      named = std::max(named.value_or(0), weight);
    }
  }

  // Of several that are wanted alike, a form that is named before others, and then the first in the order of JsonForm but
  // for HAL, which whoever names none gets.
  JsonForm best() const {
    JsonForm best = JsonForm::kNone;
    int most = 0;
    const auto look_at = [&](JsonForm form, std::optional<int> weight) {
      if (weight.value_or(0) <= most) return;
      most = *weight;
      best = form;
    };
    for (const auto form : {JsonForm::kPlain, JsonForm::kHal, JsonForm::kCbor}) look_at(form, named_[index(form)]);
    for (const auto form : {JsonForm::kHal, JsonForm::kPlain, JsonForm::kCbor}) {
      if (!named_[index(form)]) look_at(form, any_application_ ? any_application_ : any_);
    }
    return best;
  }

 private:
  static std::size_t index(JsonForm form) { return static_cast<std::size_t>(form); }
  static std::optional<JsonForm> form_of(std::string_view type) {
    for (const auto form : {JsonForm::kPlain, JsonForm::kHal, JsonForm::kCbor}) {
      if (equals_ignoring_case(type, to_text(form))) return form;
    }
    return std::nullopt;
  }

  std::array<std::optional<int>, 3> named_;
  std::optional<int> any_application_;
  std::optional<int> any_;
};

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
  Wishes wishes;
  for_each_item(accept, [&](std::string_view item) { wishes.add(item); });
  return wishes.best();
}

}  // namespace ota::http
