// Prints the service's stream of events until there were as many as are wanted, or nobody reads them any more. Where it breaks
// off, it is taken up behind the last event that was printed, so that each is printed once, whatever restarts in between.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tools/otactl/event_messages.hpp"
#include "tools/otactl/event_query.hpp"
#include "tools/otactl/service_client.hpp"

namespace ota::ctl {

class EventFollower {
 public:
  struct Options {
    bool as_json = false;               // each event a line of JSON, as the service has it
    std::uint64_t limit = UINT64_MAX;   // of events
    double give_up_s = 60;              // for so long a silent service is waited for
  };
  EventFollower(ServiceClient& client, const EventQuery& query, Options options)
      : client_(client), query_(query), options_(options), left_(options.limit) {}

  // Throws Failure when the service refuses, or was silent for too long; std::system_error when what is printed is lost.
  void run();

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kComeBackFirst{250};  // doubles, up to
  static constexpr std::chrono::milliseconds kComeBackLast{2'000};

  bool take(std::string_view bytes);
  std::string refusal(const Reply& reply) const;
  void wait(const std::string& why);

  ServiceClient& client_;
  const EventQuery& query_;
  const Options options_;
  std::uint64_t left_;
  EventMessages messages_;
  std::string last_;
  std::chrono::milliseconds pause_ = kComeBackFirst;
  std::optional<Clock::time_point> silent_since_;
};

}  // namespace ota::ctl
