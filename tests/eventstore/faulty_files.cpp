#include "faulty_files.hpp"

#include <filesystem>

namespace ota::eventstore::testing {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

namespace {

bool is_wal(const std::string& name) { return name.ends_with(".log"); }

}  // namespace

class FaultyFiles::File : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(std::unique_ptr<rocksdb::FSWritableFile> file, std::string name, std::shared_ptr<Size> size,
       FaultyFiles& files)
      : FSWritableFileOwnerWrapper(std::move(file)),
        name_(std::move(name)),
        size_(std::move(size)),
        files_(files) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    const IOStatus allowed = files_.may_append(name_);
    if (!allowed.ok()) return allowed;
    return count(data, FSWritableFileOwnerWrapper::Append(data, options, debug));
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) override {
    const IOStatus allowed = files_.may_append(name_);
    if (!allowed.ok()) return allowed;
    return count(data, FSWritableFileOwnerWrapper::Append(data, options, verification, debug));
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus allowed = files_.may_sync(name_);
    if (!allowed.ok()) return allowed;
    return settle(FSWritableFileOwnerWrapper::Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus allowed = files_.may_sync(name_);
    if (!allowed.ok()) return allowed;
    return settle(FSWritableFileOwnerWrapper::Fsync(options, debug));
  }

 private:
  IOStatus count(const rocksdb::Slice& data, IOStatus status) {
    const std::lock_guard lock(files_.mutex_);
    if (status.ok()) size_->written += data.size();
    return status;
  }
  IOStatus settle(IOStatus status) {
    const std::lock_guard lock(files_.mutex_);
    if (status.ok()) size_->synced = size_->written;
    return status;
  }

  const std::string name_;
  const std::shared_ptr<Size> size_;
  FaultyFiles& files_;
};

IOStatus FaultyFiles::may_append(const std::string& name) const {
  if (mode_ == Mode::kPowerCut) return IOStatus::IOError("power cut", name);
  if (mode_ == Mode::kLogIsFull && is_wal(name)) return IOStatus::NoSpace("disk full", name);
  return IOStatus::OK();
}

IOStatus FaultyFiles::may_sync(const std::string& name) const {
  if (mode_ == Mode::kPowerCut) return IOStatus::IOError("power cut", name);
  if (mode_ == Mode::kLogSyncFails && is_wal(name)) return IOStatus::IOError("bad disk", name);
  return IOStatus::OK();
}

IOStatus FaultyFiles::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      IODebugContext* debug) {
  if (mode_ == Mode::kPowerCut) return IOStatus::IOError("power cut", name);
  std::unique_ptr<rocksdb::FSWritableFile> sound;
  IOStatus status = FileSystemWrapper::NewWritableFile(name, options, &sound, debug);
  if (!status.ok()) return status;
  const std::lock_guard lock(mutex_);
  const auto size = std::make_shared<Size>();
  sizes_[name] = size;
  *file = std::make_unique<File>(std::move(sound), name, size, *this);
  return status;
}

IOStatus FaultyFiles::RenameFile(const std::string& from, const std::string& to,
                                 const IOOptions& options, IODebugContext* debug) {
  if (mode_ == Mode::kPowerCut) return IOStatus::IOError("power cut", from);
  IOStatus status = FileSystemWrapper::RenameFile(from, to, options, debug);
  const std::lock_guard lock(mutex_);
  if (const auto size = sizes_.extract(from); status.ok() && !size.empty()) {
    sizes_[to] = size.mapped();
  }
  return status;
}

IOStatus FaultyFiles::DeleteFile(const std::string& name, const IOOptions& options,
                                 IODebugContext* debug) {
  if (mode_ == Mode::kPowerCut) return IOStatus::IOError("power cut", name);
  IOStatus status = FileSystemWrapper::DeleteFile(name, options, debug);
  const std::lock_guard lock(mutex_);
  if (status.ok()) sizes_.erase(name);
  return status;
}

void FaultyFiles::drop_unsynced() {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, size] : sizes_) {
    if (std::filesystem::exists(name)) std::filesystem::resize_file(name, size->synced);
  }
}

}  // namespace ota::eventstore::testing
