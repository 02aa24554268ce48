// The keys that have signed the log, as its events tell: every checkpoint is signed by the key of its time.
#pragma once

#include <string>
#include <vector>

#include "domain/events.hpp"
#include "domain/words.hpp"
#include "eventstore/checkpoint.hpp"
#include "eventstore/log.hpp"
#include "eventstore/verify.hpp"

namespace ota::projections {

// A key that the log knows, with the event that says so.
struct LogKey {
  eventstore::Position position;          // its checkpoints are of this size or larger,
  eventstore::Position until;             // and smaller than this; 0: it signs today
  eventstore::Timestamp since;
  domain::Caller caller;
  domain::LogKeyChange change = domain::LogKeyChange::kFirst;
  eventstore::VerifierKey key;
  bool vouched = false;                   // the key before it signed that this one follows
};
// In log order. Throws LogError if the log cannot be read.
std::vector<LogKey> log_keys(const eventstore::Log& log);

// What the key before a new one signs.
std::string vouching_text(const eventstore::VerifierKey& key);

// The keys whose checkpoints count.
std::vector<eventstore::TrustedKey> trusted(const std::vector<LogKey>& keys);

}  // namespace ota::projections
