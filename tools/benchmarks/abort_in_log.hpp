// What the log says of a campaign that rolled itself back: when the deciding report was committed,
// when the decision was, and what was granted behind it.
#pragma once

#include <chrono>
#include <cstdint>

#include "domain/ids.hpp"
#include "eventstore/log.hpp"

namespace ota::bench {

struct AbortInLog {
  std::uint64_t events_between = 0;  // of the campaign, behind the deciding report, before the decision
  std::chrono::microseconds took{0};  // between the two, as the records are stamped
  std::uint64_t grants_before = 0;    // deployments granted until the decision
  std::uint64_t grants_behind = 0;    // and behind it: there must be none
};

// Folds the campaign's events by the rules of the domain. The deciding report is the event after
// which they ask for a rollback. Throws std::runtime_error if there is none, or no rollback.
AbortInLog find_abort(const eventstore::Log& log, domain::CampaignId campaign);

}  // namespace ota::bench
