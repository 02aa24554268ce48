#include "gateways/artifact_upload.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>

namespace ota::gateways {
namespace {

// How much is handed to the disk at a time; at most two of these are dirty.
constexpr std::uint64_t kWriteBackBytes = std::uint64_t{8} << 20;
constexpr std::size_t kReadBytes = std::size_t{128} << 10;

std::string random_name() {
  std::array<std::uint8_t, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw actors::ArtifactError("The system gives no random bytes for a temporary file's name");
  }
  std::string name;
  for (const std::uint8_t byte : bytes) name += fmt::format("{:02x}", byte);
  return name + ".part";
}

}  // namespace

FileUpload::FileUpload(ArtifactFolder& folder)
    : folder_(folder), name_(random_name()), temporary_(folder.incoming() / name_) {
  take_name();
  file_.emplace(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  if (!file_->is_open()) {
    const int error_number = errno;
    remove_temporary();
    throw file_error("create", temporary_, error_number);
  }
}

FileUpload::FileUpload(ArtifactFolder& folder, std::string_view name)
    : folder_(folder),
      name_(std::string(name) + ".part"),
      temporary_(folder.incoming() / name_),
      resumable_(true) {
  take_name();
  try {
    file_.emplace(::open(temporary_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
    if (!file_->is_open()) throw file_error("open", temporary_, errno);
    // Young enough for the sweep to spare, however long nothing may come.
    if (::futimens(file_->get(), nullptr) != 0) throw file_error("touch", temporary_, errno);
    read_held();
  } catch (...) {
    leave_temporary();
    throw;
  }
}

FileUpload::~FileUpload() {
  if (!file_) return;
  if (resumable_ && written_ > 0) {
    leave_temporary();
  } else {
    remove_temporary();
  }
}

void FileUpload::take_name() {
  const std::lock_guard lock(folder_.uploads_lock);
  if (!folder_.uploads.insert(name_).second) {
    throw actors::ArtifactError("Somebody is writing " + temporary_.string() + " already");
  }
}

void FileUpload::read_held() {
  std::string piece(kReadBytes, '\0');
  for (;;) {
    const ssize_t count = ::read(file_->get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw file_error("read", temporary_, errno);
    if (count == 0) break;
    digester_.update({piece.data(), static_cast<std::size_t>(count)});
    held_ += static_cast<std::uint64_t>(count);
  }
  ::posix_fadvise(file_->get(), 0, 0, POSIX_FADV_DONTNEED);
  written_ = started_ = dropped_ = held_;
}

void FileUpload::write(std::string_view bytes) {
  assert(file_ && !digests_);
  digester_.update(bytes);
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_->get(), bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      throw file_error("write", temporary_, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
    written_ += static_cast<std::uint64_t>(count);
  }
  if (written_ - started_ >= kWriteBackBytes) keep_page_cache_small();
}

// All of this is advice: the fsync in commit() makes the bytes durable, and reports an error.
void FileUpload::keep_page_cache_small() {
  const int file = file_->get();
  const auto dropped = static_cast<off_t>(dropped_);
  const auto started = static_cast<off_t>(started_);
  const auto written = static_cast<off_t>(written_);
  ::sync_file_range(file, started, written - started, SYNC_FILE_RANGE_WRITE);
  if (started > dropped) {
    // Waiting for the piece before it also keeps a fast sender from outrunning the disk.
    ::sync_file_range(
        file, dropped, started - dropped,
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    ::posix_fadvise(file, dropped, started - dropped, POSIX_FADV_DONTNEED);
  }
  dropped_ = started_;
  started_ = written_;
}

const actors::ArtifactDigests& FileUpload::finish() {
  assert(file_ && !digests_);
  digests_ = digester_.finish();
  return *digests_;
}

void FileUpload::commit() {
  assert(file_ && digests_);
  const auto target = folder_.path_of(digests_->sha256);
  create_folder(target.parent_path());
  if (adopt_existing(target)) {
    remove_temporary();
    return;
  }
  if (::fsync(file_->get()) != 0) throw file_error("sync", temporary_, errno);
  {
    const std::lock_guard lock(folder_.decision);
    if (::rename(temporary_.c_str(), target.c_str()) != 0) {
      throw file_error("rename to its place", target, errno);
    }
  }
  sync_folder(target.parent_path());
  sync_folder(folder_.incoming());
  ::posix_fadvise(file_->get(), 0, 0, POSIX_FADV_DONTNEED);
  file_.reset();
  const std::lock_guard lock(folder_.uploads_lock);
  folder_.uploads.erase(name_);
}

bool FileUpload::adopt_existing(const std::filesystem::path& target) {
  const std::lock_guard lock(folder_.decision);
  const FileHandle existing(::open(target.c_str(), O_RDONLY | O_CLOEXEC));
  if (!existing.is_open()) {
    if (errno == ENOENT) return false;
    throw file_error("open", target, errno);
  }
  struct stat status {};
  if (::fstat(existing.get(), &status) != 0) throw file_error("inspect", target, errno);
  // A damaged file (another size cannot be the same bytes) is replaced by the whole one.
  if (static_cast<std::uint64_t>(status.st_size) != digests_->size) return false;
  if (::futimens(existing.get(), nullptr) != 0) throw file_error("touch", target, errno);
  if (::fsync(existing.get()) != 0) throw file_error("sync", target, errno);
  sync_folder(target.parent_path());
  return true;
}

void FileUpload::remove_temporary() noexcept {
  ::unlink(temporary_.c_str());
  leave_temporary();
}

void FileUpload::leave_temporary() noexcept {
  file_.reset();
  const std::lock_guard lock(folder_.uploads_lock);
  folder_.uploads.erase(name_);
}

}  // namespace ota::gateways
