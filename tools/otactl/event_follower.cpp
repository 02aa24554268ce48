#include "tools/otactl/event_follower.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "tools/otactl/event_line.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/output.hpp"
#include "tools/otactl/url.hpp"

namespace ota::ctl {

using nlohmann::json;

void EventFollower::run() {
  // Said to the service from the beginning: what happens while it is away is not to be missed either.
  last_ = std::to_string(query_.after ? *query_.after : head_of_log(client_));
  const auto path = with_query("/events/stream", query_.filters());
  while (left_ > 0) {
    const auto streamed = client_.stream(path, last_, [this](std::string_view bytes) { return take(bytes); });
    if (streamed.had_enough) return;
    // A proxy in between says 502 or 504 while the service is away.
    const auto status = streamed.reply.status;
    const bool may_come_back = status == 0 || status == 429 || status >= 500 || streamed.reply.ok();
    if (!may_come_back) throw Failure(kExitFailed, refusal(streamed.reply));
    wait(status >= 400 ? describe_error(status, streamed.reply.body) : streamed.why);
  }
}

// Whoever reads it knows of --after, and not of the header that it goes to the service in.
std::string EventFollower::refusal(const Reply& reply) const {
  constexpr std::string_view kHeader = "header.Last-Event-ID";
  const bool is_first = query_.after && last_ == std::to_string(*query_.after);
  const std::string_view known_as = is_first ? "--after" : "the last event that was seen";
  auto text = describe_error(reply.status, reply.body);
  for (auto at = text.find(kHeader); at != std::string::npos; at = text.find(kHeader, at + known_as.size())) {
    text.replace(at, kHeader.size(), known_as);
  }
  return text;
}

// False: that was all.
bool EventFollower::take(std::string_view bytes) {
  silent_since_.reset();
  pause_ = kComeBackFirst;
  messages_.add(bytes, [this](const EventMessage& message) {
    if (left_ == 0) return;
    const auto event = json::parse(message.data);
    fmt::print("{}", options_.as_json ? line_of(event) : event_line(event));
    last_ = message.id;
    --left_;
  });
  flush_output();
  return left_ > 0;
}

void EventFollower::wait(const std::string& why) {
  messages_.begin_anew();
  const auto now = Clock::now();
  if (!silent_since_) {
    silent_since_ = now;
    note("otactl: {}; waiting for the service, to go on behind event {}\n", why, last_);
  }
  if (now - *silent_since_ >= std::chrono::duration<double>(options_.give_up_s)) throw Failure(kExitUnreachable, why);
  std::this_thread::sleep_for(pause_);
  pause_ = std::min(2 * pause_, kComeBackLast);
}

}  // namespace ota::ctl
