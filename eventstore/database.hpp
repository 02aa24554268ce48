// The RocksDB behind the log: its column families, their options, and how it is opened.
//
// Inside the event store only: rooms above see Log and Journal. Reading is safe from any thread;
// writing is the Journal's writer's alone.
#pragma once

#include <rocksdb/db.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "eventstore/acknowledged.hpp"
#include "eventstore/torn_tail.hpp"
#include "eventstore/types.hpp"
#include "eventstore/wal_check.hpp"

namespace ota::eventstore {

enum class Family : std::size_t { kLog, kStreams, kTags, kSnapshots, kCommands, kTiles, kMeta };
inline constexpr std::array<const char*, 7> kFamilyNames = {
    "log", "streams", "tags", "snapshots", "commands", "tiles", "meta"};

// The newest committed event. Written by the writer after the commit, the time first.
struct Head {
  std::atomic<std::uint64_t> position{0};
  std::atomic<std::int64_t> time_us{0};

  Position at() const { return {position.load(std::memory_order_acquire)}; }
  Timestamp time() const {
    return Timestamp{std::chrono::microseconds(time_us.load(std::memory_order_acquire))};
  }
  void move_to(Position next, Timestamp time_of_next) {
    time_us.store(time_of_next.time_since_epoch().count(), std::memory_order_release);
    position.store(next.value, std::memory_order_release);
  }
};

class BackgroundFaults;
class TableChanges;
class WalGuard;

class Database {
 public:
  // Opens or creates. `head` tells the commands' compaction filter the time. `env` null: the usual
  // files. Throws std::runtime_error with a sentence for people, also if files are missing that were acknowledged
  // (wal_guard.hpp): then nothing was changed.
  static std::unique_ptr<Database> open(const std::filesystem::path& directory,
                                        std::shared_ptr<const Head> head, rocksdb::Env* env);
  // Opens what is there to read it, and writes nothing to the directory. Throws std::runtime_error as open() does, but for what is
  // missing: shortfall() says it.
  static std::unique_ptr<Database> open_read_only(const std::filesystem::path& directory);
  // For repair.hpp: opens a log with holes in its WAL, whose files are in a directory of their own or, empty, where they
  // should be; only to be read in the first case.
  static std::unique_ptr<Database> open_with_holes(const std::filesystem::path& directory, const std::filesystem::path& wal_directory);
  // Flushes first if there is much in memory, so that the next start need not replay it.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* family(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }
  const std::filesystem::path& directory() const { return directory_; }
  // What was cut off when it was opened.
  const std::optional<TornTail>& torn_tail() const { return torn_tail_; }
  // What was acknowledged and is not there, as a sentence; empty: nothing. Then nothing may be written.
  const std::string& shortfall() const { return shortfall_; }
  // How far it was noted to be acknowledged when it was opened, to be written.
  const std::optional<Acknowledged>& acknowledged() const { return acknowledged_; }
  const WalCheck& wal_check() const { return *wal_check_; }
  // Files of the WAL with smaller numbers hold nothing that is not in tables.
  std::uint64_t first_needed_wal() const;
  // The position of the newest row of `log`. Throws std::runtime_error if its block cannot be read.
  Position newest_row() const;
  // The same; empty: it cannot be read.
  std::optional<Position> newest_readable_row() const;
  // A note of this position, and of the WAL as it is: call when it is synced so far, and nothing is being written.
  Acknowledged durable_to(Position position, Timestamp time) const;
  // `on_fault` is called with a sentence, on a thread of RocksDB's, when it can no longer keep what was written: a table or
  // its list of tables cannot be written or is damaged. Writes that fail are their writer's to see. Empty: nobody.
  void watch(std::function<void(const std::string& why)> on_fault);

  // What is wrong with its list of tables, of which RocksDB reads no byte while it runs: a sentence; empty: nothing, or it is
  // read only: then it was looked at when it was opened, and how much of it is synced only the note says.
  std::string manifest_fault() const;
  // `on_change` is called on a thread of RocksDB's when tables were written. Empty: nobody.
  void watch_tables(std::function<void()> on_change);

  // Reads one row; empty if there is none. Throws LogError if the database cannot tell.
  bool get(Family family, std::string_view key, rocksdb::PinnableSlice& value) const;
  // Iterates over the rows of names (streams, tags, snapshots) that share the first 8 bytes of
  // where it is put.
  std::unique_ptr<rocksdb::Iterator> iterate_names(Family family,
                                                   const rocksdb::Snapshot* at = nullptr) const;
  // Iterates over everything in a family.
  std::unique_ptr<rocksdb::Iterator> iterate(Family family, bool fill_cache = true,
                                             const rocksdb::Snapshot* at = nullptr) const;

 private:
  explicit Database(std::filesystem::path directory, WalCheck::OnHole on_hole);
  void take(const std::vector<rocksdb::ColumnFamilyHandle*>& handles);
  void note_tables() const noexcept;
  bool read_format();
  void write_format();
  enum class Format { kMustBeThere, kMayBeLost };
  static std::unique_ptr<Database> open_existing(const std::filesystem::path& directory, rocksdb::DBOptions options, bool read_only,
                                                 Format format);
  static void refuse_shortfall(const std::filesystem::path& directory, const WalGuard& guard);

  std::filesystem::path directory_;
  std::optional<TornTail> torn_tail_;
  std::string shortfall_;
  std::optional<Acknowledged> acknowledged_;
  std::unique_ptr<WalCheck> wal_check_;
  bool is_read_only_ = false;
  std::shared_ptr<BackgroundFaults> faults_;
  std::shared_ptr<TableChanges> changes_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilyNames.size()> handles_{};
  std::vector<rocksdb::ColumnFamilyHandle*> others_;
};

// The newest file of the WAL of a database and its size, for a note of what is synced. Nothing may be written meanwhile.
void note_wal_end(rocksdb::DB& db, Acknowledged& note);
// Its list of tables (MANIFEST), as far as that is synced; RocksDB may go on with it meanwhile.
void note_manifest_end(rocksdb::DB& db, Acknowledged& note);

// Throws LogError if `status` is not ok.
void check(const rocksdb::Status& status, std::string_view doing);

inline rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
inline std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace ota::eventstore
