#include "gateways/mqtt/up_limits.hpp"

#include <algorithm>
#include <functional>

#include "gateways/mqtt/limits.hpp"

namespace ota::gateways::mqtt {

UpLimits::UpLimits(actors::Rate rate) : said_(rate), told_({limits::kRefusalsPerSecond, 1}) {}

UpLimits::Verdict UpLimits::judge(std::string_view subject, domain::Time said_at, Clock::time_point now) {
  // A clock that is set back by an hour would keep everybody refused for that long: here it stands still for a moment.
  if (last_) said_now_ += std::max(said_at - *last_, domain::Duration(0));
  last_ = said_at;
  const auto key = std::hash<std::string_view>{}(subject);
  if (said_.take(key, said_now_) == Clock::duration(0)) return Verdict::kWelcome;
  return told_.take(key, now) == Clock::duration(0) ? Verdict::kRefuse : Verdict::kDrop;
}

}  // namespace ota::gateways::mqtt
