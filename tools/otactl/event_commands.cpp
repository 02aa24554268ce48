// otactl events: what has happened, and what happens
//
// Without --follow the pages of the audit are read to their end. With it the service's stream of events is: where it breaks
// off, it is taken up behind the last event that was printed, so that each is printed once, whatever restarts in between.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "tools/otactl/event_messages.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/human.hpp"
#include "tools/otactl/json_cells.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kComeBackFirst{250};  // doubles, up to
constexpr std::chrono::milliseconds kComeBackLast{2'000};
constexpr const char* kPageOfEvents = "1000";

struct EventsRequest {
  bool follow = false;
  std::optional<std::uint64_t> after;
  double give_up_s = 60;
  std::string stream, campaign, device, update, type, actor;

  Query filters() const {
    return {{"stream", stream}, {"campaign_id", campaign}, {"device_id", device},
            {"update_id", update}, {"type", type}, {"actor", actor}};
  }
};

// "17  2026-01-31 12:00:00Z  campaign.paused  campaign:camp_...  ada  {"reason":"lunch"}"
std::string line_of_event(const json& event) {
  const auto member = [&](const char* name) {
    return event.contains(name) && !event[name].is_null() ? text::printable(value_text(event[name])) : std::string("-");
  };
  return fmt::format("{}  {}  {}  {}  {}  {}\n", member("position"), text::human_time(event.value("time", "")),
                     member("type"), member("stream"), member("actor"), member("data"));
}

void print_event(const json& event, bool as_json) {
  fmt::print("{}", as_json ? event.dump(-1, ' ', false, json::error_handler_t::replace) + "\n" : line_of_event(event));
}

int list_events(ServiceClient& client, const EventsRequest& request, bool as_json) {
  auto query = request.filters();
  query.emplace_back("limit", kPageOfEvents);
  query.emplace_back("after", std::to_string(request.after.value_or(0)));
  while (true) {
    const json page = expect_json(client.get(with_query("/audit/events", query)));
    for (const auto& event : page.at("events")) print_event(event, as_json);
    if (!page.at("more").get<bool>()) return 0;
    query.back().second = std::to_string(page.at("next_after").get<std::uint64_t>());
  }
}

// Where the stream goes on when it has broken off.
class Follower {
 public:
  Follower(ServiceClient& client, const EventsRequest& request, bool as_json)
      : client_(client), request_(request), as_json_(as_json) {}

  // Returns never: it is ended by a signal, or by what is thrown.
  [[noreturn]] void run() {
    // Said to the service from the beginning: what happens while it is away is not to be missed either.
    last_ = std::to_string(request_.after ? *request_.after
                                          : expect_json(client_.get("/audit/events?limit=1")).at("head").get<std::uint64_t>());
    const auto path = with_query("/events/stream", request_.filters());
    while (true) {
      const auto streamed = client_.stream(path, last_, [this](std::string_view bytes) { take(bytes); });
      const bool may_come_back = streamed.reply.status == 0 || streamed.reply.status == 503 || streamed.reply.ok();
      if (!may_come_back) expect_json(streamed.reply);  // throws what the service says
      wait(streamed.reply.status == 503 ? describe_error(503, streamed.reply.body) : streamed.why);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  void take(std::string_view bytes) {
    silent_since_.reset();
    pause_ = kComeBackFirst;
    messages_.add(bytes, [this](const EventMessage& message) {
      print_event(json::parse(message.data), as_json_);
      last_ = message.id;
    });
    std::fflush(stdout);
  }

  void wait(const std::string& why) {
    messages_.begin_anew();
    const auto now = Clock::now();
    if (!silent_since_) {
      silent_since_ = now;
      fmt::print(stderr, "otactl: {}; waiting for the service, to go on behind event {}\n", why, last_);
    }
    if (now - *silent_since_ >= std::chrono::duration<double>(request_.give_up_s)) throw Failure(kExitUnreachable, why);
    std::this_thread::sleep_for(pause_);
    pause_ = std::min(2 * pause_, kComeBackLast);
  }

  ServiceClient& client_;
  const EventsRequest& request_;
  const bool as_json_;
  EventMessages messages_;
  std::string last_;
  std::chrono::milliseconds pause_ = kComeBackFirst;
  std::optional<Clock::time_point> silent_since_;
};

}  // namespace

void add_event_commands(CLI::App& app, Session& session) {
  CLI::App* command = add_command(app, "events", "What has happened, in log order; with --follow what happens, too");
  const auto request = std::make_shared<EventsRequest>();
  command->add_flag("-f,--follow", request->follow, "Print events as they happen; without --after from now on");
  command->add_option("--after", request->after, "Begin behind this position; 0: at the first event");
  command->add_option("--stream", request->stream, "Of one stream: campaign:ID, device:ID, update:ID, firmware:ID, ...");
  command->add_option("--campaign", request->campaign, "That concern this campaign");
  command->add_option("--device", request->device, "That concern this device");
  command->add_option("--update", request->update, "Of this update");
  command->add_option("--type", request->type, "Of this type, or of several: campaign.paused,campaign.resumed");
  command->add_option("--actor", request->actor, "Of what this person did");
  command->add_option("--give-up", request->give_up_s, "Seconds to wait for a silent service")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) {
      if (!request->follow) return list_events(client, *request, session.json);
      Follower(client, *request, session.json).run();
    };
  });
}

}  // namespace ota::ctl
