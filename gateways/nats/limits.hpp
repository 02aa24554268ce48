// Every bound of the bus gateway, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ota::gateways::nats::limits {

// Messages between two writes of the cursor: one fsync (~1 ms) for at most 256 acks (~0.2 ms each),
// and no more than that is sent again after a crash.
inline constexpr std::size_t kMessagesPerRound = 256;
// Events looked at in a round: most say nothing to the bus, and the cursor should move all the
// same.
inline constexpr std::uint64_t kEventsPerRound = 100'000;
// Events without a message cost the cursor's file no fsync until they are so many: 50 ms of reading
// after a start.
inline constexpr std::uint64_t kEventsUnsaved = 10'000;

// What a server may take to answer a request. Longer than its longest pause seen, shorter than an
// operator's patience.
inline constexpr std::chrono::milliseconds kAnswer{5'000};
inline constexpr std::chrono::milliseconds kConnect{2'000};
// A server that vanished without a word is noticed after two pings.
inline constexpr std::chrono::milliseconds kPing{10'000};
inline constexpr int kPingsUnanswered = 2;
// How long a worker with nothing to do waits before it looks at its connection again.
inline constexpr std::chrono::milliseconds kIdle{1'000};

// A pull waits this long at the server; stop() does not wait for it.
inline constexpr std::chrono::milliseconds kPull{5'000};
// A server answers every pull, with what there is or with nothing: three of them unanswered are no pause.
inline constexpr std::chrono::milliseconds kSilence{15'000};
// A message that could not be carried out comes again after this; one whose worker died, after
// kAckWait.
inline constexpr std::chrono::milliseconds kRedeliver{2'000};
inline constexpr std::chrono::milliseconds kAckWait{30'000};

// Of a bad message, in the log line that reports it.
inline constexpr std::size_t kShownBytes = 200;
// As long as the correlation id of an event may be (eventstore).
inline constexpr std::size_t kCorrelationBytes = 64;
// An event id beyond this is none: ids are UUIDs as a rule.
inline constexpr std::size_t kEventIdBytes = 256;

}  // namespace ota::gateways::nats::limits
