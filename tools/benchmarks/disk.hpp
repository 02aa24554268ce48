// A quiet disk before the clock starts.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

namespace ota::bench {

// Writes out what earlier work left in the page cache of this file system, deletions included: an
// fsync may have to wait for other files' data, and whoever is measured second would pay for the
// first.
inline void settle_disk(const std::filesystem::path& directory) {
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  syncfs(descriptor);
  close(descriptor);
}

}  // namespace ota::bench
