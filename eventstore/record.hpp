// The record: one event as it is stored, under its position in `log` and under its stream in `streams`. FOR EVER.
//
//   record = time | body     time: microseconds since 1970 UTC, 8 bytes big endian, stamped by the writer
//
//   body     format       1 byte                   1
//            flags        1 byte                   which of the optional parts are there; other bits are 0
//            type         varint                   0..65535
//            stream       varint n, n bytes        1..600
//     0x01   caller       8 bytes                  not all zero
//     0x02   command      16 bytes
//     0x04   correlation  varint n, n bytes        1..64
//     0x08   causation    varint                   a position, from 1
//     0x10   tags         varint count (1..16), then each: varint n, n bytes (1..600)
//            payload      varint n, n bytes        ends the body
//
// The position is the key and not in the record. Varints have their shortest form, parts without
// content are absent: an event has one body, and the SHA-256 of the body is what the proof tree
// holds. Example, an event of type 300 at 1 second past 1970 in stream "d7", caused by position 5,
// tagged "fleet", payload "up":
//
//   00 00 00 00 00 0f 42 40   time 1000000
//   01 18                     format, flags: causation and tags
//   ac 02                     type 300
//   02 64 37                  stream "d7"
//   05                        causation 5
//   01 05 66 6c 65 65 74      one tag, "fleet"
//   02 75 70                  payload "up"
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "eventstore/types.hpp"

namespace ota::eventstore {

inline constexpr std::uint8_t kRecordFormat = 1;
inline constexpr std::size_t kRecordTimeBytes = 8;

// The size of an event's body. Asserts that the event is within limits.hpp: that is its sender's
// duty.
std::size_t body_bytes(const NewEvent& event);

// Writes body_bytes(event) bytes to `out` and fills `view` with what the body says, pointing into
// `out`. Position and time stay as they are.
void encode_body(const NewEvent& event, char* out, RecordedEvent& view);

// Writes the time into the first 8 bytes of a record.
void stamp_record(char* record, Timestamp time);

// What is wrong with a record, and where.
struct RecordFault {
  const char* what;
  std::size_t offset;
};
// Reads a record of any bytes. The views of `event` point into `record`; the position stays as it
// is. On a fault the content of `event` is not specified.
[[nodiscard]] std::optional<RecordFault> decode_record(std::string_view record,
                                                       RecordedEvent& event);

}  // namespace ota::eventstore
