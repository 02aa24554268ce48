// Every bound of the views, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ota::projections::limits {

// Decoded rows that a view keeps for the next event, per table and generation (there are two): the
// updates and devices that are active at a time. About 1 kB each.
inline constexpr std::size_t kCachedEntities = 4'096;
// Devices are needed for whatever happens to one of them; an update is over sooner.
inline constexpr std::size_t kCachedDevices = 8'192;
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

// From so many events on a replay is a bulk rebuild: below, the tables that it writes are not worth it.
inline constexpr std::uint64_t kBulkEvents = 50'000;
// Chunks of a bulk rebuild are small: what one thread has decoded is in the cache of the processor yet when the other takes it.
inline constexpr std::size_t kBulkChunkEvents = 512;

// Somebody is told how far a replay is every second or so.
inline constexpr std::uint64_t kEventsBetweenProgress = 250'000;

// What a restart after a crash replays at most (design 6).
inline constexpr std::uint64_t kFlushEvents = 500'000;
inline constexpr std::chrono::seconds kFlushInterval{60};

// Events by which rows that were built may be behind when they take the place of the others: they are folded while the log
// waits, some tens of milliseconds.
inline constexpr std::uint64_t kSwapEvents = 10'000;
// How long a look lasts whether the last reader has let go of rows that were replaced.
inline constexpr std::chrono::milliseconds kReadersLookEvery{20};

// Counters have a row for every so many events, if they changed, 3 bytes an event: what lies between one and the moment that
// somebody asks for is folded.
inline constexpr std::uint64_t kCountsKeptEvery = 256;

// Events of a tag that are decoded at a time where several are read together: some hundred kilobytes.
inline constexpr std::size_t kMergedPieceEvents = 512;

// What one question about the past keeps of the campaigns and the firmware that it has read, for the rest of its rows: with
// the targets of a million devices 128 KB each.
inline constexpr std::size_t kPastEntitiesKept = 64;

// Rows compared between two looks whether to go on; a millisecond or so.
inline constexpr std::uint64_t kRowsBetweenLooks = 1'024;
// Of each table, in an answer.
inline constexpr std::size_t kDifferencesShown = 5;

// Rows that a walk over some devices steps over one by one before it searches for the next.
inline constexpr std::uint32_t kRowsToStepOver = 8;

inline constexpr std::size_t kRowsBufferBytes = std::size_t{8} << 20;
inline constexpr std::size_t kIndexBufferBytes = std::size_t{16} << 20;
inline constexpr std::size_t kBlockCacheBytes = std::size_t{64} << 20;

// Names that devices make up (error codes, models, versions) and that one answer lists; the rest
// stays in the rows.
inline constexpr std::size_t kErrorCodesShown = 1'000;
inline constexpr std::size_t kCounterNamesShown = 10'000;

}  // namespace ota::projections::limits
