// Files that fail on purpose: a disk that is full, an fsync that fails, a power cut that takes what
// was not synced.
//
// Wraps the usual file system for RocksDB. Counts for every file how much of it was synced;
// drop_unsynced() then cuts the files to that, as a power cut may. Safe from any thread.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace ota::eventstore::testing {

class FaultyFiles : public rocksdb::FileSystemWrapper {
 public:
  enum class Mode { kSound, kLogSyncFails, kLogIsFull, kPowerCut };

  FaultyFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultyFiles"; }

  void set_mode(Mode mode) { mode_ = mode; }
  // Call when nobody has the files open any more.
  void drop_unsynced();

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

 private:
  class File;
  struct Size {
    std::uint64_t written = 0;
    std::uint64_t synced = 0;
  };
  rocksdb::IOStatus may_append(const std::string& name) const;
  rocksdb::IOStatus may_sync(const std::string& name) const;

  std::atomic<Mode> mode_{Mode::kSound};
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Size>> sizes_;
};

}  // namespace ota::eventstore::testing
