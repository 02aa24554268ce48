#include "projections/row_folders.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace ota::projections {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFirst = "rows";
constexpr std::string_view kLater = "rows-";  // and a number
constexpr std::string_view kPointer = "current";
constexpr std::string_view kPointerBefore = "current.new";

bool is_of_rows(const std::string& name) {
  if (name == kFirst) return true;
  if (!name.starts_with(kLater) || name.size() == kLater.size()) return false;
  return name.find_first_not_of("0123456789", kLater.size()) == std::string::npos;
}

[[noreturn]] void fail(std::string_view doing, const fs::path& path, int error) {
  throw std::runtime_error(fmt::format("{} cannot be {}: {}", path.string(), doing, std::generic_category().message(error)));
}

// Closes what is open, however this ends.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail("opened", path_, errno);
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void write(std::string_view text) const {
    if (::write(fd_, text.data(), text.size()) != static_cast<::ssize_t>(text.size())) fail("written", path_, errno);
  }
  void sync() const {
    if (::fsync(fd_) != 0) fail("synced", path_, errno);
  }

 private:
  const fs::path& path_;
  int fd_;
};

}  // namespace

fs::path RowFolders::current() const {
  std::ifstream file(directory_ / kPointer);
  std::string name;
  std::getline(file, name);
  return directory_ / (is_of_rows(name) ? fs::path(name) : fs::path(kFirst));
}

fs::path RowFolders::vacant() const {
  for (int number = 1;; ++number) {
    auto folder = directory_ / fmt::format("{}{}", kLater, number);
    if (!fs::exists(folder)) return folder;
  }
}

void RowFolders::make_current(const fs::path& folder) const {
  const auto before = directory_ / kPointerBefore;
  const auto pointer = directory_ / kPointer;
  {
    const Descriptor file(before, O_WRONLY | O_CREAT | O_TRUNC);
    file.write(folder.filename().string() + "\n");
    file.sync();
  }
  if (::rename(before.c_str(), pointer.c_str()) != 0) fail("put in its place", before, errno);
  Descriptor(directory_, O_RDONLY | O_DIRECTORY).sync();
}

void RowFolders::delete_others() const {
  std::error_code error;
  const auto kept = current().filename();
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    const auto name = entry.path().filename();
    if (name != kept && (is_of_rows(name.string()) || name == bulk_beside(directory_ / kept).filename())) others.push_back(entry.path());
  }
  for (const auto& other : others) {
    fs::remove_all(other, error);
    if (error) fail("deleted", other, error.value());
  }
}

}  // namespace ota::projections
