// The events of several tags as one list, in log order: what the fold of a campaign takes (domain/campaign/campaign.hpp).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "domain/streams.hpp"
#include "eventstore/log.hpp"

namespace ota::projections {

using MergedVisitor = std::function<void(const domain::Recorded& event, const eventstore::RecordedEvent* as_kept)>;

// Visits the events after `after` up to `until` (with it) that carry one of them, each tag a piece at a time: any of them may
// have any number of events. `as_kept`: the event as it is in the log, null for those of `others`. Throws eventstore::LogError,
// and std::runtime_error for an event whose bytes cannot be read.
void read_merged(const eventstore::Log& log, const std::string& own, const std::vector<std::string>& others,
                 domain::Position after, domain::Position until, const MergedVisitor& visit);
// The same, where `others` matter from later on than `own`.
struct MergedTags {
  const std::string& own;
  const std::vector<std::string>& others;
  domain::Position after;
  domain::Position others_after;
  domain::Position until;
};
void read_merged(const eventstore::Log& log, const MergedTags& tags, const MergedVisitor& visit);

}  // namespace ota::projections
