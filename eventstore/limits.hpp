// Every bound of the event store, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ota::eventstore::limits {

// One fsync costs ~0.2 ms and an event ~6 us: beyond 256 the latency doubles for 15 % more speed.
inline constexpr std::size_t kGroupEvents = 256;
inline constexpr std::size_t kGroupBytes = 256 * 1024;
inline constexpr std::chrono::milliseconds kGroupTime{4};
// Committed groups waiting for the dispatcher (2 MB as a rule); then the writer waits too.
inline constexpr std::size_t kGroupsWaiting = 8;

// An append is committed whole, so it must fit a group; its largest event comes on top.
inline constexpr std::size_t kAppendEvents = 256;
inline constexpr std::size_t kAppendBytes = 256 * 1024;
// Far beyond any payload that the rooms above make, so that a broken sender is caught.
inline constexpr std::size_t kEventBytes = 1024 * 1024;
// One for each event is the most that makes sense.
inline constexpr std::size_t kConditionsPerAppend = kAppendEvents;

// A device id of 256 characters of four bytes each, and the letter before it.
inline constexpr std::size_t kStreamBytes = 1'056;
// A stream's name is a tag.
inline constexpr std::size_t kTagBytes = kStreamBytes;
inline constexpr std::size_t kTagsPerEvent = 16;
inline constexpr std::size_t kCorrelationBytes = 64;

// Last positions of tags kept in memory: at least those of the tags of this many latest events,
inline constexpr std::uint64_t kTagMemoryEvents = 1'000'000;
// or of fewer with more tags than this: 16 bytes a slot, two tables of 2^20 slots, 32 MB at most.
inline constexpr std::size_t kTagMemoryTags = 1'500'000;
// Tags not in that memory whose newest position was looked up; ~100 bytes each.
inline constexpr std::size_t kTagLookups = 65'536;
// Records that a reader of a tag fetches at once: cheaper than one by one, and memory stays flat.
inline constexpr std::size_t kTagFetch = 32;

inline constexpr std::chrono::hours kCommandMemory{24};
// Of one answer that is kept as long: a campaign with a thousand ids of the longest.
inline constexpr std::size_t kAnswerBytes = 1024 * 1024;
// How far the log is durable is noted so often while it moves: what is younger is not missed should it be lost with the WAL.
inline constexpr std::chrono::seconds kAcknowledgedEvery{1};
// The RFC 9162 tree is kept in tiles of this width.
inline constexpr std::size_t kTileLeaves = 256;
// The tree's root is signed when so many events have come since the last time: 50 us for each, 0.1 % of the writer's time.
inline constexpr std::uint64_t kCheckpointEvents = 4'096;
// Of one stream: the newest is loaded from, the others are for questions about the past. With a million events of a campaign
// 30,000 of them lie between two, which are folded in a tenth of a second.
inline constexpr std::size_t kSnapshotsKept = 32;
// Whose snapshots' positions are known without reading: what is active and large enough to take any.
inline constexpr std::size_t kSnapshotStreamsKnown = 1'024;
// A larger one is not kept: its stream's replay is cheaper than carrying it around.
inline constexpr std::size_t kSnapshotBytes = 64 * 1024 * 1024;

inline constexpr std::size_t kPersonBytes = 256;

}  // namespace ota::eventstore::limits
