#include "tools/benchmarks/machine.hpp"

#include <fmt/format.h>
#include <linux/magic.h>
#include <rocksdb/version.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fstream>

namespace ota::bench {
namespace {

// The value of the first line "<name> : <value>" of a file in /proc.
std::string proc_value(const char* path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const auto value = line.find_first_not_of(" \t", line.find(':') + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "unknown";
}

std::string kernel_release() {
  utsname names{};
  return uname(&names) == 0 ? fmt::format("{} {}", names.sysname, names.release) : "unknown";
}

std::string file_system_of(const std::filesystem::path& directory) {
  struct statfs found {};
  if (statfs(directory.c_str(), &found) != 0) return "unknown";
  switch (static_cast<unsigned long>(found.f_type)) {
    case EXT4_SUPER_MAGIC:
      return "ext4";
    case XFS_SUPER_MAGIC:
      return "xfs";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case TMPFS_MAGIC:
      return "tmpfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlayfs";
    default:
      return fmt::format("type {:#x}", static_cast<unsigned long>(found.f_type));
  }
}

}  // namespace

Machine this_machine(const std::filesystem::path& directory) {
  Machine machine;
  machine.processor = proc_value("/proc/cpuinfo", "model name");
  machine.cores = sysconf(_SC_NPROCESSORS_ONLN);
  machine.kernel = kernel_release();
  machine.memory_mb = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / (1024 * 1024);
  if (getloadavg(&machine.load_average, 1) != 1) machine.load_average = 0;
  machine.rocksdb = fmt::format("{}.{}.{}", ROCKSDB_MAJOR, ROCKSDB_MINOR, ROCKSDB_PATCH);
  machine.directory = directory.string();
  machine.file_system = file_system_of(directory);
  return machine;
}

std::string Machine::describe() const {
  std::string text = fmt::format(
      "{} x {}, {} MB, {}, load average {:.2f}\n"
      "RocksDB {}, temporary files in {} ({}); load generators share the cores",
      cores, processor, memory_mb, kernel, load_average, rocksdb, directory, file_system);
  if (file_system == "tmpfs") {
    text += "\nWarning: an fsync costs nothing on tmpfs; set TMPDIR to a directory on a disk.";
  } else if (load_average > static_cast<double>(cores) / 2) {
    text +=
        "\nWarning: the machine is busy with other work; figures are too low, ratios uncertain.";
  }
  return text;
}

}  // namespace ota::bench
