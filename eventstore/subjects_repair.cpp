#include "eventstore/subjects_repair.hpp"

#include "eventstore/database.hpp"
#include "eventstore/durable_files.hpp"
#include "eventstore/manifest_check.hpp"
#include "eventstore/scratch.hpp"
#include "eventstore/subjects_database.hpp"
#include "eventstore/wal_file.hpp"

namespace ota::eventstore {
namespace {

namespace fs = std::filesystem;

std::uint64_t names_in(rocksdb::DB& db) {
  std::uint64_t names = 0;
  const std::unique_ptr<rocksdb::Iterator> rows(db.NewIterator({}));
  for (rows->Seek({&kTokenPrefix, 1}); rows->Valid() && rows->key()[0] == kTokenPrefix; rows->Next()) ++names;
  check(rows->status(), "read its names");
  return names;
}

// As its sound records say. They are copied for as long as it takes to read them: an erasure may come meanwhile.
std::unique_ptr<rocksdb::DB> open_sound(const fs::path& directory) {
  const Scratch sound(directory);
  copy_sound_records(wal_files(directory), sound.path());
  return open_subjects_to_read(directory, sound.path());
}

}  // namespace

std::optional<SubjectsReport> examine_subjects(const fs::path& directory) {
  const auto guard = subjects_guard(directory);
  const auto db = open_sound(directory);
  const auto needed = first_needed_wal(*db);
  const auto made = tokens_made(*db);
  const auto damage = find_wal_damage(wal_files(directory, needed));
  SubjectsReport report;
  report.damage = damage && !damage->is_torn_tail() ? damage->text() : guard.shortfall(made, needed);
  if (report.damage.empty()) return std::nullopt;
  report.names = names_in(*db);
  if (guard.note() && guard.note()->count > made) report.lost = guard.note()->count - made;
  return report;
}

std::optional<SubjectsReport> repair_subjects(const fs::path& directory) {
  auto report = examine_subjects(directory);
  if (!report) return report;
  {
    const DatabaseLock nobody_else(directory, kSubjectsName);
    report->kept_in = make_aside_directory(directory);
    const auto files = wal_files(directory);
    for (const fs::path& file : files) write_file(report->kept_in / file.filename(), read_file(file, 0));
    keep_tables(directory, report->kept_in);
    const Scratch sound(directory);
    copy_sound_records(files, sound.path());
    for (const fs::path& file : files) replace_file(file, read_file(sound.path() / file.filename(), 0));
  }
  Acknowledged note;
  note.count = bring_into_tables(directory);  // no holes are left in a WAL that is empty
  note.set_back = true;
  replace_acknowledged(directory, note);
  return report;
}

}  // namespace ota::eventstore
