#include "faulty_files.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <filesystem>

namespace ota::eventstore::testing {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

namespace {

std::optional<FileKind> kind_of(const std::string& name) {
  if (name.ends_with(".log")) return FileKind::kWal;
  if (name.ends_with(".sst")) return FileKind::kTable;
  if (name.find("MANIFEST-") != std::string::npos) return FileKind::kManifest;
  return std::nullopt;
}

}  // namespace

std::string text_of(const Fault& fault) {
  constexpr std::array<std::string_view, 3> kFiles = {"WAL", "table", "manifest"};
  constexpr std::array<std::string_view, 6> kKinds = {"write fails",  "write is short", "no space",
                                                      "fsync fails", "read fails",     "bit flips"};
  return fmt::format("{}: {} after {}", kFiles[static_cast<std::size_t>(fault.files)],
                     kKinds[static_cast<std::size_t>(fault.kind)], fault.passes);
}

class FaultyFiles::Written : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  Written(std::unique_ptr<rocksdb::FSWritableFile> file, std::string name, std::shared_ptr<Size> size, FaultyFiles& files)
      : FSWritableFileOwnerWrapper(std::move(file)),
        name_(std::move(name)),
        size_(std::move(size)),
        files_(files) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    return append(data, options, debug);
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*verification*/,
                  IODebugContext* debug) override {
    return append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus allowed = may_sync();
    return allowed.ok() ? settle(FSWritableFileOwnerWrapper::Sync(options, debug)) : allowed;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus allowed = may_sync();
    return allowed.ok() ? settle(FSWritableFileOwnerWrapper::Fsync(options, debug)) : allowed;
  }

 private:
  IOStatus append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) {
    if (const IOStatus off = files_.power(name_); !off.ok()) return off;
    const auto fault = files_.met_by(Operation::kWrite, name_);
    if (fault == FaultKind::kNoSpace) return IOStatus::NoSpace("disk full", name_);
    if (fault == FaultKind::kWriteFails) return IOStatus::IOError("bad disk", name_);
    const rocksdb::Slice written(data.data(), fault == FaultKind::kShortWrite ? data.size() / 2 : data.size());
    const IOStatus status = FSWritableFileOwnerWrapper::Append(written, options, debug);
    const std::lock_guard lock(files_.mutex_);
    if (status.ok()) size_->written += written.size();
    return fault ? IOStatus::IOError("short write", name_) : status;
  }
  IOStatus may_sync() {
    if (const IOStatus off = files_.power(name_); !off.ok()) return off;
    return files_.met_by(Operation::kSync, name_) ? IOStatus::IOError("bad disk", name_) : IOStatus::OK();
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

class FaultyFiles::ReadAnywhere : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  ReadAnywhere(std::unique_ptr<rocksdb::FSRandomAccessFile> file, std::string name, FaultyFiles& files)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), name_(std::move(name)), files_(files) {}

  IOStatus Read(std::uint64_t offset, std::size_t bytes, const IOOptions& options, rocksdb::Slice* result, char* scratch,
                IODebugContext* debug) const override {
    const IOStatus status = FSRandomAccessFileOwnerWrapper::Read(offset, bytes, options, result, scratch, debug);
    return status.ok() ? files_.spoil(name_, result, scratch) : status;
  }
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, std::size_t count, const IOOptions& options, IODebugContext* debug) override {
    for (std::size_t i = 0; i < count; ++i) {
      auto& one = requests[i];
      one.status = Read(one.offset, one.len, options, &one.result, one.scratch, debug);
    }
    return IOStatus::OK();
  }

 private:
  const std::string name_;
  FaultyFiles& files_;
};

class FaultyFiles::ReadInOrder : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  ReadInOrder(std::unique_ptr<rocksdb::FSSequentialFile> file, std::string name, FaultyFiles& files)
      : FSSequentialFileOwnerWrapper(std::move(file)), name_(std::move(name)), files_(files) {}

  IOStatus Read(std::size_t bytes, const IOOptions& options, rocksdb::Slice* result, char* scratch,
                IODebugContext* debug) override {
    const IOStatus status = FSSequentialFileOwnerWrapper::Read(bytes, options, result, scratch, debug);
    return status.ok() ? files_.spoil(name_, result, scratch) : status;
  }

 private:
  const std::string name_;
  FaultyFiles& files_;
};

void FaultyFiles::fail(const Fault& fault) {
  const std::lock_guard lock(mutex_);
  fault_ = fault;
  met_ = 0;
}

void FaultyFiles::cut_power() { no_power_ = true; }

void FaultyFiles::be_sound() {
  const std::lock_guard lock(mutex_);
  fault_.reset();
  no_power_ = false;
}

IOStatus FaultyFiles::power(const std::string& name) const {
  return no_power_ ? IOStatus::IOError("power cut", name) : IOStatus::OK();
}

std::optional<FaultKind> FaultyFiles::met_by(Operation operation, const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (!fault_ || kind_of(name) != fault_->files) return std::nullopt;
  const auto kind = fault_->kind;
  const bool reads = kind == FaultKind::kReadFails || kind == FaultKind::kBitFlips;
  const Operation of = reads ? Operation::kRead : kind == FaultKind::kSyncFails ? Operation::kSync : Operation::kWrite;
  if (operation != of) return std::nullopt;
  if (fault_->passes > 0) {
    --fault_->passes;
    return std::nullopt;
  }
  ++met_;
  return kind;
}

IOStatus FaultyFiles::spoil(const std::string& name, rocksdb::Slice* result, char* scratch) {
  if (result->empty()) return IOStatus::OK();
  const auto fault = met_by(Operation::kRead, name);
  if (!fault) return IOStatus::OK();
  if (fault == FaultKind::kReadFails) {
    *result = rocksdb::Slice();
    return IOStatus::IOError("bad block", name);
  }
  if (result->data() != scratch) std::memmove(scratch, result->data(), result->size());
  *result = rocksdb::Slice(scratch, result->size());
  char& byte = scratch[result->size() / 2];
  byte = static_cast<char>(byte ^ 4);
  return IOStatus::OK();
}

IOStatus FaultyFiles::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      IODebugContext* debug) {
  if (const IOStatus off = power(name); !off.ok()) return off;
  std::unique_ptr<rocksdb::FSWritableFile> sound;
  IOStatus status = FileSystemWrapper::NewWritableFile(name, options, &sound, debug);
  if (!status.ok()) return status;
  const std::lock_guard lock(mutex_);
  const auto size = std::make_shared<Size>();
  sizes_[name] = size;
  *file = std::make_unique<Written>(std::move(sound), name, size, *this);
  return status;
}

IOStatus FaultyFiles::NewRandomAccessFile(const std::string& name, const rocksdb::FileOptions& options,
                                          std::unique_ptr<rocksdb::FSRandomAccessFile>* file, IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSRandomAccessFile> sound;
  IOStatus status = FileSystemWrapper::NewRandomAccessFile(name, options, &sound, debug);
  if (status.ok()) *file = std::make_unique<ReadAnywhere>(std::move(sound), name, *this);
  return status;
}

IOStatus FaultyFiles::NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSSequentialFile>* file, IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSSequentialFile> sound;
  IOStatus status = FileSystemWrapper::NewSequentialFile(name, options, &sound, debug);
  if (status.ok()) *file = std::make_unique<ReadInOrder>(std::move(sound), name, *this);
  return status;
}

IOStatus FaultyFiles::RenameFile(const std::string& from, const std::string& to,
                                 const IOOptions& options, IODebugContext* debug) {
  if (const IOStatus off = power(from); !off.ok()) return off;
  IOStatus status = FileSystemWrapper::RenameFile(from, to, options, debug);
  const std::lock_guard lock(mutex_);
  if (const auto size = sizes_.extract(from); status.ok() && !size.empty()) {
    sizes_[to] = size.mapped();
  }
  return status;
}

IOStatus FaultyFiles::DeleteFile(const std::string& name, const IOOptions& options,
                                 IODebugContext* debug) {
  if (const IOStatus off = power(name); !off.ok()) return off;
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
