#include "eventstore/backups.hpp"

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/backup_engine.h>

#include <charconv>
#include <memory>
#include <stdexcept>

#include "eventstore/directory.hpp"
#include "eventstore/log_impl.hpp"
#include "eventstore/no_log.hpp"

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
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw std::runtime_error(fmt::format("the directory {} cannot be made: {}", directory.string(), error.message()));
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

// One that is not known is named.
std::uint32_t known(const rocksdb::BackupEngineReadOnly& engine, const fs::path& directory, std::uint32_t id) {
  std::vector<rocksdb::BackupInfo> found;
  engine.GetBackupInfo(&found);
  if (found.empty()) throw std::runtime_error(fmt::format("the directory {} holds no backups", directory.string()));
  if (id == 0) return found.back().backup_id;
  for (const auto& one : found) {
    if (one.backup_id == id) return id;
  }
  throw std::runtime_error(fmt::format("there is no backup {} in {}: {} to {} are there", id, directory.string(),
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

}  // namespace

BackupInfo Backups::take(const Log& log, const Subjects& subjects, const std::function<bool()>& stop) const {
  const auto head = log.head();
  const auto id = take_one(directory_ / kLog, log.impl_->database->db(), std::to_string(head.value), stop);
  // Behind the log, so that whoever it speaks of is there. The newest one is good for all of the log: those before it go, and
  // with them the names of who was erased since.
  subjects.with_database([&](rocksdb::DB& db) { take_one(directory_ / kSubjects, db, std::to_string(head.value), stop); });
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

void Backups::check(std::uint32_t id) const {
  const auto log = open_to_read(directory_ / kLog);
  must(log->VerifyBackup(known(*log, directory_, id), /*verify_with_checksum=*/true), directory_, "trusted");
  const auto subjects = open_to_read(directory_ / kSubjects);
  must(subjects->VerifyBackup(known(*subjects, directory_, 0), /*verify_with_checksum=*/true), directory_, "trusted");
}

void Backups::restore(const fs::path& data, std::uint32_t id) const {
  const auto restore_one = [&](std::string_view what, std::uint32_t wanted) {
    const auto to = data / what;
    if (fs::exists(to)) throw std::runtime_error(fmt::format("{} is there already: a backup is restored beside what is there, not over it", to.string()));
    const auto engine = open_to_read(directory_ / what);
    const auto chosen = known(*engine, directory_, wanted);
    std::error_code error;
    fs::create_directories(data, error);
    must(engine->RestoreDBFromBackup(chosen, to.string(), to.string()), directory_, fmt::format("restored to {}", to.string()));
  };
  restore_one(kLog, id);
  restore_one(kSubjects, 0);
}

void Backups::keep(std::size_t newest) const {
  must(open(directory_ / kLog, "written")->PurgeOldBackups(static_cast<std::uint32_t>(newest)), directory_, "tidied up");
}

}  // namespace ota::eventstore
