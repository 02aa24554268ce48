// A torn tail: the last write before a power cut, which is not there to its end.
//
// Nobody was told of it, since an answer comes after the sync; so it is cut off when the database is opened, and said. The bytes
// are kept beside it: a record that was sound once and was damaged later, at rest, looks the same, and is known only as far as
// it was noted (wal_guard.hpp, which does not come so far then).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace rocksdb {
class FileLock;
}

namespace ota::eventstore {

struct TornTail {
  std::filesystem::path file;
  std::uint64_t offset = 0;         // the file ends there now
  std::uint64_t bytes = 0;          // that were cut off
  std::string what;                 // is wrong with them
  std::filesystem::path kept_in;    // where they are now
  std::string known;                // of whether somebody was told of them

  // "1234 bytes of 000012.log behind byte 4096 were cut off ..."
  std::string text() const;
};

// Cuts the newest WAL of the database in `directory` if it has one. Takes the database's lock meanwhile. Throws
// std::runtime_error with a sentence for people: also if another process has the database open.
// `what` is its name for people: "event log".
std::optional<TornTail> cut_torn_tail(const std::filesystem::path& directory, std::string_view what);

// The lock that RocksDB itself takes on a database that is open.
class DatabaseLock {
 public:
  // Throws std::runtime_error: another process has it.
  explicit DatabaseLock(const std::filesystem::path& directory, std::string_view what = "event log");
  ~DatabaseLock();
  DatabaseLock(const DatabaseLock&) = delete;
  DatabaseLock& operator=(const DatabaseLock&) = delete;

 private:
  rocksdb::FileLock* lock_ = nullptr;
};

// A directory for what is taken out of a database, made inside its own: "damaged-20260131T120000Z", with a number behind it
// if there is one already.
std::filesystem::path make_aside_directory(const std::filesystem::path& directory);
bool has_aside_directories(const std::filesystem::path& directory);
// Deletes all of them.
void remove_aside_directories(const std::filesystem::path& directory);

// There while a log is being repaired (repair.hpp).
inline constexpr const char* kRepairMark = "REPAIR";

}  // namespace ota::eventstore
