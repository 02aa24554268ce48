// A committed group, decoded once for everybody: the views fold it, then the actors that follow it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "domain/streams.hpp"
#include "eventstore/journal.hpp"

namespace ota::projections {

struct DecodedGroup {
  eventstore::GroupPtr raw;
  std::vector<domain::Recorded> events;  // one for each of raw->events(), in order
};
using DecodedPtr = std::shared_ptr<const DecodedGroup>;

// An event whose stream or payload this version cannot read becomes UnknownEvent in the directory
// stream: skipped by every fold. Never throws.
domain::Recorded decode(const eventstore::RecordedEvent& event);
// The same for whoever must not go on over one that is damaged: throws std::runtime_error with its position then.
domain::Recorded decode_sound(const eventstore::RecordedEvent& event);
DecodedPtr decode(const eventstore::GroupPtr& group);

// Between the store's words and the domain's.
inline domain::Position to_domain(eventstore::Position p) { return {p.value}; }
inline eventstore::Position to_store(domain::Position p) { return {p.value}; }
domain::Caller to_domain(eventstore::SubjectToken token);
eventstore::SubjectToken to_store(domain::Caller caller);

}  // namespace ota::projections
