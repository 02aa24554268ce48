#include "eventstore/durable_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <system_error>

namespace ota::eventstore {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void cannot(const fs::path& path, std::string_view be) {
  const int error = errno;
  throw std::runtime_error(fmt::format("{} cannot be {}: {}", path.string(), be, std::generic_category().message(error)));
}

class OpenFile {
 public:
  OpenFile(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::string read_file(const fs::path& file, std::uint64_t offset) {
  const OpenFile in(file, O_RDONLY);
  if (!in.is_open() && errno == ENOENT) return {};
  if (!in.is_open()) cannot(file, "read");
  std::error_code gone;
  const std::uint64_t size = fs::file_size(file, gone);
  std::string bytes(gone || size < offset ? 0 : size - offset, '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t more = ::pread(in.fd(), bytes.data() + got, bytes.size() - got, static_cast<off_t>(offset + got));
    if (more < 0 && errno != EINTR) cannot(file, "read");
    if (more == 0) break;
    if (more > 0) got += static_cast<std::size_t>(more);
  }
  bytes.resize(got);
  return bytes;
}

void write_file(const fs::path& file, std::string_view bytes) {
  const OpenFile out(file, O_WRONLY | O_CREAT | O_TRUNC);
  if (!out.is_open()) cannot(file, "written");
  while (!bytes.empty()) {
    const ssize_t put = ::write(out.fd(), bytes.data(), bytes.size());
    if (put < 0 && errno != EINTR) cannot(file, "written");
    if (put > 0) bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fsync(out.fd()) != 0) cannot(file, "synced");
  sync_entries(file.parent_path());
}

void replace_file(const fs::path& file, std::string_view bytes) {
  const fs::path made = file.string() + ".new";
  write_file(made, bytes);
  if (::rename(made.c_str(), file.c_str()) != 0) cannot(file, "replaced");
  sync_entries(file.parent_path());
}

void cut_file(const fs::path& file, std::uint64_t bytes) {
  const OpenFile out(file, O_WRONLY);
  if (!out.is_open() || ::ftruncate(out.fd(), static_cast<off_t>(bytes)) != 0) cannot(file, "cut");
  if (::fsync(out.fd()) != 0) cannot(file, "synced");
}

void remove_file(const fs::path& file) {
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) cannot(file, "removed");
  sync_entries(file.parent_path());
}

void sync_entries(const fs::path& directory) {
  const OpenFile entries(directory, O_RDONLY | O_DIRECTORY);
  if (!entries.is_open() || ::fsync(entries.fd()) != 0) cannot(directory, "synced");
}

}  // namespace ota::eventstore
