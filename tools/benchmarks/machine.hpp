// Where the figures were measured: without it they say little.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace ota::bench {

struct Machine {
  std::string processor;
  std::int64_t cores = 0;
  std::string kernel;
  std::uint64_t memory_mb = 0;
  double load_average = 0;  // of the last minute, before anything was measured
  std::string rocksdb;
  std::string directory;  // of the temporary files
  std::string file_system;

  // Two lines; three if the figures deserve a warning.
  std::string describe() const;
};

Machine this_machine(const std::filesystem::path& directory);

}  // namespace ota::bench
