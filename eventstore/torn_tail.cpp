#include "eventstore/torn_tail.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <rocksdb/env.h>

#include <ctime>

#include "eventstore/directory.hpp"
#include "eventstore/durable_files.hpp"
#include "eventstore/wal_file.hpp"

namespace ota::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAside = "damaged-";

}  // namespace

DatabaseLock::DatabaseLock(const fs::path& directory, std::string_view what) {
  check_opened(rocksdb::Env::Default()->LockFile((directory / "LOCK").string(), &lock_), directory, what);
}

DatabaseLock::~DatabaseLock() { rocksdb::Env::Default()->UnlockFile(lock_).PermitUncheckedError(); }

std::string TornTail::text() const {
  return fmt::format("{} bytes of {} behind byte {} were cut off: {}. {}. They are kept in {}", bytes, file.filename().string(), offset,
                     what, known, kept_in.string());
}

std::optional<TornTail> cut_torn_tail(const fs::path& directory, std::string_view what) {
  const auto files = wal_files(directory);
  if (files.empty() || ends_soundly(files.back())) return std::nullopt;
  const DatabaseLock lock(directory, what);
  const auto damage = find_wal_damage({files.back()});
  if (!damage || !damage->is_torn_tail()) return std::nullopt;  // RocksDB looks at it next
  TornTail cut{damage->file, damage->offset, damage->bytes, damage->what, make_aside_directory(directory), {}};
  cut.kept_in /= fmt::format("{}.from-{}", cut.file.filename().string(), cut.offset);
  write_file(cut.kept_in, read_file(cut.file, cut.offset));
  cut_file(cut.file, cut.offset);
  return cut;
}

fs::path make_aside_directory(const fs::path& directory) {
  const auto name = fmt::format("{}{:%Y%m%dT%H%M%SZ}", kAside, fmt::gmtime(std::time(nullptr)));
  fs::path made = directory / name;
  for (unsigned number = 2; !fs::create_directory(made); ++number) made = directory / fmt::format("{}-{}", name, number);
  sync_entries(directory);
  return made;
}

namespace {

std::vector<fs::path> aside_directories(const fs::path& directory) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.is_directory() && entry.path().filename().string().starts_with(kAside)) found.push_back(entry.path());
  }
  return found;
}

}  // namespace

bool has_aside_directories(const fs::path& directory) { return !aside_directories(directory).empty(); }

void remove_aside_directories(const fs::path& directory) {
  const auto found = aside_directories(directory);
  for (const auto& aside : found) fs::remove_all(aside);
  if (!found.empty()) sync_entries(directory);
}

}  // namespace ota::eventstore
