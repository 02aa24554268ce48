// When a campaign wants to look at the time again: a start, an end, a window.
//
// Derived from its state whenever it reacts, and from the state again after a start: open campaigns are always active,
// so nothing of this needs to be durable. Set by campaign actors, rung by the timer.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <caf/actor.hpp>

#include "domain/ids.hpp"
#include "domain/words.hpp"

namespace ota::actors {

class Alarms {
 public:
  // In the place of the campaign's last one; empty: none.
  void set(domain::CampaignId id, std::optional<domain::Time> at, caf::actor campaign);
  // Sends a Tick to whoever asked for a time up to `now`, once.
  void ring(domain::Time now);
  std::optional<domain::Time> next() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::map<domain::CampaignId, std::pair<domain::Time, caf::actor>> by_campaign_;
};

}  // namespace ota::actors
