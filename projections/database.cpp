#include "projections/database.hpp"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include <fstream>
#include <stdexcept>

#include "eventstore/disk_room.hpp"
#include "projections/limits.hpp"

namespace ota::projections {
namespace {

constexpr const char* kIteratedName = "iterated";
constexpr const char* kDamagedName = "damaged";  // a file among theirs: they must begin anew

// Rows that come in the order of their keys, as those of a fleet that is imported: each finds its place in memory behind
// the one before, without a search. The prefix tells which rows follow one another.
class InOrder final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "ota.in_order"; }
  bool InDomain(const rocksdb::Slice& key) const override { return prefix_bytes(view(key)) > 0; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), prefix_bytes(view(key))};
  }

 private:
  // 0: in no order that is known, or in lists as short and as many as there are owners.
  static std::size_t prefix_bytes(std::string_view key) {
    switch (static_cast<Table>(key.front())) {
      case Table::kDevice:
      case Table::kDeviceName:
      case Table::kDevicePlace:
        return 1;
      case Table::kDeviceList:
        return key[1] == static_cast<char>(DeviceDimension::kOwner) ? 0 : list_prefix_bytes(key);
      default:
        return 0;
    }
  }
  static std::size_t list_prefix_bytes(std::string_view key) {
    constexpr std::size_t kDimension = 2;  // table and dimension
    BytesIn in(key.substr(kDimension));
    return kDimension + sizeof(std::uint32_t) + in.text().size();
  }
};

rocksdb::ColumnFamilyOptions family_options(const std::shared_ptr<rocksdb::Cache>& cache,
                                            std::size_t buffer_bytes, bool looked_up) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.format_version = 5;
  if (looked_up) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = buffer_bytes;
  options.max_write_buffer_number = 3;
  options.memtable_insert_with_hint_prefix_extractor = std::make_shared<InOrder>();
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kLZ4Compression;
  if (looked_up) {  // most updates and actions are new: do not search the memtable for them
    options.memtable_prefix_bloom_size_ratio = 0.05;
    options.memtable_whole_key_filtering = true;
  }
  return options;
}

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.atomic_flush =
      true;  // without a WAL the only thing that keeps the families at one position
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  options.max_background_jobs = 2;
  options.bytes_per_sync = std::size_t{1} << 20;
  options.avoid_flush_during_shutdown = false;
  options.keep_log_file_num = 2;
  options.max_log_file_size = std::size_t{4} << 20;
  options.info_log_level = rocksdb::WARN_LEVEL;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors() {
  const auto cache = rocksdb::NewLRUCache(limits::kBlockCacheBytes);
  return {{rocksdb::kDefaultColumnFamilyName, family_options(cache, limits::kRowsBufferBytes, true)},
          {kIteratedName, family_options(cache, limits::kIndexBufferBytes, false)}};
}

}  // namespace

void check(const rocksdb::Status& status, std::string_view doing) {
  if (!status.ok()) {
    throw std::runtime_error(fmt::format("the views cannot {}: {}", doing, status.ToString()));
  }
}

std::unique_ptr<Database> Database::open(const std::filesystem::path& folder) {
  eventstore::expect_room_to_open(folder, "views");
  std::filesystem::create_directories(folder);
  const auto descriptors = family_descriptors();
  std::unique_ptr<Database> database(new Database);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const auto try_open = [&] {
    return rocksdb::DB::Open(database_options(), folder.string(), descriptors, &handles, &db);
  };
  if (must_begin_anew(folder)) destroy(folder);
  auto status = try_open();
  if (status.IsCorruption() || status.IsInvalidArgument()) {
    destroy(folder);
    status = try_open();
  }
  if (!status.ok()) {
    throw std::runtime_error(
        fmt::format("the views in {} cannot be opened: {}", folder.string(), status.ToString()));
  }
  database->folder_ = folder;
  database->take(db, handles);
  return database;
}

std::unique_ptr<Database> Database::open_read_only(const std::filesystem::path& folder) {
  std::unique_ptr<Database> database(new Database);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  auto options = database_options();
  options.create_if_missing = false;
  options.create_missing_column_families = false;
  const auto status = rocksdb::DB::OpenForReadOnly(options, folder.string(), family_descriptors(), &handles, &db);
  if (!status.ok()) {
    throw std::runtime_error(
        fmt::format("the views in {} cannot be read: {}", folder.string(), status.ToString()));
  }
  database->take(db, handles);
  database->leave_unflushed();
  return database;
}

void Database::take(rocksdb::DB* db, const std::vector<rocksdb::ColumnFamilyHandle*>& handles) {
  db_.reset(db);
  std::copy(handles.begin(), handles.end(), handles_.begin());
}

std::uint64_t Database::disk_bytes() const {
  std::uint64_t bytes = 0;
  for (auto* handle : handles_) {
    for (const auto* property : {"rocksdb.total-sst-files-size", "rocksdb.cur-size-all-mem-tables"}) {
      std::uint64_t found = 0;
      if (db_->GetIntProperty(handle, property, &found)) bytes += found;
    }
  }
  return bytes;
}

void Database::destroy(const std::filesystem::path& folder) {
  const auto status = rocksdb::DestroyDB(folder.string(), rocksdb::Options());
  if (!status.ok()) {
    throw std::runtime_error(fmt::format("the views in {} cannot be deleted: {}",
                                         folder.string(), status.ToString()));
  }
  std::filesystem::remove(folder / kDamagedName);
}

Database::~Database() {
  if (!db_) return;
  // Not written to disk: the next start folds it again.
  if (ends_flushed_) (void)db_->Flush(rocksdb::FlushOptions(), {handles_.begin(), handles_.end()});
  for (auto* handle : handles_) (void)db_->DestroyColumnFamilyHandle(handle);
  (void)db_->Close();
}

void Database::check_read(const rocksdb::Status& status) const {
  if (status.IsCorruption()) {
    const std::lock_guard lock(mutex_);
    if (damage_.empty()) std::ofstream(folder_ / kDamagedName) << status.ToString() << '\n';
    damage_ = status.ToString();
  }
  check(status, "be read");
}

std::string Database::damage() const {
  const std::lock_guard lock(mutex_);
  return damage_;
}

bool Database::must_begin_anew(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / kDamagedName);
}

void Database::write(rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  check(db_->Write(options, &batch), "be written");
}

void Database::flush(bool wait) {
  rocksdb::FlushOptions options;
  options.wait = wait;
  options.allow_write_stall = !wait;  // else it may wait although it was asked not to
  check(db_->Flush(options, {handles_.begin(), handles_.end()}), "be flushed to disk");
}

}  // namespace ota::projections
