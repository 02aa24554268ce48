#include "http/field_errors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http/limits.hpp"

namespace ota::http {
namespace {

constexpr std::size_t kNamedInMessage = 3;

// ["body", "tags", 3] as "body.tags.3".
std::string dotted(const nlohmann::json& location) {
  std::string text;
  for (const auto& step : location) {
    if (!text.empty()) text += '.';
    text += step.is_string() ? step.get_ref<const std::string&>() : step.dump();
  }
  return text;
}

}  // namespace

void FieldErrors::add(const nlohmann::json& location, std::string message, std::string_view type) {
  if (++count_ > limits::kFieldErrors) return;
  auto entry = nlohmann::json::object();
  entry["loc"] = location;
  entry["msg"] = std::move(message);
  entry["type"] = type;
  entries_.push_back(std::move(entry));
}

std::vector<std::pair<std::string, std::string>> FieldErrors::listed() const {
  std::vector<std::pair<std::string, std::string>> listed;
  for (const auto& entry : entries_) {
    listed.emplace_back(dotted(entry["loc"]), entry["msg"].get<std::string>());
  }
  return listed;
}

Problem FieldErrors::problem() const {
  std::string message =
      count_ == 1 ? std::string("1 invalid field: ") : fmt::format("{} invalid fields: ", count_);
  const std::size_t named = std::min(kNamedInMessage, entries_.size());
  for (std::size_t i = 0; i < named; ++i) {
    if (i > 0) message += "; ";
    message += dotted(entries_[i]["loc"]) + ": " + entries_[i]["msg"].get<std::string>();
  }
  if (count_ > named) message += fmt::format("; and {} more", count_ - named);
  return Problem::validation(std::move(message), entries_);
}

}  // namespace ota::http
