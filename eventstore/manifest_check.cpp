#include "eventstore/manifest_check.hpp"

#include <fmt/format.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <string_view>
#include <utility>

#include "eventstore/durable_files.hpp"
#include "eventstore/wal_file.hpp"

namespace ota::eventstore {
namespace {

namespace fs = std::filesystem;
using rocksdb::IOStatus;

constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::string_view kManifest = "MANIFEST-";
constexpr const char* kCurrent = "CURRENT";

// What was read, read again.
class ReadAlready : public rocksdb::FSSequentialFile {
 public:
  explicit ReadAlready(std::string bytes) : bytes_(std::move(bytes)) {}
  IOStatus Read(std::size_t most, const rocksdb::IOOptions&, rocksdb::Slice* result, char* scratch, rocksdb::IODebugContext*) override {
    const auto count = std::min(most, bytes_.size() - at_);
    std::memcpy(scratch, bytes_.data() + at_, count);
    *result = rocksdb::Slice(scratch, count);
    at_ += count;
    return IOStatus::OK();
  }
  IOStatus Skip(std::uint64_t count) override {
    at_ += static_cast<std::size_t>(std::min<std::uint64_t>(count, bytes_.size() - at_));
    return IOStatus::OK();
  }

 private:
  const std::string bytes_;
  std::size_t at_ = 0;
};

class CheckedManifests : public rocksdb::FileSystemWrapper {
 public:
  CheckedManifests(const std::shared_ptr<rocksdb::FileSystem>& files, bool may_be_torn)
      : FileSystemWrapper(files), may_be_torn_(may_be_torn) {}
  const char* Name() const override { return "CheckedManifests"; }

  IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options, std::unique_ptr<rocksdb::FSSequentialFile>* file,
                             rocksdb::IODebugContext* debug) override {
    if (!manifest_number(name)) return target()->NewSequentialFile(name, options, file, debug);
    std::string bytes;
    if (auto read = read_all(name, options, bytes, debug); !read.ok()) return read;
    for (auto fault = find_frame_fault(bytes); fault; fault = find_frame_fault(bytes)) {
      std::string again;
      if (auto read = read_all(name, options, again, debug); !read.ok()) return read;
      if (again != bytes) {
        const bool grows = again.size() > bytes.size() && again.starts_with(std::string_view(bytes).substr(0, fault->offset));
        if (!grows) return IOStatus::Corruption("it is read otherwise each time", name);
        bytes = std::move(again);           // of a service that writes
        continue;
      }
      if (fault->sound_behind > 0) {
        return IOStatus::Corruption(fmt::format("at byte {}: {}, and {} sound records are behind it", fault->offset, fault->what,
                                                fault->sound_behind), name);
      }
      if (may_be_torn_) break;
      return IOStatus::Corruption(fmt::format("at byte {}: {}, which was not so a moment ago", fault->offset, fault->what), name);
    }
    *file = std::make_unique<ReadAlready>(std::move(bytes));
    return IOStatus::OK();
  }

 private:
  IOStatus read_all(const std::string& name, const rocksdb::FileOptions& options, std::string& bytes, rocksdb::IODebugContext* debug) {
    std::unique_ptr<rocksdb::FSSequentialFile> file;
    if (auto opened = target()->NewSequentialFile(name, options, &file, debug); !opened.ok()) return opened;
    const auto piece = std::make_unique<char[]>(kPieceBytes);
    for (rocksdb::Slice read;;) {
      if (auto status = file->Read(kPieceBytes, options.io_options, &read, piece.get(), debug); !status.ok()) return status;
      if (read.empty()) return IOStatus::OK();
      bytes.append(read.data(), read.size());
    }
  }

  const bool may_be_torn_;
};

}  // namespace

rocksdb::Env* with_manifest_check(rocksdb::Env* base, bool may_be_torn) {
  static std::mutex mutex;
  static auto& made = *new std::map<std::pair<const rocksdb::FileSystem*, bool>, std::unique_ptr<rocksdb::Env>>;  // databases may be open to the very end
  const auto& files = (base != nullptr ? base : rocksdb::Env::Default())->GetFileSystem();
  const std::lock_guard lock(mutex);
  auto& env = made[{files.get(), may_be_torn}];
  if (!env) env = rocksdb::NewCompositeEnv(std::make_shared<CheckedManifests>(files, may_be_torn));
  return env.get();
}

std::string manifest_name(std::uint64_t number) { return fmt::format("{}{:06}", kManifest, number); }

std::optional<std::uint64_t> manifest_number(std::string_view file) {
  file.remove_prefix(file.rfind('/') + 1);  // npos + 1 is 0
  if (!file.starts_with(kManifest)) return std::nullopt;
  file.remove_prefix(kManifest.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), number);
  if (error != std::errc() || end != file.data() + file.size()) return std::nullopt;
  return number;
}

std::optional<FoundManifest> find_manifest(const fs::path& database) {
  try {
    auto name = read_file(database / kCurrent, 0);
    while (!name.empty() && name.back() == '\n') name.pop_back();
    const auto number = manifest_number(name);
    if (!number) return std::nullopt;
    const auto bytes = read_file(database / name, 0);
    if (!fs::exists(database / name)) return std::nullopt;  // a service that is there has gone on to another one
    const auto fault = find_frame_fault(bytes);
    return FoundManifest{*number, fault ? fault->offset : bytes.size(), fault && fault->sound_behind == 0};
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

bool has_torn_manifest(const fs::path& database) {
  const auto found = find_manifest(database);
  return found && found->is_torn;
}

std::string manifest_fault(const fs::path& database, std::uint64_t number, std::uint64_t synced) {
  const auto file = database / manifest_name(number);
  std::string bytes;
  try {
    bytes = read_file(file, 0);
  } catch (const std::runtime_error& unreadable) {
    return unreadable.what();
  }
  const auto fault = find_frame_fault(std::string_view(bytes).substr(0, std::min<std::size_t>(bytes.size(), synced)));
  if (!fs::exists(file)) return {};
  if (fault) return fmt::format("its list of tables {} is damaged at byte {}: {}", manifest_name(number), fault->offset, fault->what);
  if (bytes.size() < synced) return fmt::format("its list of tables {} has {} bytes, and {} were synced", manifest_name(number), bytes.size(), synced);
  return {};
}

void keep_tables(const fs::path& database, const fs::path& in) {
  for (const auto& entry : fs::directory_iterator(database)) {
    const auto name = entry.path().filename();
    if (name.extension() == ".sst") {
      std::error_code cannot;
      fs::create_hard_link(entry.path(), in / name, cannot);
      if (cannot) write_file(in / name, read_file(entry.path(), 0));
    } else if (name == kCurrent || manifest_number(name.string())) {
      write_file(in / name, read_file(entry.path(), 0));
    }
  }
  sync_entries(in);
}

}  // namespace ota::eventstore
