// The options of RocksDB, each with its reason. Measured with RocksDB 7.8.3; look again before
// another version.
#pragma once

#include <rocksdb/options.h>

#include <memory>

#include "eventstore/database.hpp"

namespace ota::eventstore {

rocksdb::DBOptions database_options(rocksdb::Env* env);
// The options of each family, in the order of `Family`.
std::array<rocksdb::ColumnFamilyOptions, kFamilyNames.size()> family_options(
    std::shared_ptr<const Head> head);

// How the writer writes: durable when it returns.
rocksdb::WriteOptions durable_write();

// Bytes of checksum that each key and value carries from the batch to the WAL and the memtable.
inline constexpr std::size_t kBatchProtectionBytes = 8;

}  // namespace ota::eventstore
