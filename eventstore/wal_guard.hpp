// Compares a database, before RocksDB may change anything of it, with the note of how far it was acknowledged (acknowledged.hpp).
//
// RocksDB turns what it finds of a write-ahead log (WAL) into tables and deletes the files: behind that nobody can put back a file
// that was missing. So the files are looked at first, by the note alone: is every one there that it names, the newest as far as
// it was synced? Files that are not needed any more go, too; only RocksDB knows which (its min-log-number-to-keep), and is
// asked, without changing anything, if one is missing. Its list of tables (MANIFEST) is compared likewise: what that does not name any
// more RocksDB deletes. Used by the log and by the subjects.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "eventstore/acknowledged.hpp"
#include "eventstore/torn_tail.hpp"

namespace ota::eventstore {

class WalGuard {
 public:
  struct Words {
    std::string database;           // "event log"
    std::string things;             // "events": what the note counts
    std::filesystem::path repaired; // what `otactl log repair` is told to repair
  };
  // Looks at the note first and at the files then: of a database that is being written the note is never ahead.
  WalGuard(std::filesystem::path directory, Words words);

  // Empty: there is none, or none that can be read.
  const std::optional<Acknowledged>& note() const { return note_; }
  // Why there is none that can be read; empty: nothing is wrong with it.
  const std::string& note_fault() const { return note_fault_; }

  // That the list of tables (MANIFEST) is not as far there as it was synced, in words: nobody knows what it named behind that.
  // Empty: it is.
  const std::string& cut_manifest() const { return cut_manifest_; }
  // What is missing of the files from number `needed` on: "000012.log is gone"; empty: nothing.
  std::string missing_wal(std::uint64_t needed) const;
  // The same for all that is wrong with `found` events or names: a sentence that ends with what to do; empty: nothing. Without
  // `found` nobody can tell how many there are.
  std::string shortfall(std::optional<std::uint64_t> found, std::uint64_t needed) const;

  // Throws std::runtime_error: a file from number `from` on is damaged before the end of the last record.
  void refuse_damaged(std::uint64_t from) const;
  // Cuts a torn tail off, if there is one.
  std::optional<TornTail> cut_torn_tail() const;

 private:
  std::filesystem::path directory_;
  Words words_;
  std::optional<Acknowledged> note_;
  std::string note_fault_;
  std::map<std::uint64_t, std::uint64_t> sound_bytes_;  // of each file of the WAL
  std::string cut_manifest_;
};

}  // namespace ota::eventstore
