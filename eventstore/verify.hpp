// Verifies a log from its first byte to its last: that every event is there, unchanged and in its place, that the indexes hold
// exactly the events of the log, and that the proof tree has come to what was signed.
//
// Two threads read each family once, in the order in which it is stored. What is found is named by the event that it is
// about where the log can tell which one that is. What it means:
//
//   a record, a leaf or an index was changed alone     the others still hold the original: named exactly
//   an event was changed everywhere                    a checkpoint no longer fits: named by the range since the one before
//   the end of the log was cut off                     checkpoints of larger trees are left, or one is given from outside
//
// Who changes everything and holds the signing key can make a sound log of other events: only a checkpoint that is kept
// elsewhere shows that.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/checkpoint.hpp"
#include "eventstore/log.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

// Signs trees from the size `from` on and below `until`; until 0: to this day.
struct TrustedKey {
  VerifierKey key;
  Position from;
  Position until;
};

struct VerifyOptions {
  std::vector<TrustedKey> keys;                     // whose signatures count; none: the log is not signed
  std::optional<SignedCheckpoint> given;            // one that was kept elsewhere
  std::uint64_t rows_per_second = 0;                // of each thread; 0: as fast as it goes
  // Called from the calling thread now and then; false: stop.
  std::function<bool(std::uint64_t events, std::uint64_t of)> progress;
};

struct Finding {
  Position first;                                   // 0: no single event
  Position last;
  std::string what;
};

struct Verification {
  std::uint64_t events = 0;                         // that were read
  Position head;
  Timestamp head_time;
  Hash root{};                                      // of the tree over all of them
  std::uint64_t index_rows = 0;
  std::uint64_t checkpoints = 0;                    // that hold
  std::uint64_t signed_events = 0;                  // below the largest of these
  std::vector<Finding> findings;                    // the first kFindingsMax, in log order
  std::uint64_t further_findings = 0;
  bool stopped = false;

  bool is_sound() const { return findings.empty() && !stopped; }
};
inline constexpr std::size_t kFindingsMax = 100;

// Of the log as of now; the journal may go on. Throws LogError only if nothing can be read at all.
Verification verify(const Log& log, const VerifyOptions& options);

}  // namespace ota::eventstore
