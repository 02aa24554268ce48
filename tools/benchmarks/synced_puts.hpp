// RocksDB left to itself: many threads that put one row each and wait for its fsync. RocksDB makes
// groups of those that wait at the same time.
#pragma once

#include <cstddef>
#include <filesystem>

namespace ota::bench {

struct SyncedPuts {
  std::size_t threads = 64;
  std::size_t value_bytes = 61;  // the record of a report as ReportsPlan has it, which the log keeps twice
  double seconds = 1;
};

// Puts a second into a new database with RocksDB's default options. Throws std::runtime_error.
double synced_puts_per_second(const std::filesystem::path& directory, const SyncedPuts& load);

}  // namespace ota::bench
