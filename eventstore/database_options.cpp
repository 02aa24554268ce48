#include "eventstore/database_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include "eventstore/command_index.hpp"
#include "eventstore/keys.hpp"

namespace ota::eventstore {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

rocksdb::BlockBasedTableOptions table_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.format_version = 5;
  return table;
}

rocksdb::ColumnFamilyOptions plain(const std::shared_ptr<rocksdb::Cache>& cache,
                                   std::size_t write_buffer_bytes) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = write_buffer_bytes;
  options.compaction_style = rocksdb::kCompactionStyleLevel;
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kDisableCompressionOption;  // the same on every level
  options.enable_blob_files = false;  // scans are 9 x slower with them
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(cache)));
  return options;
}

// Keys that begin with hash64(name): a name that does not exist costs a bloom probe, no read.
rocksdb::ColumnFamilyOptions by_name(const std::shared_ptr<rocksdb::Cache>& cache,
                                     std::size_t write_buffer_bytes) {
  rocksdb::ColumnFamilyOptions options = plain(cache, write_buffer_bytes);
  rocksdb::BlockBasedTableOptions table = table_options(cache);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.whole_key_filtering = false;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(kNameHashBytes));
  options.memtable_prefix_bloom_size_ratio = 0.05;
  return options;
}

}  // namespace

rocksdb::DBOptions database_options(rocksdb::Env* env) {
  rocksdb::DBOptions options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  // RocksDB must not decide alone what a damaged WAL means. kPointInTimeRecovery, its own choice, opens a log with a flipped
  // bit or an unreadable block in the middle of the WAL without a word, and without any of the events behind it. So it
  // opens sound files only: a torn tail, which is normal after a power cut, is cut off before (torn_tail.hpp), and
  // whatever else is wrong is refused, and left to people (repair.hpp).
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  options.max_total_wal_size = 128 * kMegabyte;       // bounds the replay of a start
  options.recycle_log_file_num = 0;                   // slower here, and recovery had holes with it
  options.wal_compression = rocksdb::kNoCompression;  // its recovery is broken before 8.0
  options.track_and_verify_wals_in_manifest = false;  // may refuse to open before 7.10
  options.manual_wal_flush = false;
  // One writer, one batch in flight: what helps many writers only costs here.
  options.enable_pipelined_write = false;
  options.unordered_write = false;  // would let a reader see a hole
  options.two_write_queues = false;
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  options.max_background_jobs = 2;
  options.bytes_per_sync = kMegabyte;  // tables only: no storms of write-back beside the fsyncs
  options.keep_log_file_num = 4;       // RocksDB's own log for people
  options.max_log_file_size = 8 * kMegabyte;
  options.info_log_level = rocksdb::WARN_LEVEL;
  return options;
}

std::array<rocksdb::ColumnFamilyOptions, kFamilyNames.size()> family_options(
    std::shared_ptr<const Head> head) {
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(64 * kMegabyte);
  std::array<rocksdb::ColumnFamilyOptions, kFamilyNames.size()> families;
  const auto of = [&families](Family family) -> rocksdb::ColumnFamilyOptions& {
    return families[static_cast<std::size_t>(family)];
  };
  // Sequential keys and one compression: files only move from level to level, write
  // amplification 1.00.
  // 64 MB are no faster: a larger skip list fits the processor's caches less.
  of(Family::kLog) = plain(cache, 32 * kMegabyte);
  of(Family::kLog).max_write_buffer_number = 3;
  of(Family::kLog).ttl = 0;  // nor are they rewritten for their age
  of(Family::kLog).periodic_compaction_seconds = 0;
  // Rewritten by compaction anyway, so the last level may spend time on space.
  // A row's place in memory is searched for, and a small skip list fits the processor's caches: eight of them go to disk as
  // one table.
  of(Family::kStreams) = by_name(cache, 4 * kMegabyte);
  of(Family::kStreams).min_write_buffer_number_to_merge = 8;
  of(Family::kStreams).max_write_buffer_number = 17;
  of(Family::kStreams).bottommost_compression = rocksdb::kZSTD;
  of(Family::kTags) = by_name(cache, 2 * kMegabyte);
  of(Family::kTags).min_write_buffer_number_to_merge = 8;
  of(Family::kTags).max_write_buffer_number = 17;
  of(Family::kSnapshots) = by_name(cache, 8 * kMegabyte);
  of(Family::kCommands) = plain(cache, 8 * kMegabyte);
  rocksdb::BlockBasedTableOptions commands = table_options(cache);
  commands.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));  // most ids are new
  of(Family::kCommands).table_factory.reset(rocksdb::NewBlockBasedTableFactory(commands));
  of(Family::kCommands).memtable_prefix_bloom_size_ratio = 0.05;
  of(Family::kCommands).memtable_whole_key_filtering = true;
  of(Family::kCommands).compaction_filter_factory = forget_old_commands(std::move(head));
  // A day, so that every file meets the filter.
  of(Family::kCommands).periodic_compaction_seconds = 86'400;
  of(Family::kTiles) = plain(cache, 8 * kMegabyte);
  of(Family::kTiles).compression = rocksdb::kNoCompression;  // hashes
  of(Family::kMeta) = plain(cache, kMegabyte);
  return families;
}

rocksdb::WriteOptions durable_write() {
  rocksdb::WriteOptions options;
  options.sync = true;
  options.disableWAL = false;
  return options;
}

}  // namespace ota::eventstore
