// A directory that vanishes: for files that RocksDB is shown instead of those that are there, and for what is built to be
// looked at.
//
// Its process holds a lock on it (flock) for as long as it is there, which a process that is killed holds no longer: so what is
// left of one that is dead goes with the next that comes by, and what somebody is reading stays. On a file system without such
// locks nothing goes but one's own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace ota::eventstore {

class Scratch {
 public:
  // What one is called: this, and six characters. Among the temporary files, which are everybody's, by a name that is nobody
  // else's.
  struct Names {
    std::string_view beside = "scratch-";
    std::string_view temporary = "ota-scratch-";
  };
  // In the directory of a database, where a start needs no other place and an erasure finds what was left; among the temporary
  // files where nothing can be made there, as in a copy that is only to be read, or where fewer than `room` bytes are free.
  // Removes what dead processes have left in both. Throws std::runtime_error with a sentence for people.
  explicit Scratch(const std::filesystem::path& beside, std::uintmax_t room = 0) : Scratch(beside, room, Names()) {}
  Scratch(const std::filesystem::path& beside, std::uintmax_t room, const Names& names);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

// Deletes what dead processes have left in the directory of a database. True: one of a living process is there, and stays.
bool remove_left_scratch(const std::filesystem::path& in);

}  // namespace ota::eventstore
