#include "tools/otactl/verify_place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "tools/otactl/failure.hpp"

namespace ota::ctl {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kPrefix = "verify-";
constexpr std::size_t kMadeChars = 6;         // by mkdtemp

bool is_name_of_place(std::string_view name) {
  return name.starts_with(kPrefix) && name.size() == kPrefix.size() + kMadeChars &&
         std::all_of(name.begin() + kPrefix.size(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
}

// The descriptor that holds the directory; -1: somebody else does, or it is not there.
int lock(const fs::path& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0 || ::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

void remove_left(const fs::path& in) {
  std::error_code ignored;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(in, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
    if (is_name_of_place(entry->path().filename().string())) found.push_back(entry->path());
  }
  for (const auto& one : found) {
    const int held = lock(one);
    if (held < 0) continue;
    std::error_code stays;
    fs::remove_all(one, stays);
    ::close(held);
  }
}

// Empty: nothing can be made there.
fs::path make_in(const fs::path& directory) {
  std::string made = (directory / fmt::format("{}XXXXXX", kPrefix)).string();
  return ::mkdtemp(made.data()) == nullptr ? fs::path() : fs::path(made);
}

}  // namespace

VerifyPlace::VerifyPlace(const fs::path& beside) {
  const auto temporary = fs::temp_directory_path();
  remove_left(beside);
  remove_left(temporary);
  // Another process may take a new one for what was left, as long as nobody holds it.
  while (lock_ < 0) {
    path_ = make_in(beside);
    if (path_.empty()) path_ = make_in(temporary);
    if (path_.empty()) {
      throw Failure(kExitFailed, fmt::format("neither in {} nor in {} a directory can be made", beside.string(), temporary.string()));
    }
    lock_ = lock(path_);
    if (lock_ >= 0 && !fs::exists(path_)) {
      ::close(lock_);
      lock_ = -1;
    }
  }
}

VerifyPlace::~VerifyPlace() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  ::close(lock_);
}

}  // namespace ota::ctl
