// The RocksDB behind the views: two column families, no WAL, flushed together.
//
// What is in it can always be folded again from the log. So whatever cannot be read is deleted and
// begun anew, but only ever in a folder of its own name: a wrong path must not cost the truth. One
// thread writes; any thread reads.
#pragma once

#include <rocksdb/db.h>

#include <array>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "projections/keys.hpp"

namespace ota::projections {

class Database {
 public:
  // Opens or creates the rows in `folder`, which nothing else is in. Throws std::runtime_error with a sentence for people.
  static std::unique_ptr<Database> open(const std::filesystem::path& folder);
  // Opens what is there to read it, and writes nothing. Throws as open() does.
  static std::unique_ptr<Database> open_read_only(const std::filesystem::path& folder);
  // Deletes the rows in `folder`, which must not be open.
  static void destroy(const std::filesystem::path& folder);
  // Flushes, as far as it can: what is lost is folded again.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB& db() const { return *db_; }
  // The column family of a key, by its table.
  rocksdb::ColumnFamilyHandle* family(std::string_view key) const {
    return handles_[is_iterated(static_cast<Table>(key.front())) ? kIterated : kLookedUp];
  }
  const std::array<rocksdb::ColumnFamilyHandle*, 2>& families() const { return handles_; }

  // Throws std::runtime_error if `status` is not ok. What is damaged on the disk is noted there: the next open() begins anew,
  // since nothing else would make it whole.
  void check_read(const rocksdb::Status& status) const;
  // What was damaged; empty: nothing was met.
  std::string damage() const;
  // Whether that was noted in `folder`, and nobody has opened it since.
  static bool must_begin_anew(const std::filesystem::path& folder);

  // All of the batch or nothing. Throws std::runtime_error if it cannot be written.
  void write(rocksdb::WriteBatch& batch);
  // Brings everything to disk. `wait` false: begins to, and returns.
  void flush(bool wait);
  // Nobody wants its rows any more: its end does not wait for the disk.
  void leave_unflushed() { ends_flushed_ = false; }
  // Of its files, and of what is in memory to go there.
  std::uint64_t disk_bytes() const;

 private:
  Database() = default;
  void take(rocksdb::DB* db, const std::vector<rocksdb::ColumnFamilyHandle*>& handles);
  static constexpr std::size_t kLookedUp = 0;
  static constexpr std::size_t kIterated = 1;

  std::filesystem::path folder_;
  mutable std::mutex mutex_;
  mutable std::string damage_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, 2> handles_{};
  bool ends_flushed_ = true;
};

inline rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
inline std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

// Throws std::runtime_error if `status` is not ok.
void check(const rocksdb::Status& status, std::string_view doing);

}  // namespace ota::projections
