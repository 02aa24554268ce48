// What the journal remembers of commands: how a row of `commands` is written, read, and forgotten
// after 24 hours.
//
//   row = format 1 (1 byte) | request hash (32) | status (2) | position (8) | time in microseconds
//   (8)   big endian
//   answer, under the id and one byte more = format 2 (1) | time (8) | what was answered
//
// A row older than limits::kCommandMemory reads as unknown at once and leaves the disk with a later
// compaction.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "eventstore/types.hpp"

namespace rocksdb {
class CompactionFilterFactory;
}

namespace ota::eventstore {

struct Head;

inline std::string_view command_key(const CommandId& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}
std::string encode_command(const CommandRecord& record);
// Empty if the bytes are damaged.
std::optional<CommandRecord> decode_command(std::string_view row);

bool is_forgotten(Timestamp written, Timestamp now);

std::string answer_key(const CommandId& id);
std::string encode_answer(Timestamp written, std::string_view answer);
struct KeptAnswer {
  Timestamp written;
  std::string_view answer;
};
// Empty if the bytes are damaged. The answer points into `row`.
std::optional<KeptAnswer> decode_answer(std::string_view row);

// Drops forgotten rows as of the time of the newest event, which no reader's clock is behind.
std::shared_ptr<rocksdb::CompactionFilterFactory> forget_old_commands(
    std::shared_ptr<const Head> head);

}  // namespace ota::eventstore
