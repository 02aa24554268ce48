#include "eventstore/subjects_database.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "eventstore/assert.hpp"
#include "eventstore/bytes.hpp"
#include "eventstore/database.hpp"
#include "eventstore/directory.hpp"
#include "eventstore/durable_files.hpp"
#include "eventstore/manifest_check.hpp"
#include "eventstore/no_log.hpp"
#include "eventstore/scratch.hpp"
#include "eventstore/wal_check.hpp"
#include "eventstore/wal_file.hpp"

namespace ota::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr int kOpensMax = 20;

rocksdb::Options subjects_options(rocksdb::Env* env) {
  rocksdb::Options options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = true;
  options.write_buffer_size = std::size_t{4} << 20;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;  // as the log's (database_options.cpp)
  options.recycle_log_file_num = 0;                                           // a recycled file would keep names
  options.max_background_jobs = 2;
  options.keep_log_file_num = 2;
  options.info_log_level = rocksdb::WARN_LEVEL;
  return options;
}

void must_read(const rocksdb::Status& status) {
  if (!status.ok()) throw std::runtime_error(fmt::format("cannot read the {}: {}", kSubjectsName, status.ToString()));
}

// As the log's (Database::refuse_shortfall).
void refuse_shortfall(const fs::path& directory, const WalGuard& guard) {
  if (!guard.note_fault().empty()) throw std::runtime_error(guard.note_fault());
  if (!guard.cut_manifest().empty()) throw std::runtime_error(guard.shortfall(std::nullopt, 0));
  const bool is_torn = guard.note() && has_torn_manifest(directory);  // without a note nothing was acknowledged
  if (guard.missing_wal(0).empty() && !is_torn) return;
  if (!is_torn) {
    const Scratch no_wal(directory);  // a start needs no other place
    const auto tables = open_subjects_to_read(directory, no_wal.path());
    if (guard.missing_wal(first_needed_wal(*tables)).empty()) return;
  }
  const auto left = open_subjects_to_read(directory, {});
  guard.refuse_damaged(first_needed_wal(*left));
  const auto shortfall = guard.shortfall(tokens_made(*left), first_needed_wal(*left));
  if (!shortfall.empty()) throw std::runtime_error(shortfall);
}

}  // namespace

WalGuard subjects_guard(const fs::path& directory) {
  return {directory, {std::string(kSubjectsName), "names", fs::path(directory).parent_path()}};
}

OpenedSubjects open_subjects(const fs::path& directory, rocksdb::Env* env, const std::shared_ptr<BackgroundFaults>& faults) {
  const auto state = prepare_directory(directory, kSubjectsName);
  const auto guard = subjects_guard(directory);
  OpenedSubjects opened;
  if (state == DirectoryState::kHasDatabase) {
    refuse_shortfall(directory, guard);
    opened.torn_tail = guard.cut_torn_tail();
  }
  auto options = subjects_options(with_manifest_check(env, has_torn_manifest(directory)));
  WalCheck no_holes(WalCheck::OnHole::kRefuse);
  options.wal_filter = &no_holes;
  options.listeners.push_back(faults);
  rocksdb::DB* raw = nullptr;
  const auto status = rocksdb::DB::Open(options, directory.string(), &raw);
  if (status.IsCorruption()) guard.refuse_damaged(no_holes.first_file());
  check_opened(status, directory, kSubjectsName);
  opened.db.reset(raw);
  remove_left_scratch(directory);
  if (fs::exists(directory / kRestoreMark)) remove_file(directory / kRestoreMark);  // from here on they are somebody's
  const auto shortfall = guard.shortfall(tokens_made(*opened.db), UINT64_MAX);
  if (!shortfall.empty()) throw std::runtime_error(shortfall);
  return opened;
}

std::unique_ptr<rocksdb::DB> open_subjects_to_read(const fs::path& directory, const fs::path& wal_directory) {
  auto options = subjects_options(with_manifest_check(nullptr, /*may_be_torn=*/true));
  options.create_if_missing = false;
  options.wal_dir = wal_directory.string();
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.info_log = no_log();
  rocksdb::DB* raw = nullptr;
  // An erasure may replace files between the moment at which they are listed and that at which they are opened, as of the log
  // (Database::open_existing).
  rocksdb::Status opened;
  for (int tries = 0; tries < kOpensMax; ++tries) {
    opened = rocksdb::DB::OpenForReadOnly(options, directory.string(), &raw);
    if (opened.ok() || opened.ToString().find("No such file") == std::string::npos) break;
  }
  check_opened(opened, directory, kSubjectsName);
  return std::unique_ptr<rocksdb::DB>(raw);
}

std::uint64_t bring_into_tables(const fs::path& directory) {
  rocksdb::DB* raw = nullptr;
  auto options = subjects_options(with_manifest_check(nullptr, has_torn_manifest(directory)));
  options.create_if_missing = false;
  check_opened(rocksdb::DB::Open(options, directory.string(), &raw), directory, kSubjectsName);
  const std::unique_ptr<rocksdb::DB> db(raw);
  const auto must_write = [](const rocksdb::Status& status) {
    if (!status.ok()) throw std::runtime_error(fmt::format("cannot write the {}: {}", kSubjectsName, status.ToString()));
  };
  const auto made = tokens_made(*db);
  must_write(keep_tokens_made(*db, made));
  must_write(db->Flush({}));
  return made;
}

std::uint64_t tokens_made(rocksdb::DB& db) {
  std::string made;
  const auto status = db.Get({}, slice(kMadeKey), &made);
  if (status.ok() && made.size() == sizeof(std::uint64_t)) return load_be64(made.data());
  if (!status.IsNotFound()) must_read(status);
  std::uint64_t count = 0;
  const std::unique_ptr<rocksdb::Iterator> rows(db.NewIterator({}));
  for (rows->Seek({&kTokenPrefix, 1}); rows->Valid() && rows->key()[0] == kTokenPrefix; rows->Next()) ++count;
  must_read(rows->status());
  return count;
}

rocksdb::Status keep_tokens_made(rocksdb::DB& db, std::uint64_t made) {
  std::string row;
  const auto status = db.Get({}, slice(kMadeKey), &row);
  if (!status.IsNotFound()) return status;
  append_be64(row, made);
  rocksdb::WriteOptions durable;
  durable.sync = true;
  return db.Put(durable, slice(kMadeKey), row);
}

std::uint64_t first_needed_wal(rocksdb::DB& db) {
  std::uint64_t number = 0;
  OTA_ASSERT(db.GetIntProperty(rocksdb::DB::Properties::kMinLogNumberToKeep, &number));
  return number;
}

Acknowledged subjects_note(const fs::path& directory, rocksdb::DB& db, std::uint64_t made) {
  Acknowledged note;
  note.count = made;
  note.time = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  note_wal_end(db, note);
  note_manifest_end(db, note);
  for (const auto& [number, bytes] : wal_sizes(directory)) {
    if (number < note.wal && bytes > 0) note.older.push_back(number);
  }
  return note;
}

}  // namespace ota::eventstore
