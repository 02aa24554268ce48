#include "tools/otactl/verify_place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "tools/otactl/failure.hpp"

namespace ota::ctl {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kPrefix = "otactl-verify-";  // nobody else's name
constexpr std::size_t kMadeChars = 6;         // by mkdtemp

bool is_name_of_place(std::string_view name) {
  return name.starts_with(kPrefix) && name.size() == kPrefix.size() + kMadeChars &&
         std::all_of(name.begin() + kPrefix.size(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
}

int open_directory(const fs::path& directory) { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

enum class Lock { kHeld, kOfSomebodyElse, kUnknownHere };
Lock lock(int descriptor) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return Lock::kHeld;
  return errno == EWOULDBLOCK ? Lock::kOfSomebodyElse : Lock::kUnknownHere;
}

void remove_left(const fs::path& in) {
  std::error_code ignored;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(in, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
    if (is_name_of_place(entry->path().filename().string())) found.push_back(entry->path());
  }
  for (const auto& one : found) {
    const int opened = open_directory(one);
    if (opened < 0) continue;
    std::error_code stays;
    if (lock(opened) == Lock::kHeld) fs::remove_all(one, stays);
    ::close(opened);
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
    lock_ = open_directory(path_);
    if (lock_ < 0 && errno != ENOENT) {
      const auto why = std::generic_category().message(errno);
      std::error_code stays;
      fs::remove_all(path_, stays);
      throw Failure(kExitFailed, fmt::format("{} cannot be opened: {}", path_.string(), why));
    }
    if (lock_ >= 0 && (lock(lock_) == Lock::kOfSomebodyElse || !fs::exists(path_))) {
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
