// The list of a database's tables (its MANIFEST), looked at before RocksDB believes it.
//
// RocksDB takes a record whose length is wrong for one that was not written to its end, as after a power cut, and leaves out whatever
// comes behind it: tables, column families, whole logs, which it then deletes. The records are framed as those of a WAL (wal_file.hpp).
// So RocksDB is handed the bytes that were looked at here, and they are refused
//
//   if they are wrong and read otherwise a second time: a disk or a memory that turns bits
//   if sound records are behind what is wrong: that had been written, and is damaged
//
// A torn tail, which is normal, and one whose last record was damaged later look the same: whether all is there that was
// acknowledged is looked at without changing anything, where there is one (has_torn_manifest()).
#pragma once

#include <rocksdb/env.h>

#include <filesystem>

namespace ota::eventstore {

// An environment with the files of `base` (null: the usual ones), which refuses such a MANIFEST. It lives for ever. `may_be_torn`:
// one that ends within a record is known, and is none of them.
rocksdb::Env* with_manifest_check(rocksdb::Env* base, bool may_be_torn);

// Whether the MANIFEST of a database ends within a record. False also if there is none, or none that can be read.
bool has_torn_manifest(const std::filesystem::path& database);

}  // namespace ota::eventstore
