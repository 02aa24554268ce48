#include "eventstore/scratch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace ota::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMadeChars = 6;  // by mkdtemp

bool is_scratch(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && name.size() == prefix.size() + kMadeChars &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(prefix.size()), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0; });
}

int open_itself(const fs::path& directory) { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }

enum class Held { kByUs, kBySomebodyElse, kUnknownHere };
Held hold(int descriptor) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return Held::kByUs;
  return errno == EWOULDBLOCK ? Held::kBySomebodyElse : Held::kUnknownHere;
}

// True: one stays.
bool remove_left(const fs::path& in, std::string_view prefix) {
  std::error_code ignored;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(in, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
    const bool is_directory = fs::is_directory(entry->symlink_status(ignored));
    if (is_directory && is_scratch(entry->path().filename().string(), prefix)) found.push_back(entry->path());
  }
  bool stays = false;
  for (const auto& one : found) {
    const int opened = open_itself(one);
    if (opened >= 0 && hold(opened) == Held::kByUs) fs::remove_all(one, ignored);
    if (opened >= 0) ::close(opened);
    stays = stays || fs::exists(one, ignored);
  }
  return stays;
}

bool has_room(const fs::path& in, std::uintmax_t room) {
  std::error_code error;
  const auto space = fs::space(in, error);
  return error || space.available >= room;
}

// Empty: nothing can be made there, and errno says why.
fs::path make_in(const fs::path& in, std::string_view prefix) {
  std::string made = (in / fmt::format("{}XXXXXX", prefix)).string();
  return ::mkdtemp(made.data()) == nullptr ? fs::path() : fs::path(made);
}

fs::path make(const fs::path& beside, std::uintmax_t room, const Scratch::Names& names) {
  fs::path made;
  if (has_room(beside, room)) made = make_in(beside, names.beside);
  if (!made.empty()) return made;
  const auto temporary = fs::temp_directory_path();
  made = make_in(temporary, names.temporary);
  if (made.empty()) {
    throw std::runtime_error(fmt::format("neither in {} nor in {} a directory can be made: {}", beside.string(), temporary.string(),
                                         std::generic_category().message(errno)));
  }
  return made;
}

}  // namespace

Scratch::Scratch(const fs::path& beside, std::uintmax_t room, const Names& names) {
  remove_left(beside, names.beside);
  std::error_code none;
  if (const auto temporary = fs::temp_directory_path(none); !none) remove_left(temporary, names.temporary);
  // Another process may take a new one for what was left, as long as nobody holds it.
  while (lock_ < 0) {
    path_ = make(beside, room, names);
    lock_ = open_itself(path_);
    if (lock_ < 0 && errno != ENOENT) {
      const auto why = std::generic_category().message(errno);
      std::error_code stays;
      fs::remove(path_, stays);
      throw std::runtime_error(fmt::format("{} cannot be opened: {}", path_.string(), why));
    }
    if (lock_ >= 0 && (hold(lock_) == Held::kBySomebodyElse || !fs::exists(path_))) {
      ::close(lock_);
      lock_ = -1;
    }
  }
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  ::close(lock_);
}

bool remove_left_scratch(const fs::path& in) { return remove_left(in, Scratch::Names().beside); }

}  // namespace ota::eventstore
