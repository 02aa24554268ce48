// Files that fail on purpose: a disk that is full, writes that come to the disk in part or not at all, an fsync that fails,
// blocks that cannot be read or read as something else, a power cut that takes what was not synced.
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
#include <optional>
#include <string>

namespace ota::eventstore::testing {

enum class FileKind { kWal, kTable, kManifest };
enum class FaultKind { kWriteFails, kShortWrite, kNoSpace, kSyncFails, kReadFails, kBitFlips };

struct Fault {
  FileKind files;
  FaultKind kind;
  unsigned passes = 0;              // so many writes, syncs or reads go well before
};
std::string text_of(const Fault& fault);

class FaultyFiles : public rocksdb::FileSystemWrapper {
 public:
  FaultyFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultyFiles"; }

  // From now on, until another one or be_sound().
  void fail(const Fault& fault);
  void cut_power();
  void be_sound();
  // How often the fault was met.
  unsigned met() const { return met_; }
  // Call when nobody has the files open any more.
  void drop_unsynced();

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& name, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

 private:
  class Written;
  class ReadAnywhere;
  class ReadInOrder;
  struct Size {
    std::uint64_t written = 0;
    std::uint64_t synced = 0;
  };
  enum class Operation { kWrite, kSync, kRead };
  // The fault that this operation meets.
  std::optional<FaultKind> met_by(Operation operation, const std::string& name);
  rocksdb::IOStatus power(const std::string& name) const;
  // Of what was read: fails, or turns one bit of it. The bytes lie in `scratch` afterwards.
  rocksdb::IOStatus spoil(const std::string& name, rocksdb::Slice* result, char* scratch);

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Size>> sizes_;
  std::optional<Fault> fault_;
  std::atomic<bool> no_power_{false};
  std::atomic<unsigned> met_{0};
};

}  // namespace ota::eventstore::testing
