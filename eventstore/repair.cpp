#include "eventstore/repair.hpp"

#include <fmt/format.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <stdexcept>

#include "eventstore/acknowledged.hpp"
#include "eventstore/checkpoint_rows.hpp"
#include "eventstore/command_index.hpp"
#include "eventstore/database.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/durable_files.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/log.hpp"
#include "eventstore/manifest_check.hpp"
#include "eventstore/record.hpp"
#include "eventstore/scratch.hpp"
#include "eventstore/sha256.hpp"
#include "eventstore/tiles.hpp"
#include "eventstore/torn_tail.hpp"
#include "eventstore/wal_file.hpp"
#include "eventstore/wal_guard.hpp"

namespace ota::eventstore {
namespace {

namespace fs = std::filesystem;

// Rows that are written at once: memory stays flat.
constexpr std::uint32_t kBatchRows = 10'000;

// What is done to the rows of a log whose events in doubt begin at some position.
class Repair {
 public:
  Repair(const Database& database, Position in_doubt) : database_(database), in_doubt_(in_doubt) {}

  // The newest event before the first that is missing.
  Position dense_head() const {
    Position head{in_doubt_.value - 1};
    const auto rows = database_.iterate(Family::kLog, /*fill_cache=*/false);
    for (rows->Seek(log_key({head.value + 1})); rows->Valid() && view(rows->key()) == log_key({head.value + 1}); rows->Next()) {
      ++head.value;
    }
    check(rows->status(), "read its events");
    return head;
  }
  // The newest event of which anything is left.
  Position newest() const {
    std::uint64_t newest = count_leaves(database_);
    const auto rows = database_.iterate(Family::kLog, /*fill_cache=*/false);
    rows->SeekToLast();
    check(rows->status(), "read its events");
    if (rows->Valid()) newest = std::max(newest, load_be64(rows->key().data()));
    if (const auto checkpoint = read_checkpoint(database_, UINT64_MAX)) newest = std::max(newest, checkpoint->size);
    return {newest};
  }

  void cut_behind(Position head) {
    each_row(Family::kLog, [&](std::string_view key, std::string_view) { return load_be64(key.data()) > head.value; },
             log_key({head.value + 1}));
    const auto is_behind = [&](std::string_view key, std::string_view) {
      return key.size() > kPositionBytes && load_be64(key.data() + key.size() - kPositionBytes) > head.value;
    };
    for (const Family family : {Family::kStreams, Family::kTags, Family::kSnapshots}) each_row(family, is_behind, {});
    each_row(Family::kCommands, [&](std::string_view, std::string_view row) {
      const auto record = decode_command(row);
      return record && record->position > head;
    }, {});
    each_row(Family::kMeta, is_behind, checkpoint_key(0));
    cut_tree(in_doubt_.value - 1);
    write();
  }

  void index_again(Position head) {
    TileWriter tiles(database_);
    RecordedEvent event;
    Sha256 sha;
    const auto rows = database_.iterate(Family::kLog, /*fill_cache=*/false);
    Position position = in_doubt_;
    for (rows->Seek(log_key(position)); position <= head; rows->Next(), ++position.value) {
      check(rows->status(), "read its events");
      const std::string_view record = view(rows->value());
      if (const auto fault = decode_record(record, event)) {
        throw LogError(fmt::format("event {} has a damaged {} at byte {}", position.value, fault->what, fault->offset), position);
      }
      put(Family::kStreams, name_key(event.stream, position), record);
      for (const std::string_view tag : event.tags) put(Family::kTags, name_key(tag, position), {});
      tiles.add(leaf_of_record(sha, record), batch_);
      // The tree is cut at a group's end only: what is written of it must be whole.
      if (batch_.Count() >= kBatchRows) {
        tiles.end_group(batch_);
        write();
      }
    }
    tiles.end_group(batch_);
    write();
  }

 private:
  void put(Family family, const std::string& key, std::string_view value) {
    check(batch_.Put(database_.family(family), key, slice(value)), "be repaired");
  }
  // Deletes the rows from `from` on of which `is_lost` says so.
  void each_row(Family family, const std::function<bool(std::string_view key, std::string_view value)>& is_lost,
                const std::string& from) {
    const auto rows = database_.iterate(family, /*fill_cache=*/false);
    for (rows->Seek(from); rows->Valid(); rows->Next()) {
      if (!is_lost(view(rows->key()), view(rows->value()))) continue;
      check(batch_.Delete(database_.family(family), rows->key()), "be repaired");
      if (batch_.Count() >= kBatchRows) write();
    }
    check(rows->status(), "read its rows");
  }
  // To so many leaves, in one batch: a tree that is cut on some levels only could not be read by another repair.
  void cut_tree(std::uint64_t leaves) {
    write();
    const auto rows = database_.iterate(Family::kTiles, /*fill_cache=*/false);
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
      const auto key = TileKey::parse(view(rows->key()));
      if (!key) throw LogError("the proof tree has a row with a damaged key");
      const std::uint64_t count = key->level < 8 ? leaves >> (kTileHeight * key->level) : 0;
      const std::uint64_t first = key->tile * limits::kTileLeaves + key->first;
      const std::size_t hashes = rows->value().size() / kHashBytes;
      if (first + hashes <= count) continue;
      if (first >= count) {
        check(batch_.Delete(database_.family(Family::kTiles), rows->key()), "be repaired");
      } else {
        put(Family::kTiles, key->bytes(), view(rows->value()).substr(0, (count - first) * kHashBytes));
      }
    }
    check(rows->status(), "read the proof tree");
  }
  void write() {
    check(database_.db().Write(durable_write(), &batch_), "be repaired");
    batch_.Clear();
  }

  const Database& database_;
  const Position in_doubt_;
  rocksdb::WriteBatch batch_;
};

// Every event from there on may lack rows. Where the damage is the first thing in the WAL nothing tells where that is.
Position first_in_doubt(const WalCheck& replayed) {
  return replayed.has_hole() ? Position{replayed.newest_before_hole().value + 1} : Position{1};
}

std::optional<Position> broken_off_at(const fs::path& directory) {
  const std::string mark = read_file(directory / kRepairMark, 0);
  Position in_doubt{1};
  if (mark.empty() && !fs::exists(directory / kRepairMark)) return std::nullopt;
  std::from_chars(mark.data(), mark.data() + mark.size(), in_doubt.value);
  return in_doubt;
}

std::uintmax_t bytes_of(const std::vector<fs::path>& files) {
  std::uintmax_t bytes = 0;
  for (const fs::path& file : files) {
    std::error_code gone;
    const auto size = fs::file_size(file, gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

std::unique_ptr<Database> open_with_holes(const fs::path& directory, const fs::path& wal_directory, const WalGuard& guard) {
  try {
    return Database::open_with_holes(directory, wal_directory);
  } catch (const std::exception& why) {
    if (guard.cut_manifest().empty()) throw;
    throw std::runtime_error(fmt::format("of the event log in {} {}, and without what it named there nothing can be read: {}. Put back what is "
                                         "missing, or restore a backup",
                                         directory.string(), guard.cut_manifest(), why.what()));
  }
}

// Empty: there is nothing to repair.
std::optional<RepairReport> examine(const fs::path& directory, std::optional<Position> in_doubt) {
  if (!fs::exists(directory / "CURRENT")) throw std::runtime_error(fmt::format("the directory {} holds no event log", directory.string()));
  const WalGuard guard(directory, {"event log", "events", directory});
  const auto files = wal_files(directory);
  const Scratch sound(directory, bytes_of(files));
  copy_sound_records(files, sound.path());
  const auto database = open_with_holes(directory, sound.path(), guard);
  const auto needed = database->first_needed_wal();
  RepairReport report;
  bool is_short = false;
  if (!in_doubt) {
    const auto damage = find_wal_damage(wal_files(directory, std::max(needed, database->wal_check().first_file())));
    const auto shortfall = guard.shortfall(database->newest_row().value, needed);
    is_short = !shortfall.empty();
    report.damage = damage && !damage->is_torn_tail() ? damage->text() : shortfall;
    if (report.damage.empty()) return std::nullopt;
  }
  // Where a file is missing, nothing tells from where on rows are.
  report.indexed_from = in_doubt ? *in_doubt : is_short ? Position{1} : first_in_doubt(database->wal_check());
  const Repair repair(*database, report.indexed_from);
  report.head = repair.dense_head();
  report.newest = std::max({repair.newest(), report.head, Position{guard.note() ? guard.note()->count : 0}});
  return report;
}

// Says that the log ends there, whatever was seen of it.
void set_back_to(const fs::path& directory, Position head) {
  Acknowledged note;
  note.count = head.value;
  note.time = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  note.set_back = true;
  replace_acknowledged(directory, note);
}

// The WAL with its sound records alone; what was there is kept.
void rewrite_wal(const fs::path& directory, RepairReport& report, bool goes_on) {
  const DatabaseLock nobody_else(directory);
  const auto files = wal_files(directory);
  if (!goes_on) {
    report.kept_in = make_aside_directory(directory);
    for (const fs::path& file : files) write_file(report.kept_in / file.filename(), read_file(file, 0));
    if (fs::exists(directory / kAcknowledgedName)) {
      write_file(report.kept_in / kAcknowledgedName, read_file(directory / kAcknowledgedName, 0));
    }
    keep_tables(directory, report.kept_in);
    write_file(directory / kRepairMark, std::to_string(report.indexed_from.value));
  }
  const Scratch sound(directory, bytes_of(files));
  copy_sound_records(files, sound.path());
  for (const fs::path& file : files) replace_file(file, read_file(sound.path() / file.filename(), 0));
}

}  // namespace

std::optional<RepairReport> examine_log(const fs::path& directory) { return examine(directory, broken_off_at(directory)); }

std::optional<RepairReport> repair_log(const fs::path& directory) {
  const auto broken_off = broken_off_at(directory);
  auto report = examine(directory, broken_off);
  if (!report) {
    const DatabaseLock nobody_else(directory);
    set_back_to(directory, Log::open_read_only(directory)->head());
    return std::nullopt;
  }
  rewrite_wal(directory, *report, broken_off.has_value());
  {
    const auto database = Database::open_with_holes(directory, {});
    Repair repair(*database, report->indexed_from);
    repair.cut_behind(report->head);
    repair.index_again(report->head);
  }
  set_back_to(directory, report->head);
  remove_file(directory / kRepairMark);
  Log::open(directory);  // that it can be opened is what this was for
  return report;
}

}  // namespace ota::eventstore
