// otactl audit events: the log as it is asked for, on the terminal or into a file.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "tools/otactl/failure.hpp"
#include "tools/otactl/human.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

constexpr std::uint64_t kPage = 5'000;  // what the service gives at once

struct EventRequest {
  std::string stream, campaign, device, update, type, actor, from, to;
  std::string format = "text";
  std::uint64_t after = 0;
  std::uint64_t limit = UINT64_MAX;
};

std::string path_of(const EventRequest& r, std::uint64_t after, std::uint64_t limit, std::string_view format) {
  return with_query("/audit/events", {{"stream", r.stream},
                                      {"campaign_id", r.campaign},
                                      {"device_id", r.device},
                                      {"update_id", r.update},
                                      {"type", r.type},
                                      {"actor", r.actor},
                                      {"from", r.from},
                                      {"to", r.to},
                                      {"after", std::to_string(after)},
                                      {"limit", std::to_string(std::min(limit, kPage))},
                                      {"format", std::string(format)}});
}

std::string event_line(const json& event) {
  const auto or_dash = [&](const char* name) { return event[name].is_string() ? text::printable(event[name].get<std::string>()) : "-"; };
  return fmt::format("{:>9} {} {:<28} {:<16} {} {}\n", event.at("position").get<std::uint64_t>(),
                     text::human_time(event.at("time").get<std::string>()), or_dash("type"), or_dash("actor"), or_dash("stream"),
                     text::printable(event.at("data").dump(-1, ' ', false, json::error_handler_t::replace)));
}

int print_events(ServiceClient& client, const EventRequest& request) {
  std::uint64_t after = request.after;
  std::uint64_t left = request.limit;
  for (bool more = true; more && left > 0;) {
    const auto page = expect_json(client.get(path_of(request, after, left, "json")));
    for (const auto& event : page.at("events")) fmt::print("{}", event_line(event));
    left -= page.at("events").size();
    after = page.at("next_after").get<std::uint64_t>();
    more = page.at("more").get<bool>();
  }
  return 0;
}

// Page behind page, so that a file of any length needs little memory and a connection that breaks costs a page.
int write_events(ServiceClient& client, const EventRequest& request) {
  const bool has_heading = request.format == "csv";
  std::uint64_t after = request.after;
  std::uint64_t left = request.limit;
  for (bool first = true; left > 0; first = false) {
    const auto reply = client.get(path_of(request, after, left, request.format));
    if (!reply.ok()) expect_json(reply);
    std::string_view lines = reply.body;
    const auto heading = has_heading ? lines.find('\n') + 1 : 0;
    const auto of_events = lines.substr(heading);
    if (first && of_events.empty()) fmt::print("{}", lines);
    if (of_events.empty()) break;
    fmt::print("{}", first ? lines : of_events);
    left -= static_cast<std::uint64_t>(std::count(of_events.begin(), of_events.end(), '\n'));
    after = last_position(of_events);
  }
  return std::fflush(stdout) == 0 ? 0 : kExitFailed;
}

}  // namespace

std::uint64_t last_position(std::string_view lines) {
  const auto whole = lines.substr(0, lines.find_last_not_of("\r\n") + 1);
  const auto begin = whole.rfind('\n');
  const auto line = begin == std::string_view::npos ? whole : whole.substr(begin + 1);
  if (line.starts_with('{')) return json::parse(line).at("position").get<std::uint64_t>();
  return std::stoull(std::string(line.substr(0, line.find(','))));
}

void add_audit_events(CLI::App& audit, Session& session) {
  CLI::App* command = add_command(audit, "events", "What happened: who, when, why and what, in the order of the log");
  const auto request = std::make_shared<EventRequest>();
  command->add_option("--campaign", request->campaign, "Of this campaign");
  command->add_option("--device", request->device, "Of this device");
  command->add_option("--update", request->update, "Of this update");
  command->add_option("--stream", request->stream, "Of this stream alone: campaign:ID, device:ID, audit, service, ...");
  command->add_option("--type", request->type, "Of this type: campaign.paused, update.granted, ...");
  command->add_option("--actor", request->actor, "That this person caused");
  command->add_option("--from", request->from, "At this time or later (RFC 3339)");
  command->add_option("--to", request->to, "Before this time");
  command->add_option("--after", request->after, "Behind this position");
  command->add_option("--limit", request->limit, "So many at most");
  command->add_option("--format", request->format, "text, or jsonl or csv for a file")
      ->check(CLI::IsMember({"text", "jsonl", "csv"}))
      ->capture_default_str();
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) {
      if (session.json) request->format = "jsonl";
      return request->format == "text" ? print_events(client, *request) : write_events(client, *request);
    };
  });
}

}  // namespace ota::ctl
