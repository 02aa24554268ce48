// The RocksDB behind the subjects, opened with the care of the log's (database.hpp): what was synced is there, or the start is
// refused in words. A note of how many names were ever given a token (acknowledged.hpp) tells what is missing.
//
//   't' | token, 8 bytes   -> the person
//   'm' | "format"         -> 1
//   'm' | "made"           -> how many tokens were ever made, 8 bytes big endian; an earlier version wrote none
//   'm' | "erasing"        -> nothing; there while a deleted person may still be in old files
#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "eventstore/background_faults.hpp"
#include "eventstore/torn_tail.hpp"
#include "eventstore/wal_guard.hpp"

namespace ota::eventstore {

inline constexpr std::string_view kSubjectsName = "subjects database";
inline constexpr std::string_view kMadeKey = "mmade";
// A file in its directory from when a restore has shown it until the log beside it is there, too (backups.cpp).
inline constexpr const char* kRestoreMark = "RESTORE";
inline constexpr char kTokenPrefix = 't';

WalGuard subjects_guard(const std::filesystem::path& directory);

struct OpenedSubjects {
  std::unique_ptr<rocksdb::DB> db;
  std::optional<TornTail> torn_tail;
};
// Opens or creates it. Throws std::runtime_error with a sentence for people, also if names that were acknowledged are missing: then
// nothing was changed. `env` null: the usual files.
OpenedSubjects open_subjects(const std::filesystem::path& directory, rocksdb::Env* env, const std::shared_ptr<BackgroundFaults>& faults);
// Opens it to read what is left; its WAL is in a directory of its own or, empty, where it should be.
std::unique_ptr<rocksdb::DB> open_subjects_to_read(const std::filesystem::path& directory, const std::filesystem::path& wal_directory);
// For a repair: whatever is in its WAL goes to tables, over holes, and with it how many tokens were made as far as it can be told,
// which it answers.
std::uint64_t bring_into_tables(const std::filesystem::path& directory);

// How many tokens were ever made.
std::uint64_t tokens_made(rocksdb::DB& db);
// Writes it down, synced, where it is not yet: from then on nobody who is erased is taken for somebody who is missing.
rocksdb::Status keep_tokens_made(rocksdb::DB& db, std::uint64_t made);
// Files of its WAL with smaller numbers hold nothing that is not in tables.
std::uint64_t first_needed_wal(rocksdb::DB& db);
// A note of what it holds, all of which is synced.
Acknowledged subjects_note(const std::filesystem::path& directory, rocksdb::DB& db, std::uint64_t made);

}  // namespace ota::eventstore
