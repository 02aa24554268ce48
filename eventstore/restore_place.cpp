#include "eventstore/restore_place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "eventstore/directory.hpp"
#include "eventstore/durable_files.hpp"
#include "eventstore/fault.hpp"
#include "eventstore/subjects_database.hpp"

namespace ota::eventstore {
namespace {

namespace fs = std::filesystem;
constexpr const char* kLogPlace = "log";
constexpr const char* kNamesPlace = "subjects";
constexpr const char* kLogBeside = "log.restoring";
constexpr const char* kNamesBeside = "subjects.restoring";

[[noreturn]] void cannot_restore(const fs::path& path, std::string_view be, int error) {
  throw std::runtime_error(fmt::format("{} cannot be {}: {}", path.string(), be, std::generic_category().message(error)));
}

// Names that are nobody's: a restore has shown them, and did not come to the log.
bool are_left_names(const fs::path& data) { return fs::exists(data / kNamesPlace / kRestoreMark) && !fs::exists(data / kLogPlace); }

void make_place(const fs::path& directory) {
  try {
    create_durably(directory);
  } catch (const fs::filesystem_error& error) {
    throw std::runtime_error(fmt::format("the directory {} cannot be made: {}", directory.string(), error.code().message()));
  }
}

void remove_place(const fs::path& directory) {
  std::error_code error;
  fs::remove_all(directory, error);
  if (error) cannot_restore(directory, "removed", error.value());
}

void empty_place(const fs::path& directory) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(directory)) entries.push_back(entry.path());
  for (const auto& entry : entries) remove_place(entry);
}

// Not what a link names: that is somebody's.
int open_place(const fs::path& directory) { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }

// False: somebody has it.
bool locked(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; }

// Whoever had it may have put it in its place, or removed it, before it was locked here.
bool is_still_at(int descriptor, const fs::path& path) {
  struct stat held {}, there {};
  return ::fstat(descriptor, &held) == 0 && ::lstat(path.c_str(), &there) == 0 && held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

int hold(const fs::path& data, const fs::path& beside) {
  make_place(data);
  for (;;) {
    RestorePlace::refuse_what_is_there(data);
    make_place(beside);
    const int opened = open_place(beside);
    if (opened < 0 && errno == ENOENT) continue;
    if (opened < 0) cannot_restore(beside, "opened", errno);
    if (!locked(opened)) {
      ::close(opened);
      throw std::runtime_error(fmt::format("another restore to {} is running", data.string()));
    }
    if (is_still_at(opened, beside)) return opened;
    ::close(opened);
  }
}

// Never over anything: a rename replaces an empty directory, which a service that starts may just have made.
void move_to(const fs::path& from, const fs::path& to) {
  int error = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
  if (error == EINVAL || error == ENOSYS) {  // this file system knows no such rename
    error = fs::exists(to) ? EEXIST : ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  }
  if (error != 0) cannot_restore(from, fmt::format("renamed to {}", to.string()), error);
  sync_entries(to.parent_path());
}

}  // namespace

void RestorePlace::refuse_what_is_there(const fs::path& data) {
  for (const auto* what : {kLogPlace, kNamesPlace}) {
    if (!fs::exists(data / what) || (what == kNamesPlace && are_left_names(data))) continue;
    throw std::runtime_error(
        fmt::format("{} is there already: a backup is restored beside what is there, not over it", (data / what).string()));
  }
}

RestorePlace::RestorePlace(const fs::path& data) : data_(data), log_(data / kLogBeside), names_(data / kNamesBeside), lock_(hold(data, log_)) {
  try {
    refuse_what_is_there(data_);  // nobody else restores from here on
    remove_place(names_);
    // Away at once: names that are there in part and without their mark would be somebody's.
    if (are_left_names(data_)) {
      move_to(data_ / kNamesPlace, names_);
      OTA_FAULT("backups.left_names_aside");
    }
    remove_place(names_);
    empty_place(log_);
  } catch (...) {
    std::error_code stays;
    fs::remove(log_, stays);  // if it is empty
    ::close(lock_);
    throw;
  }
  OTA_FAULT("backups.place_taken");
}

RestorePlace::~RestorePlace() {
  std::error_code ignored;
  if (!shown_) fs::remove_all(names_, ignored);
  if (!shown_) fs::remove_all(log_, ignored);
  ::close(lock_);
}

void RestorePlace::show_names() {
  write_file(names_ / kRestoreMark, "");
  if (fs::exists(data_ / kLogPlace)) refuse_what_is_there(data_);
  move_to(names_, data_ / kNamesPlace);
  OTA_FAULT("backups.names_shown");
}

void RestorePlace::show() {
  const bool with_names = fs::exists(names_);
  if (with_names) show_names();
  try {
    move_to(log_, data_ / kLogPlace);
  } catch (...) {
    std::error_code ignored;
    shown_ = !fs::exists(log_);
    if (with_names && !shown_) fs::rename(data_ / kNamesPlace, names_, ignored);
    throw;
  }
  shown_ = true;
  OTA_FAULT("backups.log_shown");
  if (with_names) remove_file(data_ / kNamesPlace / kRestoreMark);
}

void refuse_half_restored(const fs::path& data) {
  if (fs::exists(data / kLogPlace)) return;
  std::string left;
  for (const auto* one : {kLogBeside, kNamesBeside, kNamesPlace}) {
    if (one == kNamesPlace ? are_left_names(data) : fs::exists(data / one)) left += (left.empty() ? "" : " and ") + (data / one).string();
  }
  if (left.empty()) return;
  throw std::runtime_error(fmt::format("a restore to {} is not finished: there is {}, and no log. If it does not run any more, do it again, which "
                                       "replaces what is left, or remove that",
                                       data.string(), left));
}

bool remove_left_by_restore(const fs::path& data) {
  bool any = false;
  const int opened = open_place(data / kLogBeside);
  if (opened < 0 || locked(opened)) {
    std::error_code ignored;
    for (const auto* what : {kNamesBeside, kLogBeside}) any = fs::remove_all(data / what, ignored) > 0 || any;
  }
  if (opened >= 0) ::close(opened);
  return any;
}

}  // namespace ota::eventstore
