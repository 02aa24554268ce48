// Who is behind a subject token. The log holds tokens only, so that a person can be forgotten
// without touching it.
//
// A third small database, every write synced before it returns, and noted beside it (acknowledged.hpp): a token must be known
// before it enters an append. One person has one token; a person who returns after an erasure gets a new one. Safe from any
// thread. Every verb throws std::runtime_error with a sentence for people if the database cannot be read. One that cannot be
// written ends the process, as a log does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/types.hpp"

namespace rocksdb {
class DB;
class Env;
}

namespace ota::eventstore {

class Subjects {
 public:
  struct Options {
    rocksdb::Env* env = nullptr;    // null: the file system. For tests, which break it on purpose
    // Called once, on the thread of whoever wrote or on one of RocksDB's. Must not return; default: prints and _exit(70). Of one
    // that throws, in a test, the writer hears as a std::runtime_error.
    std::function<void(const std::string& why)> fail_stop;
  };
  // Throws std::runtime_error with a sentence for people: also if it is damaged, or lacks names that were acknowledged.
  static std::unique_ptr<Subjects> open(const std::filesystem::path& directory, const Options& options);
  static std::unique_ptr<Subjects> open(const std::filesystem::path& directory);
  virtual ~Subjects() = default;

  // The token of a person (1..256 bytes), made and synced at the first call. An empty id has the
  // empty token.
  virtual SubjectToken token_for(std::string_view person) = 0;
  // The same for many, in their order; those that are new are made together and synced once.
  virtual std::vector<SubjectToken> tokens_for(const std::vector<std::string>& persons) = 0;
  // The same, but never made: empty if this person has none.
  virtual std::optional<SubjectToken> known_token(std::string_view person) const = 0;
  // Who it is; empty if erased or unknown.
  virtual std::optional<std::string> person(SubjectToken token) const = 0;
  // Deletes the row of a token, flushed and compacted, so that no copy of the name stays on disk.
  // Idempotent.
  virtual void erase(SubjectToken token) = 0;
  // Somebody who is in none of the rows, and may be in what lies beside them: an erasure that was cut short is finished, and
  // what was kept aside of damaged files goes. Errors as of `erase`.
  virtual void erase_leftovers() = 0;
  // An erasure is not through: somebody who looked for damage had a copy (scratch.hpp). erase_leftovers() is to be called again.
  virtual bool is_erasure_due() const = 0;
  // What was cut off the end of its write-ahead log when it was opened, as a sentence; empty: nothing.
  virtual std::string torn_tail() const = 0;

 private:
  friend class Backups;
  // Others go on meanwhile, but for an erasure, which waits.
  virtual void with_database(const std::function<void(rocksdb::DB&)>& use) const = 0;
};

}  // namespace ota::eventstore
