// The words of the event store: positions, times, events as appended and events as recorded.
//
// The store knows nothing of firmware. A stream, a tag and a payload are bytes to it; the rooms
// above give them meaning. Everything here is a value and may cross threads.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ota::eventstore {

// The place of an event in the log. The first event has 1; 0 stands before the first. No holes.
struct Position {
  std::uint64_t value = 0;
  auto operator<=>(const Position&) const = default;
};

// UTC, microseconds since the Unix epoch. Monotone (never decreasing) by position.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

// 8 random bytes that stand for a person or a service account; all zero: a device, a timer, nobody.
struct SubjectToken {
  std::array<std::uint8_t, 8> bytes{};
  auto operator<=>(const SubjectToken&) const = default;
  bool empty() const { return *this == SubjectToken{}; }
};

// 16 bytes that name one command; the journal never commits two appends with the same one.
struct CommandId {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const CommandId&) const = default;
};

using Hash = std::array<std::uint8_t, 32>;  // SHA-256

// Why an event came to be. Equal for all events of one append as a rule.
struct Origin {
  SubjectToken caller;               // who asked; empty for devices, timers and reactions
  std::optional<CommandId> command;  // absent where nobody could repeat it (device reports)
  std::string correlation;  // the caller's X-Request-Id, <= 64 bytes; empty: the command id
  Position causation;       // the event that led to this one; 0: none
};

// One event on its way into the log.
struct NewEvent {
  std::string stream;      // the entity, 1..600 bytes
  std::uint16_t type = 0;  // the vocabulary of the room above; never reused
  // Further names under which it is found, each once; the stream is one by itself and not repeated.
  std::vector<std::string> tags;
  std::string payload;
  Origin origin;
};

// One event as it is in the log. The views point into storage that the owner of this value keeps
// alive: a CommittedGroup, or the visitor call of a reader.
struct RecordedEvent {
  Position position;
  Timestamp time;
  std::string_view stream;
  std::uint16_t type = 0;
  std::vector<std::string_view> tags;
  std::string_view payload;
  SubjectToken caller;
  std::optional<CommandId> command;
  std::string_view correlation;
  Position causation;
};

// "Nothing newer than `newest` is tagged `tag`" (a stream's name is a tag too).
struct Condition {
  std::string tag;
  Position newest;
};

// What the journal remembers of a command for 24 hours, written in the same batch as its events.
struct CommandRecord {
  Hash request{};            // hash of what was asked: the same key with another body is a mistake
  std::uint16_t status = 0;  // what was answered (an HTTP status, for the room above)
  Position position;         // the first event of the append; without any, the newest before it
  Timestamp time;
};

struct Committed {
  // The events of the append have first, first + 1, ...; without any, the newest before it.
  Position first;
  std::uint32_t count = 0;
  Timestamp time;
  Position last() const { return {first.value + count - (count ? 1 : 0)}; }
};
struct Conflict {
  std::string tag;
  Position newest;  // where the newer event is
};
struct Repeated {
  CommandRecord earlier;  // nothing was written: this command had committed before
};
struct Refused {
  std::string why;  // the journal is closing, or the log cannot be read; nothing was written
};
using AppendOutcome = std::variant<Committed, Conflict, Repeated, Refused>;

}  // namespace ota::eventstore
