// The JSON of an earlier moment: that of the present (render.hpp), without what only the present knows.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "http/render.hpp"
#include "projections/past.hpp"

namespace ota::http {

// {"position", "time"}; the time of the event at that position, null before the first.
nlohmann::json moment(const projections::Past& past);
// Null: it was not there.
nlohmann::json past_firmware(const Renderer& render, const projections::Past& past, domain::FirmwareId id);
// With its `as_of`.
nlohmann::json past_campaign(const Renderer& render, const projections::Past& past, const projections::CampaignRow& row,
                             std::size_t targets_shown = Renderer::kTargetsShown);
nlohmann::json past_device(const Renderer& render, const projections::Past& past, const domain::Device& device);
nlohmann::json past_update(const Renderer& render, const projections::Past& past, const domain::DeviceUpdate& update);

}  // namespace ota::http
