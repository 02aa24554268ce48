// How far a database was durable for certain: a note beside it, which a start compares with what it finds (wal_guard.hpp).
//
// RocksDB cannot tell a write-ahead log (WAL) that has lost its end from one that never was longer, nor a file of it that is
// gone from one that was not needed. So the note says, of what was synced alone, how much there was and in which files it
// stands. A start that finds less has lost something that was acknowledged, and says so instead of giving its positions to
// other events.
//
//   <database>/acknowledged   two slots of 4,096 bytes, of which one at a time is overwritten; of two sound ones that which says more
//   slot   lines of text, and newlines behind them:
//            ota acknowledged 1
//            count 21                   events of the log, or names that were ever given a token
//            time 1767225600000000      of the newest of them, microseconds since the epoch
//            wal 12 4096                newest file of the WAL, and how many of its bytes were synced; absent: not known
//            older 8 10                 files of the WAL before it that were there; perhaps not needed any more
//            manifest 5 1234            the list of tables (MANIFEST), and how many of its bytes were synced; absent: not known
//            set_back                   there if a repair or a restore wrote it: views may have seen more than it says
//            sum 1a2b3c4d               CRC-32C of the lines before
//          A reader passes over lines that it does not know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "eventstore/types.hpp"

namespace ota::eventstore {

struct Acknowledged {
  std::uint64_t count = 0;
  Timestamp time;
  std::uint64_t wal = 0;            // number of a file; 0: not known
  std::uint64_t wal_bytes = 0;
  std::vector<std::uint64_t> older; // numbers of files
  std::uint64_t manifest = 0;       // number of a file; 0: not known
  std::uint64_t manifest_bytes = 0;
  bool set_back = false;
  bool operator==(const Acknowledged&) const = default;
};

inline constexpr const char* kAcknowledgedName = "acknowledged";
inline constexpr std::size_t kAcknowledgedSlotBytes = 4'096;

// The text of a slot, filled up.
std::string acknowledged_slot(const Acknowledged& note);
// Empty: it is damaged, or none. Throws std::runtime_error if a newer version wrote it.
std::optional<Acknowledged> parse_acknowledged(std::string_view slot);

// What a note says cannot be told; a repair writes it anew.
struct DamagedNote : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The note of a database; empty: there is none. Throws with a sentence for people: DamagedNote, or std::runtime_error if it
// cannot be read or was written by a newer version.
std::optional<Acknowledged> read_acknowledged(const std::filesystem::path& directory);
// Writes it anew, both slots, synced; the note is the old or the new one at every moment.
void replace_acknowledged(const std::filesystem::path& directory, const Acknowledged& note);

// Whether a note that could not be written may be with the next one: there is no room on the disk just now, or no descriptor or
// memory to look which files are there.
bool may_pass(const std::system_error& error);

// A note that is there, which is overwritten in place: that takes no room on a disk that is full, and costs the file system
// no change of its own that the WAL would wait for.
class AcknowledgedFile {
 public:
  // Throws std::runtime_error with a sentence for people, as the next.
  explicit AcknowledgedFile(const std::filesystem::path& directory);
  ~AcknowledgedFile();
  AcknowledgedFile(const AcknowledgedFile&) = delete;
  AcknowledgedFile& operator=(const AcknowledgedFile&) = delete;

  // Overwrites the slot that says less. Durable when it returns.
  void write(const Acknowledged& note);

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
  std::size_t next_slot_ = 0;
};

}  // namespace ota::eventstore
