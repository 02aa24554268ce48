// Every bound of the views, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ota::projections::limits {

// Decoded rows that a view keeps for the next event, per table and generation (there are two): the
// updates and devices that are active at a time. About 1 kB each.
inline constexpr std::size_t kCachedEntities = 4'096;
// Campaigns are few; an unborn one carries its targets.
inline constexpr std::size_t kCachedCampaigns = 256;
// Small rows: counters, buckets, pieces of sets.
inline constexpr std::size_t kCachedCounters = 4'096;
// Target sets kept decoded; 128 KB for a million devices.
inline constexpr std::size_t kCachedTargetSets = 64;

// Events of the log that a replay folds into one batch: rows that change often are then encoded
// once.
inline constexpr std::size_t kReplayChunkEvents = 16'384;
// And their payload, since decoded events of this size are what waits in memory.
inline constexpr std::size_t kReplayChunkBytes = 8 << 20;
// Decoded chunks waiting to be folded: enough to keep both threads busy.
inline constexpr std::size_t kReplayChunksWaiting = 2;

// What a restart after a crash replays at most (design 6).
inline constexpr std::uint64_t kFlushEvents = 500'000;
inline constexpr std::chrono::seconds kFlushInterval{60};

// Rows that a walk over some devices steps over one by one before it searches for the next.
inline constexpr std::uint32_t kRowsToStepOver = 8;

inline constexpr std::size_t kRowsBufferBytes = std::size_t{32} << 20;
inline constexpr std::size_t kIndexBufferBytes = std::size_t{16} << 20;
inline constexpr std::size_t kBlockCacheBytes = std::size_t{64} << 20;

// Names that devices make up (error codes, models, versions) and that one answer lists; the rest
// stays in the rows.
inline constexpr std::size_t kErrorCodesShown = 1'000;
inline constexpr std::size_t kCounterNamesShown = 10'000;

}  // namespace ota::projections::limits
