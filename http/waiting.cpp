#include "http/waiting.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace ota::http {
namespace {

using nlohmann::json;
using Answers = domain::Result<std::vector<actors::Service::Why>>;

bool waits(const domain::DeviceUpdate& update) {
  return update.status == domain::UpdateStatus::kScheduled || update.status == domain::UpdateStatus::kCreated;
}

// The first closed gate; null: none is, or nobody could say.
json gate_of(Api& api, const domain::DeviceUpdate& update, const Answers& answers) {
  if (!waits(update)) return nullptr;
  if (!answers) {  // an id that was only reserved: whatever else there is, it must come by first
    return api.service.views().device(update.device) ? json(nullptr) : json(domain::to_text(domain::Gate::kKnown));
  }
  const auto& all = answers.value();
  const auto why = std::find_if(all.begin(), all.end(), [&](const auto& w) { return w.update == update.id; });
  if (why == all.end()) return nullptr;
  const auto closed = std::find_if(why->gates.begin(), why->gates.end(), [](const auto& gate) { return !gate.open; });
  return closed == why->gates.end() ? json(nullptr) : json(domain::to_text(closed->gate));
}

json with_gate(Api& api, const domain::DeviceUpdate& update, const Answers& answers) {
  auto shown = api.render.update(update);
  shown["waiting_for"] = gate_of(api, update, answers);
  return shown;
}

}  // namespace

json shown_update(Api& api, const domain::DeviceUpdate& update) {
  if (!waits(update)) return api.render.update(update);
  if (!update.id.of_campaign) return with_gate(api, update, api.service.why_of_own(update.device));
  return with_gate(api, update, api.service.why(update.device, update.id.campaign()));
}

json shown_history(Api& api, const domain::DeviceId& device, const std::vector<domain::DeviceUpdate>& page) {
  const bool ask = std::any_of(page.begin(), page.end(), [](const auto& u) { return waits(u) && u.id.of_campaign; });
  const Answers answers = ask ? api.service.why(device, std::nullopt) : Answers(api.service.why_of_own(device));
  json rows = json::array();
  for (const auto& update : page) rows.push_back(with_gate(api, update, answers));
  return rows;
}

}  // namespace ota::http
