// An append made ready on its sender's thread: serialised, hashed, and its index keys built.
//
// What is left to the one writer are the numbers that only it knows: it stamps position and time
// into these buffers and hands them to RocksDB as they are. Afterwards they carry the views of the
// committed group. Lives on the heap and never moves, since the views point into it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/bytes.hpp"
#include "eventstore/journal.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

// A key of `streams` or `tags` whose position is still to be stamped.
struct PreparedKey {
  char* begin;
  std::size_t bytes;

  std::uint64_t hash() const { return load_be64(begin); }
  void stamp(Position position) { store_be64(begin + bytes - kPositionBytes, position.value); }
  std::string_view view() const { return {begin, bytes}; }
};

struct PreparedEvent {
  char* record_begin;
  std::size_t record_bytes;
  std::size_t keys_begin;  // in PreparedAppend::keys: the stream's, then one for each tag
  std::size_t keys_end;
  Hash body;

  std::string_view record() const { return {record_begin, record_bytes}; }
};

struct PreparedCondition {
  Condition condition;
  std::uint64_t hash;  // of the tag
};

class PreparedAppend {
 public:
  // Asserts that the append is within limits.hpp.
  explicit PreparedAppend(Append append);
  PreparedAppend(const PreparedAppend&) = delete;
  PreparedAppend& operator=(const PreparedAppend&) = delete;

  std::vector<PreparedEvent> events;
  std::vector<PreparedKey> keys;
  std::vector<RecordedEvent> views;  // of `events`, position and time still to be filled in
  std::vector<PreparedCondition> conditions;
  std::optional<Append::Command> command;
  std::shared_ptr<const Signer> signer;
  std::size_t record_bytes = 0;

 private:
  void add_key(char*& out, std::string_view name);

  std::unique_ptr<char[]> storage_;
};

}  // namespace ota::eventstore
