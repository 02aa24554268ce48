// Every bound of the front door, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ota::http::limits {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

// A request's head: what nginx and Apache allow by default is 8-32 KB; a JWT of 4 KB and a proxy's
// headers fit.
inline constexpr std::size_t kRequestHeadBytes = 16 * kKiB;
inline constexpr std::size_t kRequestTargetBytes = 8 * kKiB;
inline constexpr std::size_t kRequestLineBytes = kRequestTargetBytes + 32;  // with method and version
inline constexpr std::size_t kHeaderFields = 100;
inline constexpr std::size_t kHostBytes = 255 + 6;  // a DNS name and a port

// A body up to this is gathered by the door thread, so that a slow sender occupies no handler. With
// the head it bounds what a connection can hold in memory: 12,000 hostile ones 384 MB. Devices'
// reports and most commands are smaller.
inline constexpr std::size_t kGatheredBodyBytes = 16 * kKiB;
inline constexpr std::size_t kBodyBytes = 1024 * kKiB;  // spec/api.md: where nothing else is said
inline constexpr std::size_t kLargeBodyBytes = 64 * kMiB;  // campaigns with a million device ids
// Answers that wait for readers, beside the megabytes each that the kernel takes for them: a dozen pages of the log.
inline constexpr std::size_t kKeptAnswerBytes = 64 * kMiB;
inline constexpr std::size_t kBodyPieceBytes = 64 * kKiB;  // what is read from a socket at a time
inline constexpr std::size_t kChunkLineBytes = 256;        // a chunk's size and its extensions
inline constexpr std::size_t kTrailerBytes = 8 * kKiB;

inline constexpr std::size_t kRequestIdBytes = 64;  // design 5: the correlation id
inline constexpr std::size_t kIdempotencyKeyBytes = 255;
inline constexpr std::size_t kUserIdBytes = 256;
inline constexpr std::size_t kPathParameterChars = 256;  // decision 20
inline constexpr std::size_t kPathSegments = 32;         // the longest route has 9

inline constexpr std::size_t kJsonDepth = 64;         // ours need 5; filters are user-made objects
inline constexpr std::size_t kFieldErrors = 100;      // a list of a million wrong ids is one answer
inline constexpr std::size_t kShownValueChars = 100;  // of an offending value in a message
inline constexpr std::int64_t kPageLimit = 200;       // spec/api.md section 1
inline constexpr std::int64_t kPageLimitDefault = 50;

// What a campaign is created with stands in one event, of which the log takes 1 MB.
inline constexpr std::size_t kTargetFilterBytes = 64 * kKiB;
inline constexpr std::size_t kFilterValueChars = 256;
inline constexpr std::size_t kTargetGroupsBytes = 64 * kKiB;  // of all groups together
// Of the commands of one list together: every grant repeats them, for each device and for ever.
inline constexpr std::size_t kUpdateCommandsBytes = 4 * kKiB;

inline constexpr std::size_t kBulkDevices = 10'000;  // spec/api.md section 5
// As many ids of 256 characters with four bytes each.
inline constexpr std::size_t kBulkBodyBytes = 16 * kMiB;

// A file of devices is streamed, so this bounds how long one request may last: 10 million devices of 100 bytes.
inline constexpr std::uint64_t kImportFileBytes = 1024 * kMiB;
// 100 attributes with names and values of 128 bytes, each byte written as \u00e9, are 154 KB; groups come on top.
inline constexpr std::size_t kImportLineBytes = 256 * kKiB;
inline constexpr std::size_t kImportErrors = 100;    // listed in the answer; the others are counted
inline constexpr std::size_t kImportsAtOnce = 4;     // each holds a handler, and a core is busy with one

// Each renders up to 5,000 events, which keeps a core busy for a tenth of a second: devices are not to wait behind those.
inline constexpr std::size_t kAuditPagesAtOnce = 8;
inline constexpr std::size_t kWhatIfsAtOnce = 2;     // each reads all of a campaign, and keeps a core busy for seconds if that is large
inline constexpr std::size_t kExportsAtOnce = 4;     // of files of events: each holds a handler for as long as its reader takes

// Questions about the past, and comparisons of two moments. Each folds what happened to campaigns and devices until then, and
// keeps a core busy for that long, a second where a campaign is large: the handlers are for those who ask of the present.
inline constexpr std::size_t kPastQuestionsAtOnce = 8;
// A comparison of a whole fleet may have hundreds of large campaigns to fold: what it has no time for it counts alone.
inline constexpr std::chrono::seconds kComparisonLasts{5};
// They look things up in the views, which follow the log within milliseconds; behind by more, something is wrong with them.
inline constexpr std::chrono::milliseconds kViewsWait{2'000};
// Of each kind that changed between two moments: as long as a page of a list. Of more it is said how many there are.
inline constexpr std::size_t kComparedOfKind = 200;
// Events between two moments that are looked at one by one, half a second; what they name is compared, if there are no more.
inline constexpr std::uint64_t kEventsBetween = 500'000;

// Streams of events: each is a connection of those that devices need as well, and is asked whenever something is committed.
inline constexpr std::size_t kEventStreams = 1'000;
// One that finds little in a long log leaves the others their turns after so many events: a millisecond.
inline constexpr std::size_t kEventsPerTurn = 1'000;
// What one of them sends in a turn: some fifty events, a millisecond too, and a whole one on top.
inline constexpr std::size_t kEventStreamPieceBytes = 32 * kKiB;
// Of the events of one device, whose places in the log a stream keeps: 800 KB. Beyond those it looks at every event.
inline constexpr std::size_t kListedEvents = 100'000;
// When whoever has lost the connection comes back.
inline constexpr std::chrono::milliseconds kEventStreamRetry{2'000};
// The newest events that are kept for all streams together: a second of the busiest service. Of larger ones fewer; as text
// they are several times as long.
inline constexpr std::size_t kLiveEvents = 4'096;
inline constexpr std::size_t kLiveEventsBytes = 8 * kMiB;
// Groups of them that were committed since the streams looked last; they look a hundred times a second.
inline constexpr std::size_t kLiveGroupsWaiting = 64;

inline constexpr std::size_t kMultipartTextBytes = 256 * kKiB;  // the firmware's metadata
inline constexpr std::size_t kMultipartParts = 16;
inline constexpr std::size_t kMultipartHeaderBytes = 8 * kKiB;  // of one part
inline constexpr std::size_t kMultipartPreambleBytes = 4 * kKiB;
inline constexpr std::size_t kFileNameBytes = 255;  // what file systems take

inline constexpr std::size_t kByteRanges = 512;  // SWUpdate's delta download asks for up to 150
inline constexpr std::size_t kFilePieceBytes = 64 * kKiB;  // read from an artifact at a time
inline constexpr std::size_t kSendfileBytes =
    512 * kKiB;  // one download's turn before the next one's

}  // namespace ota::http::limits
