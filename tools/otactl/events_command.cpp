// otactl events, and audit events: the log as the service shows it: its pages to their end, or what happens from now on.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "tools/otactl/event_follower.hpp"
#include "tools/otactl/event_query.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/number_options.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {
namespace {

constexpr std::uint64_t kPage = 5'000;           // what the service gives at once
constexpr std::uint64_t kWindow = 1'000'000;    // that it looks through at once for a file: a second or two

struct EventsRequest {
  EventQuery query;
  std::string from, to;
  std::string format = "text";
  std::uint64_t limit = UINT64_MAX;
  bool follow = false;
  double give_up_s = 60;

  std::string path(std::uint64_t after, std::uint64_t until, std::uint64_t left, std::string_view as) const {
    auto all = query.filters();
    all.emplace_back("from", from);
    all.emplace_back("to", to);
    all.emplace_back("after", std::to_string(after));
    all.emplace_back("until", std::to_string(until));
    all.emplace_back("limit", std::to_string(std::min(left, kPage)));
    all.emplace_back("format", std::string(as));
    return with_query("/audit/events", all);
  }
};

int print_events(ServiceClient& client, const EventsRequest& request) {
  const auto head = head_of_log(client);    // what is added meanwhile - as that somebody reads this - has no end
  std::uint64_t after = request.query.after.value_or(0);
  std::uint64_t left = request.limit;
  for (bool more = true; more && left > 0;) {
    const auto page = expect_json(client.get(request.path(after, head, left, "json")));
    for (const auto& event : page.at("events")) fmt::print("{}", event_line(event));
    left -= page.at("events").size();
    after = page.at("next_after").get<std::uint64_t>();
    more = page.at("more").get<bool>();
  }
  return 0;
}

// Page behind page, so that a file of any length needs little memory and a connection that breaks costs a page; and of so
// little of the log each that one which finds nothing is answered in time.
int write_events(ServiceClient& client, const EventsRequest& request) {
  const bool has_heading = request.format == "csv";
  const auto head = head_of_log(client);
  std::uint64_t after = request.query.after.value_or(0);
  std::uint64_t left = request.limit;
  for (bool first = true; left > 0 && (first || after < head); first = false) {
    const auto until = std::min(head, after + kWindow);
    const auto reply = client.get(request.path(after, until, left, request.format));
    if (!reply.ok()) expect_json(reply);
    std::string_view lines = reply.body;
    const auto of_events = lines.substr(has_heading ? lines.find('\n') + 1 : 0);
    fmt::print("{}", first ? lines : of_events);
    const auto count = static_cast<std::uint64_t>(std::count(of_events.begin(), of_events.end(), '\n'));
    after = count == std::min(left, kPage) ? last_position(of_events) : until;
    left -= count;
  }
  return 0;
}

int run(ServiceClient& client, EventsRequest& request, bool as_json) {
  if (as_json && request.format == "text") request.format = "jsonl";
  if (request.follow && request.format == "csv") {
    throw Failure(kExitUsage, "--format csv: a file has an end, and what --follow prints has none: jsonl or text");
  }
  if (request.follow) {
    EventFollower(client, request.query, {request.format == "jsonl", request.limit, request.give_up_s}).run();
    return 0;
  }
  return request.format == "text" ? print_events(client, request) : write_events(client, request);
}

}  // namespace

std::uint64_t last_position(std::string_view lines) {
  const auto whole = lines.substr(0, lines.find_last_not_of("\r\n") + 1);
  const auto begin = whole.rfind('\n');
  const auto line = begin == std::string_view::npos ? whole : whole.substr(begin + 1);
  if (line.starts_with('{')) return nlohmann::json::parse(line).at("position").get<std::uint64_t>();
  return std::stoull(std::string(line.substr(0, line.find(','))));
}

void add_events_command(CLI::App& parent, Session& session) {
  CLI::App* command = add_command(parent, "events", "What happened: who, when, why and what, in log order; with --follow what happens, too");
  const auto request = std::make_shared<EventsRequest>();
  auto& query = request->query;
  command->add_option("--campaign", query.campaign, "That concern this campaign");
  command->add_option("--device", query.device, "That concern this device");
  command->add_option("--update", query.update, "Of this update");
  command->add_option("--stream", query.stream, "Of this stream alone: campaign:ID, device:ID, audit, service, ...");
  command->add_option("--type", query.type, "Of this type, or of several: campaign.paused,campaign.resumed");
  command->add_option("--actor", query.actor, "That this person caused");
  take_whole(command->add_option("--after", query.after, "Behind this position, without the event there; 0: from the first event"), 0);
  auto* from = command->add_option("--from", request->from, "A time (RFC 3339): then or later; for a position there is --after");
  auto* to = command->add_option("--to", request->to, "A time: before it");
  take_whole(command->add_option("--limit", request->limit, "So many at most"), 1);
  command->add_option("--format", request->format, "text, or jsonl or csv for a file")
      ->check(CLI::IsMember({"text", "jsonl", "csv"}))
      ->capture_default_str();
  command->add_flag("-f,--follow", request->follow, "Go on with what happens, until it is stopped; without --after from now on")
      ->excludes(from, to);
  take_seconds(command->add_option("--give-up", request->give_up_s, "Seconds to wait for a silent service with --follow"), 0)
      ->capture_default_str();
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) { return run(client, *request, session.json); };
  });
}

}  // namespace ota::ctl
