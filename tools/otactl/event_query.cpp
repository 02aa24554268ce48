#include "tools/otactl/event_query.hpp"

#include <fmt/format.h>

#include "tools/otactl/human.hpp"

namespace ota::ctl {

using nlohmann::json;

Query EventQuery::filters() const {
  return {{"stream", stream}, {"campaign_id", campaign}, {"device_id", device},
          {"update_id", update}, {"type", type}, {"actor", actor}};
}

std::string event_line(const json& event) {
  const auto or_dash = [&](const char* name) {
    return event.contains(name) && event[name].is_string() ? text::printable(event[name].get<std::string>()) : std::string("-");
  };
  std::string why;
  if (or_dash("correlation_id") != "-") why += " request=" + or_dash("correlation_id");
  if (event.contains("causation") && event["causation"].is_number()) why += fmt::format(" after={}", event["causation"].get<std::uint64_t>());
  return fmt::format("{:>9} {} {:<28} {:<16} {} {}{}\n", event.at("position").get<std::uint64_t>(),
                     text::human_time(event.at("time").get<std::string>()), or_dash("type"), or_dash("actor"), or_dash("stream"),
                     text::printable(event.at("data").dump(-1, ' ', false, json::error_handler_t::replace)), why);
}

std::uint64_t head_of_log(ServiceClient& client) {
  return expect_json(client.get("/audit/events?limit=1")).at("head").get<std::uint64_t>();
}

}  // namespace ota::ctl
