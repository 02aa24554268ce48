// Rollbacks, and the answer to "why is this device not updated?" (spec/api.md section 5).
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/render.hpp"
#include "http/render_parts.hpp"

namespace ota::http {
namespace {

using nlohmann::json;
using namespace json_of;

// A rollback has three ends and one way; the update behind it has more.
const char* status_of(const domain::DeviceUpdate& u) {
  switch (u.status) {
    case domain::UpdateStatus::kCompleted:
    case domain::UpdateStatus::kRollback:
      return "completed";
    case domain::UpdateStatus::kFailed:
    case domain::UpdateStatus::kCancelled:
      return "failed";
    default:
      return "in_progress";
  }
}

// The campaign that it belongs to, or whose update it undoes.
std::optional<domain::CampaignId> campaign_of(const domain::DeviceUpdate& u) {
  if (const auto campaign = u.id.campaign()) return campaign;
  return u.plan.rollback && u.plan.rollback->undoes ? u.plan.rollback->undoes->campaign() : std::nullopt;
}

}  // namespace

json Renderer::rollback(const domain::DeviceUpdate& u) const {
  const auto of = u.plan.rollback.value_or(domain::RollbackOf{});
  const auto campaign = campaign_of(u);
  const std::string status = status_of(u);
  return {{"rollback_id", domain::to_rollback_text(u.id)},
          {"update_id", domain::to_text(u.id)},
          {"campaign_id", campaign ? json(domain::to_text(*campaign)) : json(nullptr)},
          {"device_id", u.device.value},
          {"trigger", domain::to_text(of.trigger)},
          {"reason", of.reason},
          {"from_version", text_or_null(u.plan.from_version)},
          {"to_version", text_or_null(u.plan.to_version)},
          {"status", status},
          {"started_at", format_time(u.created_at)},
          {"completed_at", when(u.completed_at)},
          {"success", status == "in_progress" ? json(nullptr) : json(status == "completed")},
          {"error_code", text_or_null(u.error_code)},
          {"error_message", text_or_null(u.error_message)},
          {"undoes_update_id", of.undoes ? json(domain::to_text(*of.undoes)) : json(nullptr)},
          {"update_status", domain::to_text(u.status)},
          {"progress_percentage", u.progress_basis_points / 100.0},
          {"attempt", u.attempt},
          {"updated_at", format_time(u.updated_at)},
          {"revision", u.revision}};
}

json Renderer::why(const actors::Service::Why& why) const {
  json gates = json::array();
  for (const auto& gate : why.gates) {
    gates.push_back({{"gate", domain::to_text(gate.gate)}, {"open", gate.open}, {"fact", gate.fact}, {"until", when(gate.until)}});
  }
  const auto closed = std::find_if(why.gates.begin(), why.gates.end(), [](const auto& gate) { return !gate.open; });
  const bool open = closed == why.gates.end();
  std::string sentence = "Every gate is open: the device is granted when it asks next.";
  if (!open && closed->gate == domain::Gate::kTargeted) {  // nothing is waited for: it is on its way, or over
    sentence = closed->fact + ".";
    sentence.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(sentence.front())));
  } else if (!open) {
    sentence = fmt::format("It waits at the gate {}: {}{}.", domain::to_text(closed->gate), closed->fact,
                           closed->until ? fmt::format(", until {}", format_time(*closed->until)) : "");
  }
  return {{"campaign_id", why.campaign ? json(domain::to_text(*why.campaign)) : json(nullptr)},
          {"update_id", domain::to_text(why.update)},
          {"waiting_for", open ? json(nullptr) : json(domain::to_text(closed->gate))},
          {"sentence", std::move(sentence)},
          {"gates", std::move(gates)}};
}

}  // namespace ota::http
