#include "eventstore/directory.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "eventstore/durable_files.hpp"

namespace ota::eventstore {
namespace fs = std::filesystem;

void create_durably(const fs::path& directory) {
  std::vector<fs::path> missing;
  for (fs::path path = fs::absolute(directory).lexically_normal(); !fs::exists(path);
       path = path.parent_path()) {
    missing.push_back(path);
  }
  for (auto path = missing.rbegin(); path != missing.rend(); ++path) {
    fs::create_directory(*path);
    // A path that ends in "/" is its own parent once.
    sync_entries(path->has_filename() ? path->parent_path() : path->parent_path().parent_path());
  }
}

namespace {

// What RocksDB may have left when it was killed while it created a database: nothing that holds
// data.
bool is_left_from_creation(const std::string& name) {
  constexpr std::array<std::string_view, 5> kPrefixes = {"LOG", "LOCK", "IDENTITY", "MANIFEST-",
                                                         "OPTIONS-"};
  for (const std::string_view prefix : kPrefixes) {
    if (name.starts_with(prefix)) return true;
  }
  return name.ends_with(".dbtmp");
}

}  // namespace

DirectoryState prepare_directory(const fs::path& directory, std::string_view what) {
  try {
    create_durably(directory);
    if (fs::exists(directory / "CURRENT")) return DirectoryState::kHasDatabase;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
      const std::string name = entry.path().filename().string();
      if (is_left_from_creation(name)) continue;
      throw std::runtime_error(fmt::format(
          "the directory {} holds no {} but is not empty either: there is {} and no file CURRENT",
          directory.string(), what, name));
    }
  } catch (const fs::filesystem_error& error) {
    throw std::runtime_error(fmt::format("the directory {} of the {} cannot be used: {}",
                                         directory.string(), what, error.code().message()));
  }
  return DirectoryState::kEmpty;
}

void check_opened(const rocksdb::Status& status, const fs::path& directory, std::string_view what) {
  if (status.ok()) return;
  const std::string text = status.ToString();
  if (text.find("While lock file") != std::string::npos ||
      text.find("lock hold by current process") != std::string::npos) {
    throw std::runtime_error(
        fmt::format("the {} in {} is in use by another process", what, directory.string()));
  }
  const std::string_view kind = status.IsCorruption() ? "is damaged" : "cannot be opened";
  throw std::runtime_error(
      fmt::format("the {} in {} {}: {}", what, directory.string(), kind, text));
}

std::uint64_t directory_bytes(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;  // a file may vanish while we look
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    const std::uintmax_t size = entry->file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace ota::eventstore
