// One file of RocksDB's write-ahead log (WAL), read without RocksDB: up to where it is sound, and what stands behind that.
//
// RocksDB says that a WAL is damaged, and not where; and where it is told to go on it does so without a word. What a
// damage means depends on what is behind it. Every write is synced before the next one begins (writer.cpp), so:
//
//   nothing behind it     the last write, which was not written to its end: nobody was told of it. Normal after a power cut. But one
//                         that was damaged later looks the same, and was acknowledged if the note says so (acknowledged.hpp)
//   a sound record        what is damaged had been synced, and may have been acknowledged: a loss that must not be hidden
//
//   file    blocks of 32 KB, each of fragments; less than 7 bytes at the end of a block are filled with 0
//   fragment  checksum (4, masked CRC-32C of type and bytes) | length (2) | type (1): whole, first, middle, last | bytes
//   record  the bytes of its fragments = sequence number of its first row (8) | count of rows (4) | rows   little endian
//
// The rows of all records are numbered without a gap, also across files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ota::eventstore {

struct WalDamage {
  std::filesystem::path file;
  std::uint64_t offset = 0;         // all before it is sound
  std::uint64_t bytes = 0;          // from there to the end of the file
  std::string what;
  std::uint64_t records_behind = 0; // sound ones in this file and in later ones

  bool is_torn_tail() const { return records_behind == 0; }
  // "000012.log at byte 4096: its checksum is wrong, and 3 sound records are behind it"
  std::string text() const;
};

// The WALs of a database in the order in which they were written, those from number `from` on; empty files are left out.
std::vector<std::filesystem::path> wal_files(const std::filesystem::path& database, std::uint64_t from = 0);

// How large each file of the WAL of a database is, by its number. One that vanishes meanwhile may be left out.
std::map<std::uint64_t, std::uint64_t> wal_sizes(const std::filesystem::path& database);
// "000012.log"
std::string wal_name(std::uint64_t number);

// Whether the last record of a file, and the block in which it begins, are sound: a short look that finds every torn tail.
bool ends_soundly(const std::filesystem::path& file);

// What is wrong first in files that were written one after the other; empty if they are sound. A file that is gone
// meanwhile is passed over. Throws std::runtime_error if one cannot be read.
std::optional<WalDamage> find_wal_damage(const std::vector<std::filesystem::path>& files);

// Of a file that is framed so, whatever its records are: where it is wrong first; empty if it is sound.
struct FrameFault {
  std::uint64_t offset = 0;         // all before it is sound
  std::string what;
  std::uint64_t sound_behind = 0;   // records that begin behind it
};
std::optional<FrameFault> find_frame_fault(std::string_view file);

// The files again, in another directory, with their sound records alone. RocksDB reads these; of the damaged ones it may
// put the halves of two records together.
void copy_sound_records(const std::vector<std::filesystem::path>& files, const std::filesystem::path& to);

}  // namespace ota::eventstore
