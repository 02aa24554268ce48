// Which events somebody asks the service for, and how one is printed.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tools/otactl/service_client.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {

struct EventQuery {
  std::string stream, campaign, device, update, type, actor;
  std::optional<std::uint64_t> after;   // a position; absent: from the first event, or from now on

  // As GET /audit/events and GET /events/stream call them.
  Query filters() const;
};

// "   17 2026-01-31 12:00:00Z campaign.paused ada campaign:camp_... {"reason":"lunch"} request=6f3a.. after=16", and its end: last
// the request that asked for it, and the event that led to it, if any did.
std::string event_line(const nlohmann::json& event);

// The position of the newest event.
std::uint64_t head_of_log(ServiceClient& client);

}  // namespace ota::ctl
