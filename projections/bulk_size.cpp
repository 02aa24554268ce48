#include "projections/bulk_size.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace ota::projections {
namespace {

constexpr std::uint64_t kMegabyte = std::uint64_t{1} << 20;
// Below, it takes what it takes at least; above, all that it has use for.
constexpr std::uint64_t kLeastMemory = 512 * kMegabyte;
constexpr std::uint64_t kMostMemory = 3'072 * kMegabyte;

constexpr BulkSize kLeast{50'000, 16 * kMegabyte, 1};
constexpr BulkSize kMost{500'000, 128 * kMegabyte, 32};

std::optional<std::uint64_t> number_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::uint64_t number = 0;
  return in >> number ? std::optional(number) : std::nullopt;   // "max" is none
}

// Kilobytes of a line of /proc/meminfo.
std::optional<std::uint64_t> machine_bytes() {
  std::ifstream in("/proc/meminfo");
  for (std::string name, unit; in >> name;) {
    std::uint64_t kilobytes = 0;
    if (name == "MemAvailable:" && in >> kilobytes) return kilobytes * 1024;
    std::getline(in, unit);
  }
  return std::nullopt;
}

// What a container sees of its own group, in the second version of control groups and in the first.
std::optional<std::uint64_t> group_bytes() {
  const std::filesystem::path second = "/sys/fs/cgroup";
  const std::filesystem::path first = second / "memory";
  auto most = number_in(second / "memory.max");
  auto used = number_in(second / "memory.current");
  if (!most) most = number_in(first / "memory.limit_in_bytes");
  if (!used) used = number_in(first / "memory.usage_in_bytes");
  if (!most || !used) return std::nullopt;
  return *most - std::min(*most, *used);
}

}  // namespace

BulkSize bulk_size(std::uint64_t available_bytes) {
  const auto room = std::clamp(available_bytes, kLeastMemory, kMostMemory) - kLeastMemory;
  const auto between = [room](std::uint64_t least, std::uint64_t most) {
    return least + (most - least) * room / (kMostMemory - kLeastMemory);
  };
  return {between(kLeast.group_events, kMost.group_events), between(kLeast.rows_bytes, kMost.rows_bytes),
          between(kLeast.cache_factor, kMost.cache_factor)};
}

std::uint64_t available_memory() {
  const auto none = std::numeric_limits<std::uint64_t>::max();
  const auto available = std::min(machine_bytes().value_or(none), group_bytes().value_or(none));
  return available == none ? 0 : available;
}

}  // namespace ota::projections
