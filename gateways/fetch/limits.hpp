// Every bound of fetching firmware from its URL, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ota::gateways::fetch::limits {

// Files that are brought at the same time: each has a thread, and one alone would let a slow source keep all others waiting.
inline constexpr std::size_t kAtOnce = 2;
inline constexpr std::chrono::milliseconds kConnect{10'000};
// Less than this many bytes in this long is a source that has stalled.
inline constexpr std::chrono::milliseconds kStall{60'000};
inline constexpr std::uint64_t kStallBytes = 16 * 1024;
inline constexpr long kRedirects = 5;
// Between tries; doubles. A source that asks for more patience (Retry-After) gets it, up to the longest.
inline constexpr std::chrono::milliseconds kRetryMin{1'000};
inline constexpr std::chrono::milliseconds kRetryMax{600'000};
// A source that says "no such file" may be filled later the same day; one that says so for longer is given up.
inline constexpr std::chrono::hours kRefusals{24};
// Of an answer's head, redirects included: libcurl keeps all of it.
inline constexpr std::size_t kHeadBytes = 256 * 1024;
// How often what is here is thrown away because it cannot be, or must not be, gone on with; then the source is given up.
inline constexpr unsigned kBeginnings = 5;
// What libcurl hands over at a time.
inline constexpr long kPieceBytes = 128 * 1024;
// Of a reason that is written into the log.
inline constexpr std::size_t kReasonBytes = 500;

}  // namespace ota::gateways::fetch::limits
