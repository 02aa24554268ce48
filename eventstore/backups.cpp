#include "eventstore/backups.hpp"

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/backup_engine.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "eventstore/acknowledged.hpp"
#include "eventstore/backup_label.hpp"
#include "eventstore/base64.hpp"
#include "eventstore/directory.hpp"
#include "eventstore/fault.hpp"
#include "eventstore/log_impl.hpp"
#include "eventstore/manifest_check.hpp"
#include "eventstore/no_log.hpp"
#include "eventstore/restore_place.hpp"

namespace ota::eventstore {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kCallbackBytes = std::uint64_t{1} << 20;
constexpr std::string_view kLog = "log";
constexpr std::string_view kSubjects = "subjects";

void must(const rocksdb::Status& status, const fs::path& directory, std::string_view doing) {
  if (status.ok()) return;
  throw std::runtime_error(fmt::format("the backups in {} cannot be {}: {}", directory.string(), doing, status.ToString()));
}

void make_directory(const fs::path& directory) {
  try {
    create_durably(directory);
  } catch (const fs::filesystem_error& error) {
    throw std::runtime_error(fmt::format("the directory {} cannot be made: {}", directory.string(), error.code().message()));
  }
}

rocksdb::BackupEngineOptions options_of(const fs::path& directory) {
  rocksdb::BackupEngineOptions options(directory.string());
  options.sync = true;
  options.callback_trigger_interval_size = kCallbackBytes;
  options.share_table_files = true;
  options.share_files_with_checksum = true;
  static NoLog silent;
  options.info_log = &silent;
  return options;
}

std::unique_ptr<rocksdb::BackupEngine> open(const fs::path& directory, std::string_view doing) {
  make_directory(directory);
  rocksdb::BackupEngine* engine = nullptr;
  must(rocksdb::BackupEngine::Open(options_of(directory), with_manifest_check(nullptr, /*may_be_torn=*/true), &engine), directory, doing);
  return std::unique_ptr<rocksdb::BackupEngine>(engine);
}

std::unique_ptr<rocksdb::BackupEngineReadOnly> open_to_read(const fs::path& directory) {
  if (!fs::exists(directory / "meta")) throw std::runtime_error(fmt::format("the directory {} holds no backups", directory.parent_path().string()));
  rocksdb::BackupEngineReadOnly* engine = nullptr;
  must(rocksdb::BackupEngineReadOnly::Open(options_of(directory), rocksdb::Env::Default(), &engine), directory, "read");
  return std::unique_ptr<rocksdb::BackupEngineReadOnly>(engine);
}

// The newest of which something is there that cannot be read; 0: none. An engine passes over those, as if they had never been.
std::uint32_t newest_unreadable(const rocksdb::BackupEngineReadOnly& engine, const fs::path& from) {
  std::vector<rocksdb::BackupID> damaged;
  engine.GetCorruptedBackups(&damaged);
  std::uint32_t newest = damaged.empty() ? 0 : *std::max_element(damaged.begin(), damaged.end());
  std::error_code error;
  for (fs::directory_iterator entry(from / "private", error), end; !error && entry != end; entry.increment(error)) {
    const auto name = entry->path().filename().string();
    std::uint32_t id = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), id);
    if (parsed.ptr == name.data() + name.size() && !fs::exists(from / "meta" / name)) newest = std::max(newest, id);
  }
  return newest;
}

// What it says of itself is not what was written.
[[noreturn]] void refuse_damaged_label(const fs::path& directory, std::string_view what, const rocksdb::BackupInfo& found) {
  const auto file = directory / what / "meta" / std::to_string(found.backup_id);
  const auto instead = what == kSubjects ? std::string("With --without-newer-names these names are taken nevertheless")
                                         : fmt::format("With --id {} it is restored nevertheless; verify it then, against a checkpoint that you "
                                                       "kept. An older one, if there is any, is taken with its --id", found.backup_id);
  std::string shown = found.app_metadata;
  std::replace_if(shown.begin(), shown.end(), [](unsigned char c) { return std::isprint(c) == 0; }, '?');
  throw std::runtime_error(fmt::format("backup {} in {} cannot be trusted: its metadata in {} is damaged, \"{}\": how far it goes is not known. {}",
                                       found.backup_id, directory.string(), file.string(), shown, instead));
}

// A backup of the log, and what it says of itself.
struct LogBackup {
  BackupInfo info;
  LogLabel label;
};
BackupInfo info_of(const rocksdb::BackupInfo& found, const std::optional<LogLabel>& label) {
  return {found.backup_id, Timestamp(std::chrono::seconds(found.timestamp)), label.value_or(LogLabel{}).head, found.size, label.has_value()};
}
std::optional<LogBackup> read_backup(const rocksdb::BackupInfo& found) {
  const auto label = parse_log_label(found.app_metadata);
  if (!label) return std::nullopt;
  return LogBackup{info_of(found, label), *label};
}

// The oldest first.
std::vector<LogBackup> log_backups(const std::vector<rocksdb::BackupInfo>& found) {
  std::vector<LogBackup> all;
  for (const auto& one : found) {
    if (auto read = read_backup(one)) all.push_back(std::move(*read));
  }
  return all;
}

// Of the log; one that is not known is named. `by_its_id`: whoever names one wants it, also if nobody knows how far it goes.
BackupInfo known(const rocksdb::BackupEngineReadOnly& engine, const fs::path& directory, std::uint32_t id, bool by_its_id = false) {
  std::vector<rocksdb::BackupInfo> found;
  engine.GetBackupInfo(&found);
  const auto unreadable = newest_unreadable(engine, directory / kLog);
  if (found.empty() && unreadable == 0) throw std::runtime_error(fmt::format("the directory {} holds no backups", directory.string()));
  if (id == 0 && (found.empty() || unreadable > found.back().backup_id)) {
    throw std::runtime_error(fmt::format("backup {} in {} cannot be read: files of its {} are missing or damaged, or it is being taken; {}",
                                         unreadable, directory.string(), kLog,
                                         found.empty() ? "there is no other" : fmt::format("the newest that can be read is {}", found.back().backup_id)));
  }
  for (const auto& one : found) {
    if (one.backup_id != (id == 0 ? found.back().backup_id : id)) continue;
    if (const auto read = read_backup(one)) return read->info;
    if (by_its_id && id != 0) return info_of(one, std::nullopt);
    refuse_damaged_label(directory, kLog, one);
  }
  throw std::runtime_error(found.empty() ? fmt::format("there is no backup {} in {} that can be read", id, directory.string())
                                         : fmt::format("there is no backup {} in {}: {} to {} are there", id, directory.string(),
                                                       found.front().backup_id, found.back().backup_id));
}

std::uint32_t take_one(const fs::path& directory, rocksdb::DB& db, const std::string& metadata, const std::function<bool()>& stop) {
  if (stop && stop()) throw std::runtime_error(fmt::format("the backup to {} was broken off", directory.string()));
  const auto engine = open(directory, "written");
  rocksdb::CreateBackupOptions how;
  how.flush_before_backup = false;  // the write-ahead log comes along
  how.progress_callback = [&] {
    if (stop && stop()) engine->StopBackup();
  };
  rocksdb::BackupID id = 0;
  must(engine->CreateNewBackupWithMetadata(how, &db, metadata, &id), directory, "written");
  return id;
}

// Whether these names know whomever this log speaks of. An earlier version did not say behind which backup of the log they were
// taken.
bool go_with(const NamesLabel& names, const BackupInfo& log) { return names.log.value_or(log.id) >= log.id && names.head >= log.head; }

// The newest of the subjects that know whomever this log speaks of; 0: none of them is wanted. One that cannot be read is
// passed over: it may have been cut off.
std::uint32_t names_for(const rocksdb::BackupEngineReadOnly& engine, const fs::path& directory, const BackupInfo& log, NamesOf wanted) {
  std::vector<rocksdb::BackupInfo> found;
  engine.GetBackupInfo(&found);
  if (wanted == NamesOf::kWhateverIsThere) return found.empty() ? 0 : found.back().backup_id;
  std::optional<NamesLabel> newest;
  for (auto one = found.rbegin(); one != found.rend(); ++one) {
    const auto label = parse_names_label(one->app_metadata);
    if (label && go_with(*label, log)) return one->backup_id;
    if (!newest) newest = label;
  }
  if (!found.empty() && !parse_names_label(found.back().app_metadata)) refuse_damaged_label(directory, kSubjects, found.back());
  throw std::runtime_error(fmt::format(
      "backup {} in {} has no names that go with it: {}, {}. It was cut off, or files are missing. Take another one "
      "if the service is there; an older one is restored with --id; with --without-newer-names this one is, and whoever is new in it is "
      "an unknown user",
      log.id, directory.string(),
      log.is_sound ? fmt::format("its log has {} events", log.head.value) : "how many events its log has is not known",
      newest ? fmt::format("and the newest names that can be read are those of {} events", newest->head.value) : "and no names can be read"));
}

std::string hash_at(const Log& log, Position position) {
  const auto hash = log.leaf_hash(position);
  return hash ? base64_of({reinterpret_cast<const char*>(hash->data()), hash->size()}) : std::string(kNoHash);
}

}  // namespace

void Backups::refuse_another(const Log& log) const {
  const auto& directory = directory_;
  if (!fs::exists(directory / kLog / "meta")) return;
  std::vector<rocksdb::BackupInfo> found;
  open_to_read(directory / kLog)->GetBackupInfo(&found);
  if (found.empty()) return;
  const auto read = log_backups(found);
  if (read.empty()) refuse_damaged_label(directory, kLog, found.back());  // it may be any
  const auto& theirs = read.back().label;
  const auto is_other = [&](const std::string& hash, Position position) { return hash != kNoHash && hash != hash_at(log, position); };
  if (log.head().value > 0 && is_other(theirs.first, {1})) {
    throw BackupsOfAnotherLog(fmt::format("the backups in {} are of another log: its first event is another one", directory.string()));
  }
  if (is_other(theirs.last, theirs.head)) {
    throw BackupsOfAnotherLog(fmt::format(
        "the newest backup in {} has {} events, {}: this log was set back, or is a copy that went on by itself. Keep those backups, and take "
        "the next ones to another directory",
        directory.string(), theirs.head.value,
        log.head() < theirs.head ? fmt::format("and this log has {}", log.head().value)
                                 : fmt::format("of which event {} is another one here", theirs.head.value)));
  }
}

namespace {

// RocksDB says of a file that is not what was written only that there is one; a check names it.
void restore_files(const rocksdb::BackupEngineReadOnly& engine, std::uint32_t id, const fs::path& backups, const fs::path& to) {
  auto restored = engine.RestoreDBFromBackup(id, to.string(), to.string());
  if (restored.IsCorruption()) {
    if (auto named = engine.VerifyBackup(id, /*verify_with_checksum=*/true); !named.ok()) restored = named;
  }
  must(restored, backups, fmt::format("restored to {}", to.parent_path().string()));
}

// Of a log: what the backup holds for certain, and that it is not all that ever was.
Acknowledged note_of(const BackupInfo& restored) {
  Acknowledged note;
  note.count = restored.head.value;
  note.time = restored.taken;
  note.set_back = true;
  return note;
}

}  // namespace

BackupInfo Backups::take(const Log& log, const Subjects& subjects, const std::function<bool()>& stop) const {
  const auto head = log.head();
  refuse_another(log);
  const auto id = take_one(directory_ / kLog, log.impl_->database->db(), text_of(LogLabel{head, hash_at(log, {1}), hash_at(log, head)}), stop);
  OTA_FAULT("backups.log_taken");
  // Behind the log, so that whoever it speaks of is there. The newest one is good for all of the log: those before it go, and
  // with them the names of who was erased since.
  try {
    subjects.with_database([&](rocksdb::DB& db) { take_one(directory_ / kSubjects, db, text_of(NamesLabel{head, id}), stop); });
  } catch (...) {
    open(directory_ / kLog, "written")->DeleteBackup(id).PermitUncheckedError();  // nobody would know who is new in it
    throw;
  }
  must(open(directory_ / kSubjects, "written")->PurgeOldBackups(1), directory_, "tidied up");
  for (const auto& info : list()) {
    if (info.id == id) return info;
  }
  throw std::runtime_error(fmt::format("the backup {} in {} is not there", id, directory_.string()));
}

std::vector<BackupInfo> Backups::list() const {
  std::vector<BackupInfo> all;
  if (!fs::exists(directory_ / kLog / "meta")) return all;
  std::vector<rocksdb::BackupInfo> found;
  open_to_read(directory_ / kLog)->GetBackupInfo(&found);
  for (const auto& one : found) all.push_back(info_of(one, parse_log_label(one.app_metadata)));
  return all;
}

BackupInfo Backups::check(std::uint32_t id) const {
  const auto log = open_to_read(directory_ / kLog);
  const auto info = known(*log, directory_, id);
  must(log->VerifyBackup(info.id, /*verify_with_checksum=*/true), directory_, "trusted");
  const auto subjects = open_to_read(directory_ / kSubjects);
  const auto names = names_for(*subjects, directory_, info, NamesOf::kAllItSpeaksOf);
  must(subjects->VerifyBackup(names, /*verify_with_checksum=*/true), directory_, "trusted");
  return info;
}

BackupInfo Backups::restore(const fs::path& data, std::uint32_t id, NamesOf names) const {
  // All that can be known is looked at before anything is written.
  RestorePlace::refuse_what_is_there(data);
  std::optional<RestorePlace> place;  // outlives those who write to it: an engine that has failed still copies what it had begun
  const auto logs = open_to_read(directory_ / kLog);
  const auto info = known(*logs, directory_, id, /*by_its_id=*/true);
  const bool may_be_none = names == NamesOf::kNone || (names == NamesOf::kWhateverIsThere && !fs::exists(directory_ / kSubjects / "meta"));
  const auto subjects = may_be_none ? nullptr : open_to_read(directory_ / kSubjects);
  const auto names_id = subjects ? names_for(*subjects, directory_, info, names) : 0;
  place.emplace(data);
  restore_files(*logs, info.id, directory_, place->log());
  replace_acknowledged(place->log(), note_of(info));
  OTA_FAULT("backups.log_restored");
  if (names_id != 0) restore_files(*subjects, names_id, directory_, place->names());
  OTA_FAULT("backups.names_restored");
  place->show();
  return info;
}

void Backups::keep(std::size_t newest) const {
  must(open(directory_ / kLog, "written")->PurgeOldBackups(static_cast<std::uint32_t>(newest)), directory_, "tidied up");
}

}  // namespace ota::eventstore
