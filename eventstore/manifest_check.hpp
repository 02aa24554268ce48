// The list of a database's tables (its MANIFEST), looked at before RocksDB believes it.
//
// RocksDB takes a record whose length is wrong for one that was not written to its end, as after a power cut, and leaves out whatever
// comes behind it: tables, column families, whole logs, which it then deletes. The records are framed as those of a WAL (wal_file.hpp).
// So RocksDB is handed the bytes that were looked at here, and they are refused
//
//   if they are wrong and read otherwise a second time: a disk or a memory that turns bits
//   if sound records are behind what is wrong: that had been written, and is damaged
//
// A torn tail, which is normal, and one whose last records were damaged later, or are gone, look the same. The note beside the
// database says how much of it was synced (acknowledged.hpp, wal_guard.hpp); for what came within the second behind the note it is
// looked at, without changing anything, whether all is there that was acknowledged (has_torn_manifest()).
#pragma once

#include <rocksdb/env.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ota::eventstore {

// An environment with the files of `base` (null: the usual ones), which refuses such a MANIFEST. It lives for ever. `may_be_torn`:
// one that ends within a record is known, and is none of them.
rocksdb::Env* with_manifest_check(rocksdb::Env* base, bool may_be_torn);

// The MANIFEST that is in use.
struct FoundManifest {
  std::uint64_t number = 0;         // of the file
  std::uint64_t sound_bytes = 0;    // all before that is sound
  bool is_torn = false;             // it ends within a record
};
// Empty: there is none, or none that can be read.
std::optional<FoundManifest> find_manifest(const std::filesystem::path& database);
bool has_torn_manifest(const std::filesystem::path& database);

// "MANIFEST-000005"
std::string manifest_name(std::uint64_t number);
// Of "MANIFEST-000005", in a directory or not; empty: it is another file.
std::optional<std::uint64_t> manifest_number(std::string_view file);
// What is wrong with it before byte `synced`, as a sentence; empty: nothing, or it is no longer there.
std::string manifest_fault(const std::filesystem::path& database, std::uint64_t number, std::uint64_t synced);

// Copies of all that a start might delete if the list is not what it was: it, and its tables, which take no room (hard links).
void keep_tables(const std::filesystem::path& database, const std::filesystem::path& in);

}  // namespace ota::eventstore
