// A directory that vanishes: for files that RocksDB is shown instead of those that are there.
#pragma once

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace ota::eventstore {

class Scratch {
 public:
  explicit Scratch(const std::filesystem::path& in = std::filesystem::temp_directory_path()) {
    std::string name = (in / "scratch-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error(fmt::format("{} cannot be made: {}", name, std::generic_category().message(errno)));
    }
    path_ = name;
  }
  // In a database's directory, where whoever opens or scrubs it finds what a process that was killed has left. If nothing can be
  // written there, nobody can scrub it either.
  static std::filesystem::path place_beside(const std::filesystem::path& database) {
    return ::access(database.c_str(), W_OK) == 0 ? database : std::filesystem::temp_directory_path();
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Deletes what processes that were killed have left in a database's directory. Whoever calls it has the database's lock.
inline void remove_left_scratch(const std::filesystem::path& in) {
  std::error_code ignored;
  std::vector<std::filesystem::path> left;
  for (std::filesystem::directory_iterator entry(in, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
    if (entry->path().filename().string().starts_with("scratch-")) left.push_back(entry->path());
  }
  for (const auto& one : left) std::filesystem::remove_all(one, ignored);
}

}  // namespace ota::eventstore
