// The log: one RocksDB that holds every event, and the readers over it.
//
// Column families (all one atomic write a group, one WAL):
//   log        position (8 bytes big endian)                       -> record
//   streams    hash64(stream), stream, position                    -> the same record
//   tags       hash64(tag), tag, position                          -> nothing
//   snapshots  hash64(stream), stream, position                    -> bytes
//   commands   command id                                          -> CommandRecord
//              command id, 'a'                                     -> what was answered to it
//   tiles      level, tile, first leaf                             -> leaf hashes of the proof tree
//   meta       names                                               -> format version, ...
// Readers are safe from any thread at any time and see only what is committed. Writing is the
// Journal's alone. Any reader throws LogError if the log cannot be read, and passes on what its
// visitor throws.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "eventstore/types.hpp"

namespace rocksdb {
class Env;
}

namespace ota::eventstore {

struct Verification;
struct VerifyOptions;

// The log cannot be read: an I/O error, or bytes that are not what was written. A sentence for
// people.
struct LogError : std::runtime_error {
  explicit LogError(const std::string& why, Position at = {})
      : std::runtime_error(why), position(at) {}
  Position position;  // the event that it is about; 0: no single one
};

// Return false to stop reading.
using Visitor = std::function<bool(const RecordedEvent&)>;

struct Snapshot {
  Position position;  // the last event that it contains
  std::string bytes;
};

class Log {
 public:
  // Opens the log in `directory` (created if missing). Throws std::runtime_error with a sentence
  // for people: the directory is in use by another process, is not a log, was written by a newer
  // version, is damaged, or lacks something that was acknowledged.
  static std::shared_ptr<Log> open(const std::filesystem::path& directory);

  struct Options {
    // Where files are kept; null: the file system. For tests, which break it on purpose.
    rocksdb::Env* env = nullptr;
  };
  static std::shared_ptr<Log> open(const std::filesystem::path& directory, const Options& options);
  // What was cut off the end of the WAL when the log was opened, as a sentence; empty: nothing.
  std::string torn_tail() const;
  // A repair or a restore has left fewer events than there were: what follows the log may have seen more. Until it is forgotten;
  // not while there is a journal.
  bool is_set_back() const;
  void forget_set_back();
  // To read alone: of a copy, or of a log that a service is writing, as it is now. Nothing is written to the directory, and
  // nothing is compared with anything (verify.hpp does). Throws std::runtime_error as above; no journal may be made of it.
  static std::shared_ptr<Log> open_read_only(const std::filesystem::path& directory);
  // What was acknowledged and is not there, of a log that is opened to be read, as a sentence; empty: nothing.
  std::string shortfall() const;
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // The position of the newest committed event.
  Position head() const;
  // The time of the newest committed event.
  Timestamp head_time() const;

  // Visits every event after `after`, in position order, up to the head as of now.
  void scan(Position after, const Visitor& visit) const;
  // Visits the events of one stream after `after`, in position order: one seek, then next.
  void read_stream(std::string_view stream, Position after, const Visitor& visit) const;
  // Visits the events that carry `tag` (also as their stream's name) after `after`, in position
  // order.
  void read_tag(std::string_view tag, Position after, const Visitor& visit) const;
  // Visits one event; returns false if there is none at that position.
  bool read_one(Position position, const Visitor& visit) const;
  // The position of the newest event at or before `time`; 0 if none. Times are monotone by position: a search by halves.
  Position at_or_before(Timestamp time) const;
  // The position of the newest event at or before `at_most` that carries `tag`; 0 if none.
  Position newest(std::string_view tag, Position at_most = {UINT64_MAX}) const;

  // The newest snapshot of a stream at or before `at_most` (default: the newest).
  std::optional<Snapshot> snapshot(std::string_view stream, Position at_most = {UINT64_MAX}) const;
  // What is remembered of a command; empty if unknown or older than limits::kCommandMemory.
  std::optional<CommandRecord> command(const CommandId& id, Timestamp now) const;
  // What Journal::keep_answer() kept of it; empty if nothing, or for as long.
  std::optional<std::string> answer(const CommandId& id, Timestamp now) const;
  // The stored leaf hash of an event.
  std::optional<Hash> leaf_hash(Position position) const;

  struct Stats {
    std::uint64_t events = 0;
    std::uint64_t disk_bytes = 0;
  };
  Stats stats() const;

 private:
  friend class Journal;
  friend class Backups;
  friend class Proofs;
  friend Verification verify(const Log& log, const VerifyOptions& options);
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ota::eventstore
