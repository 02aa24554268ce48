// Every bound of the MQTT gateway, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ota::gateways::mqtt::limits {

// What a device says in one message: 100 attributes of 128 bytes, or 50 lines of 512, with room.
inline constexpr std::size_t kBodyBytes = 64 * 1024;
// No message is nested deeper than {"data":{..}}; the rest is for members that are not known here.
inline constexpr int kDepth = 8;
inline constexpr std::size_t kTextBytes = 1'000;      // an error's message, as over HTTP
inline constexpr std::size_t kIdBytes = 64;           // of a message: as long as a correlation id may be (eventstore)
inline constexpr std::size_t kShownBytes = 120;       // of a bad value, in the answer that names it
inline constexpr std::size_t kFaults = 20;            // of one message, that its answer lists
inline constexpr std::size_t kFaultsInMessage = 3;    // and names in its sentence, as over HTTP

// Devices' messages that are in work at a time. Each waits for a commit, and a commit takes whatever waits for it.
inline constexpr std::size_t kWorkers = 16;
// Messages that were fetched and wait for their device's turn: below the 1,000 that a consumer of the server hands out.
inline constexpr std::size_t kFetched = 512;
inline constexpr std::size_t kFetchedAtOnce = 128;
inline constexpr std::chrono::milliseconds kMoreToFetch{5};  // how long a fetch waits for more than the first one
// Between two tries of what could not be decided now; for how long it is tried in its place, which keeps its lane waiting;
// after how long the broker brings it again then, and how long that is waited for: it may have been dropped meanwhile.
inline constexpr std::chrono::milliseconds kBusy{50};
inline constexpr std::chrono::milliseconds kInPlace{2'000};
inline constexpr std::chrono::milliseconds kGivenBack{5'000};
inline constexpr std::chrono::milliseconds kGivenBackAwaited{60'000};

// Messages on their way to the broker and not acknowledged yet: a round trip's worth at some thousands a second.
inline constexpr std::size_t kInFlight = 256;
// Answers that wait for the broker; while it is down nobody asks, so this is never full unless it hangs.
inline constexpr std::size_t kRepliesWaiting = 20'000;
inline constexpr std::size_t kReplyBytesWaiting = 16 * 1024 * 1024;
inline constexpr int kKeepAlive_s = 15;
// What the broker may take for its CONNACK, or to acknowledge anything while something is under way.
inline constexpr std::chrono::milliseconds kAnswer{10'000};
inline constexpr std::chrono::milliseconds kTick{1'000};
// For what is still to be said when the service stops.
inline constexpr std::chrono::milliseconds kFarewell{1'000};

// Devices that are asked at the same time whether there is something for them.
inline constexpr std::size_t kAskers = 16;
inline constexpr std::size_t kAsksWaiting = 1'024;
// Between two looks at all devices that take their commands here; and how many of them before somebody else has a turn.
inline constexpr std::chrono::milliseconds kRound{1'000};
inline constexpr std::size_t kSlice = 20'000;
// The first round after something happened; of a large fleet later, so that looking at it does not fill the time.
inline constexpr std::chrono::milliseconds kRoundMin{10};
inline constexpr std::size_t kLooksPerMs = 1'000;
// After an ask that led to nothing though there was hope: twice as long each time.
inline constexpr std::chrono::milliseconds kVainMin{1'000};
inline constexpr std::chrono::milliseconds kVainMax{30'000};

// What devices say is kept until it was heard, and no longer than this.
inline constexpr std::chrono::hours kStreamAge{7 * 24};
// So many messages of one device are kept: all reports that an attempt may have (domain), so that nobody who means well has
// more to say while the service is away, and somebody loud pushes out none but its own.
inline constexpr std::int64_t kStreamMessagesOfDevice = 1'000;
// Between two answers that tell a device that it says too much: one each would cost more than its messages do.
inline constexpr double kRefusalsPerSecond = 1;

}  // namespace ota::gateways::mqtt::limits
