// The directory of a database: made durably, checked before RocksDB may touch it, and its errors as
// sentences.
//
// RocksDB creates a database wherever there is no CURRENT file, and then deletes tables that it
// does not know. So a directory with other content, or one that lost its CURRENT, must be refused
// before.
#pragma once

#include <rocksdb/status.h>

#include <filesystem>
#include <string_view>

namespace ota::eventstore {

enum class DirectoryState { kEmpty, kHasDatabase };

// Creates the directory and its parents if missing, each entry synced. Throws std::filesystem::filesystem_error.
void create_durably(const std::filesystem::path& directory);

// The same. Throws std::runtime_error:
// not possible, or the directory holds something that is no database. `what` is its name for
// people: "event log".
DirectoryState prepare_directory(const std::filesystem::path& directory, std::string_view what);

// Throws std::runtime_error with a sentence for people if opening failed.
void check_opened(const rocksdb::Status& status, const std::filesystem::path& directory,
                  std::string_view what);

// The bytes of all files in it.
std::uint64_t directory_bytes(const std::filesystem::path& directory);

}  // namespace ota::eventstore
