#include "http/story_crowd.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "http/render_parts.hpp"

namespace ota::http {
namespace {

constexpr std::size_t kErrorsNamed = 5;  // error codes of a line

// The most frequent ones.
std::string codes_text(const std::map<std::string, std::uint64_t>& codes) {
  std::vector<std::pair<std::uint64_t, std::string>> sorted;
  for (const auto& [code, count] : codes) sorted.emplace_back(count, code);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> named;
  for (std::size_t i = 0; i < std::min(sorted.size(), kErrorsNamed); ++i) {
    named.push_back(fmt::format("{}: {}", sorted[i].second, sorted[i].first));
  }
  if (sorted.size() > kErrorsNamed) named.push_back("others");
  return fmt::format("{}", fmt::join(named, ", "));
}

}  // namespace

void Crowd::Fates::add(const domain::Event& event) {
  if (std::holds_alternative<domain::AttemptGranted>(event)) {
    ++granted;
  } else if (const auto* ended = std::get_if<domain::AttemptEnded>(&event)) {
    ++(ended->success ? succeeded : ended->retry_at ? failed_for_now : failed);
    if (!ended->success) ++codes[ended->error_code.empty() ? std::string("no code") : ended->error_code];
  } else if (std::holds_alternative<domain::UpdateCancelled>(event)) {
    ++cancelled;
  } else if (std::holds_alternative<domain::UpdateSkipped>(event)) {
    ++skipped;
  } else if (std::holds_alternative<domain::GrantLapsed>(event)) {
    ++lapsed;
  } else if (std::holds_alternative<domain::UpdateHeld>(event)) {
    ++held;
  } else if (std::holds_alternative<domain::UpdateUndone>(event)) {
    ++undone;
  } else if (std::holds_alternative<domain::UpdateRefuted>(event)) {
    ++refuted;
  }
}

std::vector<std::string> Crowd::Fates::parts(bool are_rollbacks) const {
  std::vector<std::string> parts;
  const auto add = [&](std::uint64_t count, std::string_view what, std::string_view did) {
    if (count > 0) parts.push_back(fmt::format("{} {}{} {}", count, are_rollbacks ? "rollback" : what, count == 1 ? "" : "s", did));
  };
  add(granted, "attempt", "granted");
  add(succeeded, "device", "succeeded");
  add(failed_for_now, "attempt", "failed, to be tried again");
  add(failed, "device", "failed");
  if (!codes.empty()) parts.back() += " (" + codes_text(codes) + ")";  // of all that failed
  add(held, "device", "held");
  add(lapsed, "grant", "lapsed");
  add(skipped, "device", "left out");
  add(cancelled, "device", "cancelled");
  add(refuted, "device", "refuted");
  add(undone, "device", "taken back");
  return parts;
}

void Crowd::add(const domain::Recorded& event) {
  if (!last_) begin_ = event.time;
  last_ = event;
  const auto* id = std::get_if<domain::UpdateId>(&event.stream);
  const bool is_rollback = id && id->of_campaign && id->kind != domain::UpdateId::kDeployment;
  (is_rollback ? rollbacks_ : deployments_).add(event.event);
}

std::optional<nlohmann::json> Crowd::take() {
  const Crowd told = std::exchange(*this, Crowd());
  auto parts = told.deployments_.parts(false);
  for (auto& part : told.rollbacks_.parts(true)) parts.push_back(std::move(part));
  if (parts.empty()) return std::nullopt;
  return nlohmann::json{{"position", told.last_->position.value}, {"time", json_of::when(told.begin_)},
                        {"until", json_of::when(told.last_->time)}, {"type", nullptr},
                        {"text", fmt::format("{}", fmt::join(parts, ", "))}};
}

}  // namespace ota::http
