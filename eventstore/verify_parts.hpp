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

// Holds a thread to a number of rows a second, and tells it to stop.
class VerifyPace {
 public:
  VerifyPace(std::uint64_t rows_per_second, const std::atomic<bool>& stop) : rate_(rows_per_second), stop_(stop) {}
  // Call for every row. False: stop.
  bool goes_on();

 private:
  std::uint64_t rate_;
  const std::atomic<bool>& stop_;
  std::uint64_t rows_ = 0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// What is verified: one state of the database.
struct Verified {
  const Database& database;
  const rocksdb::Snapshot* at;
  Position head;
  KeyedSum::Key key;                                // of this run
};

// A scan of a whole family, read ahead and past the cache.
std::unique_ptr<rocksdb::Iterator> scan(const Verified& what, Family family);

// The events in order, the tree over them, and the checkpoints.
class LogPass {
 public:
  LogPass(const Verified& what, const VerifyOptions& options, Findings& findings, const std::atomic<bool>& stop);
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
  Position seek_readable(std::unique_ptr<rocksdb::Iterator>& rows, Position from, const rocksdb::Status& why);
  bool is_signed(const SignedCheckpoint& note) const;

  const Verified& what_;
  const VerifyOptions& options_;
  Findings& findings_;
  VerifyPace pace_;
  KeyedSum streams_;
  KeyedSum tags_;
  std::vector<CheckpointRow> checkpoints_;
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

// The rows of `streams` and of `tags`, each in its own order.
class IndexPass {
 public:
  IndexPass(const Verified& what, std::uint64_t rows_per_second, Findings& findings, const std::atomic<bool>& stop);
  void run();

  const KeyedSum& streams() const { return streams_; }
  const KeyedSum& tags() const { return tags_; }
  bool read_all() const { return read_all_; }

 private:
  void scan_family(Family family, const std::function<void(Position, std::string_view name, std::string_view value)>& visit);
  void scan_rest(Family family);

  const Verified& what_;
  Findings& findings_;
  VerifyPace pace_;
  KeyedSum streams_;
  KeyedSum tags_;
  bool read_all_ = true;
};

// Finds out row by row why an index is not that of the log.
void name_differences_of_streams(const Verified& what, Findings& findings, const std::atomic<bool>& stop);
void name_differences_of_tags(const Verified& what, Findings& findings, const std::atomic<bool>& stop);

}  // namespace ota::eventstore
