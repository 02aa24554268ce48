#include "http/render_past.hpp"

#include <nlohmann/json.hpp>

#include "http/render_parts.hpp"

namespace ota::http {

using nlohmann::json;

json moment(const projections::Past& past) {
  return {{"position", past.at().value}, {"time", json_of::when(past.time())}};
}

json past_firmware(const Renderer& render, const projections::Past& past, domain::FirmwareId id) {
  const auto then = past.firmware(id);
  if (!then || !then->exists) return nullptr;
  auto shown = render.firmware({*then});
  for (const auto* name : {"download_count", "success_rate"}) shown[name] = nullptr;
  if (!domain::is_to_fetch(*then)) return shown;
  shown["content_received"] = nullptr;  // how far it is, is known of now alone
  shown["content_error"] = json_of::text_or_null(then->content_error);
  return shown;
}

json past_campaign(const Renderer& render, const projections::Past& past, const projections::CampaignRow& row,
                   std::size_t targets_shown) {
  auto shown = render.campaign(row, targets_shown);
  shown["firmware"] = past_firmware(render, past, row.record.firmware);
  shown["as_of"] = moment(past);
  return shown;
}

json past_device(const Renderer& render, const projections::Past& past, const domain::Device& device) {
  auto shown = render.device(device);
  for (const auto* name : {"last_seen", "address", "last_seen_since"}) shown[name] = nullptr;
  shown["as_of"] = moment(past);
  return shown;
}

json past_update(const Renderer& render, const projections::Past& past, const domain::DeviceUpdate& update) {
  const auto campaign = update.id.campaign();
  const auto row = campaign ? past.campaign(*campaign) : std::nullopt;
  auto shown = render.update(update);
  shown["firmware"] = past_firmware(render, past, update.plan.firmware);
  if (!campaign) return shown;
  shown["scheduled_at"] = row ? json_of::when(row->started_at) : json(nullptr);
  shown["campaign_progress_percentage"] =
      row ? json(json_of::percent(row->completed + row->failed + row->cancelled, row->total)) : json(nullptr);
  return shown;
}

}  // namespace ota::http
