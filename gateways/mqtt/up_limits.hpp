// How much each device may say: beyond a rate it is refused, and told so once in a while. No clock of its own; one thread.
//
// What counts is when the broker took a message, not when it is read: what a device said in the hours in which the service was
// away is no surplus because all of it is read within a second.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "actors/rate_limiter.hpp"
#include "domain/words.hpp"

namespace ota::gateways::mqtt {

class UpLimits {
 public:
  using Clock = actors::RateLimiter::Clock;
  enum class Verdict : std::uint8_t {
    kWelcome,
    kRefuse,                              // and the device is to be told
    kDrop,                                // it was told a moment ago
  };

  explicit UpLimits(actors::Rate rate);

  // Counts a message, in the order in which the broker took them: `said_at`, by its clock. `now`: for what is answered.
  Verdict judge(std::string_view subject, domain::Time said_at, Clock::time_point now);

 private:
  actors::RateLimiter said_;
  actors::RateLimiter told_;
  std::optional<domain::Time> last_;
  Clock::time_point said_now_{};          // the broker's time, without what it was set back
};

}  // namespace ota::gateways::mqtt
