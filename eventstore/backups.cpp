#include "eventstore/backups.hpp"

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/backup_engine.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "eventstore/acknowledged.hpp"
#include "eventstore/base64.hpp"
#include "eventstore/directory.hpp"
#include "eventstore/durable_files.hpp"
#include "eventstore/fault.hpp"
#include "eventstore/log_impl.hpp"
#include "eventstore/no_log.hpp"
#include "eventstore/subjects_database.hpp"

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
  must(rocksdb::BackupEngine::Open(options_of(directory), rocksdb::Env::Default(), &engine), directory, doing);
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

// Of the log; one that is not known is named.
std::uint32_t known(const rocksdb::BackupEngineReadOnly& engine, const fs::path& directory, std::uint32_t id) {
  std::vector<rocksdb::BackupInfo> found;
  engine.GetBackupInfo(&found);
  const auto unreadable = newest_unreadable(engine, directory / kLog);
  if (found.empty() && unreadable == 0) throw std::runtime_error(fmt::format("the directory {} holds no backups", directory.string()));
  if (id == 0 && (found.empty() || unreadable > found.back().backup_id)) {
    throw std::runtime_error(fmt::format("backup {} in {} cannot be read: files of its {} are missing or damaged, or it is being taken; {}",
                                         unreadable, directory.string(), kLog,
                                         found.empty() ? "there is no other" : fmt::format("the newest that can be read is {}", found.back().backup_id)));
  }
  if (id == 0) return found.back().backup_id;
  for (const auto& one : found) {
    if (one.backup_id == id) return id;
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

BackupInfo info_of(const rocksdb::BackupInfo& found) {
  BackupInfo info;
  info.id = found.backup_id;
  info.taken = Timestamp(std::chrono::seconds(found.timestamp));
  info.bytes = found.size;
  std::from_chars(found.app_metadata.data(), found.app_metadata.data() + found.app_metadata.size(), info.head.value);
  return info;
}

BackupInfo info_of(const rocksdb::BackupEngineReadOnly& engine, const fs::path& directory, std::uint32_t id) {
  rocksdb::BackupInfo found;
  must(engine.GetBackupInfo(id, &found), directory, "read");
  return info_of(found);
}

// The parts of what a backup says of itself.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// Of the names: how many events there were when the log before them was begun, and which backup of the log that was. An earlier version
// wrote the first alone, which two backups can share.
std::string metadata_of_names(Position head, std::uint32_t log) { return fmt::format("{} {}", head.value, log); }
bool go_with(const rocksdb::BackupInfo& names, const BackupInfo& log) {
  const auto words = words_of(names.app_metadata);
  std::uint32_t behind = log.id;
  if (words.size() > 1) std::from_chars(words[1].data(), words[1].data() + words[1].size(), behind);
  return behind >= log.id && info_of(names).head >= log.head;
}

// The newest of the subjects that know whomever this log speaks of; 0: none of them is wanted. One that cannot be read is
// passed over: it may have been cut off.
std::uint32_t names_for(const rocksdb::BackupEngineReadOnly& engine, const fs::path& directory, const BackupInfo& log, NamesOf wanted) {
  std::vector<rocksdb::BackupInfo> found;
  engine.GetBackupInfo(&found);
  if (wanted == NamesOf::kWhateverIsThere) return found.empty() ? 0 : found.back().backup_id;
  for (auto one = found.rbegin(); one != found.rend(); ++one) {
    if (go_with(*one, log)) return one->backup_id;
  }
  throw std::runtime_error(fmt::format(
      "backup {} in {} has no names that go with it: its log has {} events, {}. It was cut off, or files are missing. Take another one "
      "if the service is there; an older one is restored with --id; with --without-newer-names this one is, and whoever is new in it is "
      "an unknown user",
      log.id, directory.string(), log.head.value,
      found.empty() ? "and no names can be read"
                    : fmt::format("and the newest names that can be read are those of {} events", info_of(found.back()).head.value)));
}

std::string hash_at(const Log& log, Position position) {
  const auto hash = log.leaf_hash(position);
  return hash ? base64_of({reinterpret_cast<const char*>(hash->data()), hash->size()}) : "-";
}

// What a backup says of itself: how far its log goes, the hash of that log's first event, which is that of no other, and of its last.
std::string metadata_of(const Log& log, Position head) {
  return fmt::format("{} {} {}", head.value, hash_at(log, {1}), hash_at(log, head));
}

void refuse_other_log(const fs::path& directory, const Log& log) {
  if (!fs::exists(directory / kLog / "meta")) return;
  std::vector<rocksdb::BackupInfo> found;
  open_to_read(directory / kLog)->GetBackupInfo(&found);
  if (found.empty()) return;
  const auto head = info_of(found.back()).head;
  const auto theirs = words_of(found.back().app_metadata);
  const auto is_other = [&](std::size_t word, Position position) {
    return theirs.size() > word && theirs[word] != "-" && theirs[word] != hash_at(log, position);
  };
  if (log.head().value > 0 && is_other(1, {1})) {
    throw std::runtime_error(fmt::format("the backups in {} are of another log: its first event is another one", directory.string()));
  }
  if (is_other(2, head)) {
    throw std::runtime_error(fmt::format(
        "the newest backup in {} has {} events, {}: this log was set back, or is a copy that went on by itself. Keep those backups, and take "
        "the next ones to another directory",
        directory.string(), head.value,
        log.head() < head ? fmt::format("and this log has {}", log.head().value) : fmt::format("of which event {} is another one here", head.value)));
  }
}

// One database on its way out of a backup: beside its place until it is whole, and gone if it never is.
class Restoring {
 public:
  Restoring(const rocksdb::BackupEngineReadOnly& engine, std::uint32_t id, fs::path backups, const fs::path& data, std::string_view what)
      : engine_(engine), id_(id), backups_(std::move(backups)), place_(data / what), made_(data / fmt::format("{}.restoring", what)) {}
  ~Restoring() {
    std::error_code ignored;
    fs::remove_all(made_, ignored);
  }
  Restoring(const Restoring&) = delete;
  Restoring& operator=(const Restoring&) = delete;

  void write() {
    make_directory(made_.parent_path());
    std::error_code error;
    fs::remove_all(made_, error);  // of one that was killed
    must(engine_.RestoreDBFromBackup(id_, made_.string(), made_.string()), backups_, fmt::format("restored to {}", place_.string()));
  }
  const fs::path& made() const { return made_; }
  void show() {
    fs::rename(made_, place_);
    sync_entries(place_.parent_path());
  }
  void take_back() {
    std::error_code ignored;
    fs::remove_all(place_, ignored);
  }

 private:
  const rocksdb::BackupEngineReadOnly& engine_;
  const std::uint32_t id_;
  const fs::path backups_;
  const fs::path place_;
  const fs::path made_;
};

// Of a log: what the backup holds for certain, and that it is not all that ever was.
Acknowledged note_of(const BackupInfo& restored) {
  Acknowledged note;
  note.count = restored.head.value;
  note.time = restored.taken;
  note.set_back = true;
  return note;
}

// The log last: without it nothing was restored.
void show_both(Restoring& log, Restoring* names, const fs::path& data) {
  if (names != nullptr) write_file(names->made() / kRestoreMark, "");
  if (is_left_by_restore(data)) fs::remove_all(data / kSubjects);
  if (names == nullptr) return log.show();
  names->show();
  OTA_FAULT("backups.names_shown");
  try {
    log.show();
  } catch (...) {
    if (fs::exists(log.made())) names->take_back();  // it was not shown
    throw;
  }
  remove_file(data / kSubjects / kRestoreMark);
}

}  // namespace

bool is_left_by_restore(const fs::path& data) { return fs::exists(data / kSubjects / kRestoreMark) && !fs::exists(data / kLog); }

BackupInfo Backups::take(const Log& log, const Subjects& subjects, const std::function<bool()>& stop) const {
  const auto head = log.head();
  refuse_other_log(directory_, log);
  const auto id = take_one(directory_ / kLog, log.impl_->database->db(), metadata_of(log, head), stop);
  OTA_FAULT("backups.log_taken");
  // Behind the log, so that whoever it speaks of is there. The newest one is good for all of the log: those before it go, and
  // with them the names of who was erased since.
  try {
    subjects.with_database([&](rocksdb::DB& db) { take_one(directory_ / kSubjects, db, metadata_of_names(head, id), stop); });
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
  for (const auto& one : found) all.push_back(info_of(one));
  return all;
}

BackupInfo Backups::check(std::uint32_t id) const {
  const auto log = open_to_read(directory_ / kLog);
  const auto checked = known(*log, directory_, id);
  const auto info = info_of(*log, directory_, checked);
  must(log->VerifyBackup(checked, /*verify_with_checksum=*/true), directory_, "trusted");
  const auto subjects = open_to_read(directory_ / kSubjects);
  const auto names = names_for(*subjects, directory_, info, NamesOf::kAllItSpeaksOf);
  must(subjects->VerifyBackup(names, /*verify_with_checksum=*/true), directory_, "trusted");
  return info;
}

BackupInfo Backups::restore(const fs::path& data, std::uint32_t id, NamesOf names) const {
  // All that can be known is looked at before anything is written.
  for (const auto what : {kLog, kSubjects}) {
    const auto to = data / what;
    if (!fs::exists(to) || (what == kSubjects && is_left_by_restore(data))) continue;
    throw std::runtime_error(fmt::format("{} is there already: a backup is restored beside what is there, not over it", to.string()));
  }
  const auto logs = open_to_read(directory_ / kLog);
  const auto info = info_of(*logs, directory_, known(*logs, directory_, id));
  const bool may_be_none = names == NamesOf::kNone || (names == NamesOf::kWhateverIsThere && !fs::exists(directory_ / kSubjects / "meta"));
  const auto subjects = may_be_none ? nullptr : open_to_read(directory_ / kSubjects);
  const auto names_id = subjects ? names_for(*subjects, directory_, info, names) : 0;
  Restoring log{*logs, info.id, directory_, data, kLog};
  std::optional<Restoring> known_names;
  if (names_id != 0) known_names.emplace(*subjects, names_id, directory_, data, kSubjects);
  log.write();
  replace_acknowledged(log.made(), note_of(info));
  if (known_names) known_names->write();
  show_both(log, known_names ? &*known_names : nullptr, data);
  return info;
}

void Backups::keep(std::size_t newest) const {
  must(open(directory_ / kLog, "written")->PurgeOldBackups(static_cast<std::uint32_t>(newest)), directory_, "tidied up");
}

}  // namespace ota::eventstore
