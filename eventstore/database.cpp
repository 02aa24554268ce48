#include "eventstore/database.hpp"

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/transaction_log.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "eventstore/assert.hpp"
#include "eventstore/background_faults.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/directory.hpp"
#include "eventstore/disk_room.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/log.hpp"
#include "eventstore/manifest_check.hpp"
#include "eventstore/no_log.hpp"
#include "eventstore/scratch.hpp"
#include "eventstore/table_changes.hpp"
#include "eventstore/wal_guard.hpp"

namespace ota::eventstore {
namespace {

constexpr std::string_view kWhat = "event log";
constexpr std::string_view kFormatKey = "format";
constexpr unsigned kFormat = 1;
// What a start replays in well under a second; closing a log with less is not worth seven small
// tables.
constexpr std::uint64_t kReplayedRowsMax = 20'000;

constexpr int kOpensMax = 20;

using Names = std::vector<std::string>;

bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_rows(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family) {
  const std::unique_ptr<rocksdb::Iterator> rows(db.NewIterator({}, family));
  rows->SeekToFirst();
  check(rows->status(), "look into a family");
  return rows->Valid();
}

[[noreturn]] void not_a_log(const std::filesystem::path& directory, std::string_view why) {
  throw std::runtime_error(fmt::format(
      "the directory {} holds a database that is not an event log: {}", directory.string(), why));
}

// A database without `meta` is either one whose creation was interrupted, or not ours: then leave
// it untouched.
void refuse_foreign(const std::filesystem::path& directory, const Names& names,
                    const rocksdb::DBOptions& options) {
  if (contains(names, "meta")) return;
  for (const std::string& name : names) {
    const bool ours =
        name == rocksdb::kDefaultColumnFamilyName ||
        std::find(kFamilyNames.begin(), kFamilyNames.end(), name) != kFamilyNames.end();
    if (!ours) not_a_log(directory, fmt::format("it has a column family \"{}\"", name));
  }
  rocksdb::DB* raw = nullptr;
  const rocksdb::Options read_only(options, {});
  check_opened(rocksdb::DB::OpenForReadOnly(read_only, directory.string(), &raw), directory, kWhat);
  const std::unique_ptr<rocksdb::DB> db(raw);
  if (has_rows(*db, db->DefaultColumnFamily())) not_a_log(directory, "it has rows of its own");
}

Names existing_families(const std::filesystem::path& directory, const rocksdb::DBOptions& options) {
  Names names;
  if (prepare_directory(directory, kWhat) == DirectoryState::kEmpty) return names;
  check_opened(rocksdb::DB::ListColumnFamilies(options, directory.string(), &names), directory,
               kWhat);
  refuse_foreign(directory, names, options);
  return names;
}

WalGuard guard_of(const std::filesystem::path& directory) { return {directory, {std::string(kWhat), "events", directory}}; }

void refuse_unfinished_repair(const std::filesystem::path& directory) {
  if (!std::filesystem::exists(directory / kRepairMark)) return;
  throw std::runtime_error(fmt::format("the repair of the {} in {} was not finished: `otactl log repair --apply {}` goes on with it",
                                       kWhat, directory.string(), directory.string()));
}

}  // namespace

Database::Database(std::filesystem::path directory, WalCheck::OnHole on_hole)
    : directory_(std::move(directory)),
      wal_check_(std::make_unique<WalCheck>(on_hole)),
      faults_(std::make_shared<BackgroundFaults>(fmt::format("the {} in {}", kWhat, directory_.string()))),
      changes_(std::make_shared<TableChanges>()) {}

void Database::watch(std::function<void(const std::string&)> on_fault) { faults_->watch(std::move(on_fault)); }
void Database::watch_tables(std::function<void()> on_change) { changes_->watch(std::move(on_change)); }

void check(const rocksdb::Status& status, std::string_view doing) {
  if (!status.ok()) {
    throw LogError(fmt::format("the event log could not {}: {}", doing, status.ToString()));
  }
}

std::unique_ptr<Database> Database::open(const std::filesystem::path& directory,
                                         std::shared_ptr<const Head> head, rocksdb::Env* env) {
  expect_room_to_open(directory, kWhat);
  std::unique_ptr<Database> database(new Database(directory, WalCheck::OnHole::kRefuse));
  rocksdb::DBOptions options = database_options(with_manifest_check(env, has_torn_manifest(directory)));
  const auto families = family_options(std::move(head));
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
  for (std::size_t i = 0; i < kFamilyNames.size(); ++i) {
    wanted.emplace_back(kFamilyNames[i], families[i]);
  }
  wanted.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
  // RocksDB opens all families or none. Those of a newer version are opened to read that it is
  // newer.
  for (const std::string& name : existing_families(directory, options)) {
    const bool known = std::any_of(wanted.begin(), wanted.end(),
                                   [&name](const auto& family) { return family.name == name; });
    if (!known) wanted.emplace_back(name, rocksdb::ColumnFamilyOptions());
  }
  refuse_unfinished_repair(directory);
  const WalGuard guard = guard_of(directory);
  refuse_shortfall(directory, guard);
  database->torn_tail_ = guard.cut_torn_tail();
  database->acknowledged_ = guard.note();

  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  options.wal_filter = database->wal_check_.get();
  options.listeners.push_back(database->faults_);
  options.listeners.push_back(database->changes_);
  const rocksdb::Status opened = rocksdb::DB::Open(options, directory.string(), wanted, &handles, &raw);
  if (opened.IsCorruption()) guard.refuse_damaged(database->wal_check_->first_file());
  check_opened(opened, directory, kWhat);
  database->db_.reset(raw);
  database->take(handles);
  remove_left_scratch(directory);
  const bool has_format = database->read_format();
  // A note that knows no files tells only now.
  database->shortfall_ = guard.shortfall(database->newest_row().value, UINT64_MAX);
  if (!has_format && database->shortfall_.empty()) database->write_format();
  return database;
}

// Asks RocksDB, which changes nothing yet, whether files that are not as they were noted are needed.
void Database::refuse_shortfall(const std::filesystem::path& directory, const WalGuard& guard) {
  if (!guard.note_fault().empty()) throw std::runtime_error(guard.note_fault());
  if (!guard.cut_manifest().empty()) throw std::runtime_error(guard.shortfall(std::nullopt, 0));
  const bool is_torn = guard.note() && has_torn_manifest(directory);  // without a note nothing was acknowledged
  if ((guard.missing_wal(0).empty() && !is_torn) || !std::filesystem::exists(directory / "CURRENT")) return;
  if (!is_torn) {
    rocksdb::DBOptions tables_alone = database_options(nullptr);
    const Scratch no_wal(directory);  // a start needs no other place
    tables_alone.wal_dir = no_wal.path().string();
    tables_alone.max_open_files = 16;  // opens none of them before it is read: a large log has many
    tables_alone.skip_stats_update_on_db_open = true;
    const auto tables = open_existing(directory, std::move(tables_alone), /*read_only=*/true, Format::kMayBeLost);
    if (guard.missing_wal(tables->first_needed_wal()).empty()) return;
  }
  const auto shortfall = open_read_only(directory)->shortfall();
  if (!shortfall.empty()) throw std::runtime_error(shortfall);
}

std::unique_ptr<Database> Database::open_read_only(const std::filesystem::path& directory) {
  refuse_unfinished_repair(directory);
  const WalGuard guard = guard_of(directory);
  // The service may write meanwhile: its last record may not be there to its end. Whether that is all that is wrong is looked at
  // here.
  rocksdb::DBOptions options = database_options(nullptr);
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  auto database = open_existing(directory, std::move(options), /*read_only=*/true,
                                guard.note() ? Format::kMayBeLost : Format::kMustBeThere);
  guard.refuse_damaged(database->wal_check_->first_file());
  // What is damaged there hides how far the log goes; everything before it can be read. A file that is missing is missing all
  // the same.
  const auto newest = database->newest_readable_row();
  database->shortfall_ = guard.shortfall(newest ? std::optional(newest->value) : std::nullopt, database->first_needed_wal());
  return database;
}

std::unique_ptr<Database> Database::open_with_holes(const std::filesystem::path& directory,
                                                    const std::filesystem::path& wal_directory) {
  rocksdb::DBOptions options = database_options(nullptr);
  options.wal_dir = wal_directory.string();
  return open_existing(directory, std::move(options), /*read_only=*/!wal_directory.empty(), Format::kMayBeLost);
}

std::unique_ptr<Database> Database::open_existing(const std::filesystem::path& directory, rocksdb::DBOptions options, bool read_only,
                                                  Format format) {
  std::error_code error;
  if (!std::filesystem::exists(directory / "CURRENT", error)) {
    throw std::runtime_error(fmt::format("the directory {} holds no {}", directory.string(), kWhat));
  }
  std::unique_ptr<Database> database(new Database(directory, WalCheck::OnHole::kGoOn));
  database->is_read_only_ = read_only;
  options.create_if_missing = false;
  options.create_missing_column_families = false;
  options.env = with_manifest_check(options.env, read_only || has_torn_manifest(directory));
  options.wal_filter = database->wal_check_.get();
  if (read_only) options.info_log = no_log();
  Names names;
  check_opened(rocksdb::DB::ListColumnFamilies(options, directory.string(), &names), directory, kWhat);
  const auto families = family_options(std::make_shared<Head>());
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
  for (std::size_t i = 0; i < kFamilyNames.size(); ++i) {
    if (!contains(names, kFamilyNames[i])) not_a_log(directory, fmt::format("it has no column family \"{}\"", kFamilyNames[i]));
    wanted.emplace_back(kFamilyNames[i], families[i]);
  }
  wanted.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());

  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  // A service that writes may replace files between the moment at which they are listed and that at which they are opened.
  // Once they are open they stay readable.
  rocksdb::Status opened;
  for (int tries = 0; tries < kOpensMax; ++tries) {
    opened = read_only ? rocksdb::DB::OpenForReadOnly(options, directory.string(), wanted, &handles, &raw)
                       : rocksdb::DB::Open(options, directory.string(), wanted, &handles, &raw);
    if (opened.ok() || opened.ToString().find("No such file") == std::string::npos) break;
    *database->wal_check_ = WalCheck(WalCheck::OnHole::kGoOn);
  }
  check_opened(opened, directory, kWhat);
  database->db_.reset(raw);
  database->take(handles);
  rocksdb::PinnableSlice value;
  const bool is_lost = format == Format::kMayBeLost && !database->get(Family::kMeta, kFormatKey, value);
  if (!is_lost && !database->read_format()) not_a_log(directory, "it does not say which format it has");
  // A repair goes on with it.
  if (is_lost && !read_only) database->write_format();
  return database;
}

void Database::write_format() {
  check(db_->Put(durable_write(), family(Family::kMeta), slice(kFormatKey), std::to_string(kFormat)), "write its format");
}

std::uint64_t Database::first_needed_wal() const {
  std::uint64_t number = 0;
  OTA_ASSERT(db_->GetIntProperty(rocksdb::DB::Properties::kMinLogNumberToKeep, &number));
  return number;
}

Position Database::newest_row() const {
  const auto newest = newest_readable_row();
  if (!newest) throw std::runtime_error(fmt::format("the end of the {} in {} cannot be read: its newest table is damaged", kWhat, directory_.string()));
  return *newest;
}

std::optional<Position> Database::newest_readable_row() const {
  const auto rows = iterate(Family::kLog);
  rows->SeekToLast();
  if (!rows->status().ok()) return std::nullopt;
  return rows->Valid() && rows->key().size() == kPositionBytes ? Position{load_be64(rows->key().data())} : Position{};
}

void note_wal_end(rocksdb::DB& db, Acknowledged& note) {
  std::unique_ptr<rocksdb::LogFile> wal;
  if (!db.GetCurrentWalFile(&wal).ok()) return;  // then it is not known
  note.wal = wal->LogNumber();
  note.wal_bytes = wal->SizeFileBytes();
}

void note_manifest_end(rocksdb::DB& db, Acknowledged& note) {
  std::vector<std::string> files;
  std::uint64_t synced = 0;
  if (!db.GetLiveFiles(files, &synced, /*flush_memtable=*/false).ok()) return;
  for (const std::string& file : files) {
    const auto number = manifest_number(file);
    if (!number) continue;
    note.manifest = *number;
    note.manifest_bytes = synced;
  }
}

std::string Database::manifest_fault() const {
  if (is_read_only_) return {};
  Acknowledged end;
  note_manifest_end(*db_, end);
  return end.manifest == 0 ? std::string() : eventstore::manifest_fault(directory_, end.manifest, end.manifest_bytes);
}

// For an end that writes tables and no event.
void Database::note_tables() const noexcept {
  try {
    auto note = read_acknowledged(directory_);
    if (!note) return;
    note_manifest_end(*db_, *note);
    AcknowledgedFile(directory_).write(*note);
  } catch (const std::exception&) {
    // then the next start knows less
  }
}

Acknowledged Database::durable_to(Position position, Timestamp time) const {
  Acknowledged note;
  note.count = position.value;
  note.time = time;
  note_wal_end(*db_, note);
  return note;
}

void Database::take(const std::vector<rocksdb::ColumnFamilyHandle*>& handles) {
  std::copy_n(handles.begin(), kFamilyNames.size(), handles_.begin());
  others_.assign(handles.begin() + kFamilyNames.size(), handles.end());
}

// False: it has none yet, and nothing else.
bool Database::read_format() {
  rocksdb::PinnableSlice value;
  if (!get(Family::kMeta, kFormatKey, value)) {
    if (others_.size() > 1 || has_rows(*db_, family(Family::kLog))) {
      not_a_log(directory_, "it does not say which format it has");
    }
    return false;
  }
  unsigned format = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), format);
  if (read.ec != std::errc() || read.ptr != value.data() + value.size() || format == 0) {
    throw std::runtime_error(fmt::format("the event log in {} is damaged: its format is \"{}\"",
                                         directory_.string(), view(value)));
  }
  if (format > kFormat) {
    throw std::runtime_error(
        fmt::format("the event log in {} was written by a newer version: it has format {}, this "
                    "version knows format {}",
                    directory_.string(), format, kFormat));
  }
  if (others_.size() > 1) not_a_log(directory_, "it has column families that no version made");
  return true;
}

Database::~Database() {
  if (!db_) return;
  std::uint64_t rows = 0;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    std::uint64_t in_memory = 0;
    db_->GetIntProperty(handle, rocksdb::DB::Properties::kNumEntriesActiveMemTable, &in_memory);
    rows += in_memory;
  }
  // A flush that fails costs the next start time, nothing else: the WAL has it all.
  if (rows > kReplayedRowsMax) {
    if (db_->Flush(rocksdb::FlushOptions(), {handles_.begin(), handles_.end()}).ok()) note_tables();
  }
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  for (rocksdb::ColumnFamilyHandle* handle : others_) db_->DestroyColumnFamilyHandle(handle);
}

bool Database::get(Family from, std::string_view key, rocksdb::PinnableSlice& value) const {
  const rocksdb::Status status = db_->Get({}, family(from), slice(key), &value);
  if (status.IsNotFound()) return false;
  check(status, "read a row");
  return true;
}

std::unique_ptr<rocksdb::Iterator> Database::iterate_names(Family over,
                                                           const rocksdb::Snapshot* at) const {
  rocksdb::ReadOptions options;
  options.prefix_same_as_start = true;
  options.snapshot = at;
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options, family(over)));
}

std::unique_ptr<rocksdb::Iterator> Database::iterate(Family over, bool fill_cache, const rocksdb::Snapshot* at) const {
  rocksdb::ReadOptions options;
  options.snapshot = at;
  options.total_order_seek = true;
  options.fill_cache = fill_cache;
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options, family(over)));
}

}  // namespace ota::eventstore
