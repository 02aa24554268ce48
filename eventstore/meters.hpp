// What the journal counts of itself, for whoever watches the service. Filled by the writer, read by any thread; begins at zero
// with the process.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "eventstore/histogram.hpp"
#include "eventstore/limits.hpp"

namespace ota::eventstore {

inline constexpr std::array<std::uint64_t, 9> kGroupEventsBounds = {1, 2, 4, 8, 16, 32, 64, 128, limits::kGroupEvents};
inline constexpr std::array<std::uint64_t, 7> kGroupBytesBounds = {256, 1'024, 4'096, 16'384, 65'536, limits::kGroupBytes, 1'048'576};

struct JournalMeters {
  Histogram commit_us{kTimeBoundsUs};          // of an append: handed in until durable
  Histogram write_us{kTimeBoundsUs};           // of a group: its batch written and synced,
  Histogram fsync_us{kTimeBoundsUs};           //   and of that the fsync alone
  Histogram group_events{kGroupEventsBounds};  // in a group
  Histogram group_bytes{kGroupBytesBounds};    // the same: records, snapshots and kept answers
  std::atomic<std::uint64_t> snapshots{0};     // of entities, taken
  std::atomic<std::uint64_t> snapshot_bytes{0};
  std::atomic<std::uint64_t> checkpoints{0};   // signed
};

}  // namespace ota::eventstore
