#include "gateways/artifact_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <vector>

#include "gateways/artifact_folder.hpp"
#include "gateways/artifact_upload.hpp"

namespace ota::gateways {
namespace {

namespace fs = std::filesystem;

class ArtifactFile final : public actors::Artifact {
 public:
  ArtifactFile(fs::path path, int descriptor) : path_(std::move(path)), file_(descriptor) {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) throw file_error("inspect", path_, errno);
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  std::uint64_t size() const override { return size_; }
  int descriptor() const override { return file_.get(); }

  std::size_t read(std::uint64_t offset, char* out, std::size_t length) const override {
    for (;;) {
      const ssize_t count = ::pread(file_.get(), out, length, static_cast<off_t>(offset));
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) throw file_error("read", path_, errno);
    }
  }

 private:
  fs::path path_;
  FileHandle file_;
  std::uint64_t size_ = 0;
};

// Seconds since the file was last modified; empty if it is gone.
std::optional<double> age_s(const fs::path& path, struct stat& status) {
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
  const auto modified = std::chrono::seconds(status.st_mtim.tv_sec) +
                        std::chrono::nanoseconds(status.st_mtim.tv_nsec);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now - modified).count();
}

// The names in a folder; none if there is no such folder. Throws ArtifactError.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    entries.push_back(at->path());
  }
  if (error && error != std::errc::no_such_file_or_directory &&
      error != std::errc::not_a_directory) {
    throw file_error("list", folder, error.value());
  }
  return entries;
}

class ArtifactFiles final : public actors::ArtifactStore {
 public:
  explicit ArtifactFiles(const fs::path& directory) {
    folder_.root = directory;
    create_folder(folder_.incoming());
    if (::access(folder_.incoming().c_str(), R_OK | W_OK | X_OK) != 0) {
      throw file_error("write to folder", folder_.incoming(), errno);
    }
  }

  std::unique_ptr<actors::ArtifactUpload> begin_upload() override {
    return std::make_unique<FileUpload>(folder_);
  }

  std::unique_ptr<actors::ArtifactUpload> resume_upload(std::string_view name) override {
    return std::make_unique<FileUpload>(folder_, name);
  }

  std::unique_ptr<actors::Artifact> open(const Sha256Bytes& sha256) const override {
    auto path = folder_.path_of(sha256);
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
      if (errno == ENOENT) return nullptr;
      throw file_error("open", path, errno);
    }
    return std::make_unique<ArtifactFile>(std::move(path), descriptor);
  }

  bool contains(const Sha256Bytes& sha256) const override {
    const auto path = folder_.path_of(sha256);
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) return S_ISREG(status.st_mode);
    if (errno == ENOENT) return false;
    throw file_error("inspect", path, errno);
  }

  actors::SweepReport sweep(std::uint64_t older_than_s,
                            const std::function<bool(const Sha256Bytes&)>& referenced) override {
    actors::SweepReport report;
    const auto limit_s = static_cast<double>(older_than_s);
    for (const auto& temporary : entries_of(folder_.incoming())) {
      sweep_temporary(temporary, limit_s, report);
    }
    for (const auto& shelf : entries_of(folder_.root)) {
      for (const auto& artifact : entries_of(shelf)) {
        sweep_artifact(artifact, limit_s, referenced, report);
      }
    }
    return report;
  }

 private:
  void sweep_temporary(const fs::path& path, double limit_s, actors::SweepReport& report) {
    if (path.extension() != ".part") return;
    // The lock is held over the removal: a new upload cannot take a name that is being removed.
    const std::lock_guard lock(folder_.uploads_lock);
    if (folder_.uploads.contains(path.filename().string())) return;
    if (remove_if_old(path, limit_s, report)) ++report.temporaries_removed;
  }

  void sweep_artifact(const fs::path& path, double limit_s,
                      const std::function<bool(const Sha256Bytes&)>& referenced,
                      actors::SweepReport& report) {
    const auto digest = digest_of_name(path.filename().string());
    if (!digest || folder_.path_of(*digest) != path) return;
    struct stat status {};
    const auto age = age_s(path, status);
    if (!age || *age < limit_s || referenced(*digest)) return;
    // Looked at again under the lock: an upload of the same bytes may have touched it meanwhile.
    const std::lock_guard lock(folder_.decision);
    if (remove_if_old(path, limit_s, report)) ++report.orphans_removed;
  }

  static bool remove_if_old(const fs::path& path, double limit_s, actors::SweepReport& report) {
    struct stat status {};
    const auto age = age_s(path, status);
    if (!age || *age < limit_s || !S_ISREG(status.st_mode)) return false;
    if (::unlink(path.c_str()) != 0) {
      if (errno == ENOENT) return false;
      throw file_error("remove", path, errno);
    }
    report.bytes_freed += static_cast<std::uint64_t>(status.st_size);
    return true;
  }

  ArtifactFolder folder_;
};

}  // namespace

std::unique_ptr<actors::ArtifactStore> open_artifact_files(const std::filesystem::path& directory) {
  return std::make_unique<ArtifactFiles>(directory);
}

}  // namespace ota::gateways
