// What the passes of a verification share. Inside eventstore/verify*.cpp only.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/checkpoint_rows.hpp"
#include "eventstore/database.hpp"
#include "eventstore/keyed_sum.hpp"
#include "eventstore/tile_levels.hpp"
#include "eventstore/verify.hpp"

namespace ota::eventstore {

// Any thread adds.
class Findings {
 public:
  void add(Position first, Position last, std::string what);
  void add(Position at, std::string what) { add(at, at, std::move(what)); }
  // In log order; those of no single event last.
  void move_to(Verification& verification);
  std::size_t count() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Finding> findings_;
  std::uint64_t further_ = 0;
};

// Whether the verification is to be broken off. Any thread.
class StopSign {
 public:
  explicit StopSign(const std::function<bool()>& asked) : asked_(asked) {}
  // Asks whoever wanted the verification. It stays up.
  bool ask() {
    if (!is_up() && asked_ && asked_()) up_.store(true, std::memory_order_relaxed);
    return is_up();
  }
  bool is_up() const { return up_.load(std::memory_order_relaxed); }

 private:
  const std::function<bool()>& asked_;
  std::atomic<bool> up_{false};
};

// What is verified: one state of the database, and how.
struct Verified {
  const Database& database;
  const rocksdb::Snapshot* at;
  Position head;                                    // the newest event that anything is left of
  KeyedSum::Key key;                                // of this run
  std::uint64_t rows_per_second;
  StopSign& stop;
};

// Holds a thread to a number of rows a second, and tells it to stop.
class VerifyPace {
 public:
  explicit VerifyPace(const Verified& what) : rate_(what.rows_per_second), stop_(what.stop) {}
  // Call for every row. False: stop.
  bool goes_on();

 private:
  std::uint64_t rate_;
  StopSign& stop_;
  std::uint64_t rows_ = 0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// A scan of a whole family, read ahead and past the cache.
std::unique_ptr<rocksdb::Iterator> scan(const Verified& what, Family family);
// The log from the first row on that can be read, at `from` or behind it; null: there is none.
std::unique_ptr<rocksdb::Iterator> seek_readable(const Verified& what, Position from);

// The events in order, the tree over them, and the checkpoints.
class LogPass {
 public:
  LogPass(const Verified& what, const VerifyOptions& options, Findings& findings);
  ~LogPass();
  // `after_event` is called for every event that was read.
  void run(const std::function<void(std::uint64_t events)>& after_event, Verification& out);

  // What the indexes should hold.
  const KeyedSum& streams() const { return streams_; }
  const KeyedSum& tags() const { return tags_; }
  bool read_all() const { return read_all_; }

 private:
  class StoredHashes;

  void check_event(Position position, std::string_view record);
  void skip_to(Position position);
  void add_leaf(Position position, const Hash* computed);
  void check_checkpoints_at(std::uint64_t size);
  void check_given(const merkle::Tree& tree);
  void check_end(Verification& out);
  void check_unsigned(std::uint64_t end);
  std::unique_ptr<rocksdb::Iterator> go_on_behind(const rocksdb::Status& why);
  bool is_signed(const SignedCheckpoint& note) const;

  const Verified& what_;
  const VerifyOptions& options_;
  Findings& findings_;
  VerifyPace pace_;
  KeyedSum streams_;
  KeyedSum tags_;
  std::vector<CheckpointRow> checkpoints_;
  bool all_checkpoints_ = true;                     // could be read
  std::size_t next_checkpoint_ = 0;
  std::uint64_t last_good_ = 0;                     // the size of the newest checkpoint that held
  std::uint64_t last_kept_ = 0;                     // of the newest one at all
  std::uint64_t good_ = 0;
  bool tree_differs_ = false;                       // said once
  std::vector<StoredHashes> stored_;                // by level
  TileLevels levels_;
  Sha256 sha_;
  RecordedEvent event_;
  Timestamp time_;
  Position expected_{1};
  std::uint64_t read_ = 0;
  bool read_all_ = true;
};

// The rows of `streams` and of `tags`, each in its own order, and what the log does not say all of: `snapshots`, `commands`.
class IndexPass {
 public:
  IndexPass(const Verified& what, Findings& findings);
  void run();

  const KeyedSum& streams() const { return streams_; }
  const KeyedSum& tags() const { return tags_; }
  bool read_all() const { return read_all_; }

 private:
  // False: not all of it could be read.
  bool scan_family(Family family, const std::function<void(std::string_view key, std::string_view value)>& visit);
  bool scan_names(Family family, const std::function<void(Position, std::string_view name, std::string_view value)>& visit);
  void check_command(std::string_view key, std::string_view row);

  const Verified& what_;
  Findings& findings_;
  VerifyPace pace_;
  KeyedSum streams_;
  KeyedSum tags_;
  bool read_all_ = true;
};

// Find out row by row why an index is not that of the log. `sums_differ`: there must be a reason; else something could not be
// read, and there may be none.
void name_differences_of_streams(const Verified& what, Findings& findings, bool sums_differ);
void name_differences_of_tags(const Verified& what, Findings& findings, bool sums_differ);

}  // namespace ota::eventstore
