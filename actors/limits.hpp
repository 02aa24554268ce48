// Every bound of the actors, with its reason.
#pragma once

#include <chrono>
#include <cstddef>

namespace ota::actors::limits {

// Commands between the door and their answers. Mailboxes have no bound of their own, so the door has one.
inline constexpr std::size_t kInFlight = 8'192;
// Commands that wait for one entity; a second at 4 ms a commit.
inline constexpr std::size_t kStash = 256;
// Appends or questions that one actor has outstanding.
inline constexpr std::size_t kOutstanding = 256;
// How often a command is decided again after a conflict before it is answered `busy`.
inline constexpr int kConflictsMax = 3;
// More than there are threads that could register firmware at once.
inline constexpr int kFirmwareConflictsMax = 256;
// A cancel that an update could not take is sent again after this long.
inline constexpr std::chrono::seconds kRetell{30};
// Devices of a rollback that a campaign looks at in one go, each a few reads of the views: some milliseconds.
inline constexpr std::size_t kLooksAtOnce = 128;
// How often targets are checked anew for devices that were deleted meanwhile before a creation is answered `busy`.
inline constexpr int kCreationsMax = 10;
// Entities that one shard keeps active: 70 MB of all, and those of 12,000 devices that are being updated. Others are read
// anew when they are spoken to.
inline constexpr std::size_t kShards = 16;
inline constexpr std::size_t kEntitiesPerShard = 24'000 / kShards;
inline constexpr std::chrono::seconds kIdle{120};
inline constexpr std::chrono::seconds kSweep{10};
// A snapshot is worth its bytes when at least this much was folded since the last one.
inline constexpr std::size_t kSnapshotBytesMin = 1 << 20;
inline constexpr std::size_t kSnapshotFactor = 4;
inline constexpr std::size_t kRecordBeside = 64;   // bytes of a record beside its payload, about
inline constexpr std::size_t kSnapshotEventsAtRest = 64;
// What the log has come to is signed this often, if there is something new.
inline constexpr std::chrono::seconds kSignEvery{60};
// An erasure that met somebody's copy is gone through once more.
inline constexpr std::chrono::seconds kEraseAgainEvery{600};
// Deadlines: looked at this often at the latest; delivered again after this long; given up after this many times.
inline constexpr std::chrono::milliseconds kTick{1'000};
inline constexpr std::chrono::seconds kRedeliver{30};
inline constexpr int kDeliveriesMax = 3;
inline constexpr std::size_t kDueBatch = 1'024;
// Commands to devices of one caller that are in flight at once: some appends' worth for the journal, and most of kInFlight
// is left for the others.
inline constexpr std::size_t kDevicesAtOnce = 1'024;
// An import: lines that are decided together, one append as a rule, and about their bytes: the longest line comes on top
// (77 kB), and what an event has besides (1.2 kB with the longest id), and the log takes 256 kB.
inline constexpr std::size_t kImportLines = 256;
inline constexpr std::size_t kImportBytes = 96 * 1024;
inline constexpr std::size_t kImportAppendBytes = 192 * 1024;
// Lines of one device that are decided together, beside the first: an append takes them whole.
inline constexpr std::size_t kImportLinesOfOne = 63;
// Appends and questions of one import that are under way: enough that neither the writer nor the views are ever idle, and
// no more, since everybody else's appends stand behind them.
inline constexpr std::size_t kImportsInFlight = 8;
// Ids that the directory reserves with one event: a poll must never wait long behind a list (design 4).
inline constexpr std::size_t kReserveChunk = 4'096;
// And their bytes: an id may have 512 of them.
inline constexpr std::size_t kReserveBytes = 64 * 1024;
inline constexpr std::size_t kHistoryPage = 200;                    // updates of a device, looked through for its versions
inline constexpr std::size_t kVersionsShown = 50;                   // that a device may go back to

// Tokens without a name that are counted for health: 8 bytes each, and nobody needs to know how many more there are.
inline constexpr std::size_t kNamelessKnown = 10'000;

}  // namespace ota::actors::limits
