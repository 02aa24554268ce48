// Verifies a log from its first byte to its last: that every event is there, unchanged and in its place, that the indexes hold
// exactly the events of the log, and that the proof tree has come to what was signed.
//
// Two threads read each family once, in the order in which it is stored. What is found is named by the event that it is
// about where the log can tell which one that is. What it means:
//
//   a record, a leaf or an index was changed alone     the others still hold the original: named exactly
//   an event was changed everywhere                    a checkpoint no longer fits: named by the range since the one before
//   the end of the log was cut off, not all of it      the tree, indexes or checkpoints of what is gone are left
//
// What it does not find by itself, and docs/log-format.md says to operators: a log that was cut off with everything behind some
// event, or whose newest events, which no checkpoint holds yet, were changed everywhere, is sound in itself; so is one that
// was made anew under another key. Against those are a checkpoint that was kept elsewhere (`given`) and a key that is known from
// elsewhere (whose `keys` they are is for the caller to say). Snapshots are looked at by their place alone, remembered commands
// by the event that they name: neither is an event.
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
  bool is_in_log = false;                           // the event at `from` tells of it, so that it is signed with its own commit
};

struct VerifyOptions {
  std::vector<TrustedKey> keys;                     // whose signatures count; none: the log is not signed
  std::optional<SignedCheckpoint> given;            // one that was kept elsewhere
  std::uint64_t rows_per_second = 0;                // of each thread; 0: as fast as it goes
  // Called from the calling thread now and then.
  std::function<void(std::uint64_t events, std::uint64_t of)> progress;
  // Asked now and then, from all threads: is it to be broken off? Once yes, it ends within some thousand rows.
  std::function<bool()> stopped{};
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
