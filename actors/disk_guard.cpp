#include "actors/disk_guard.hpp"

#include <sys/statvfs.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace ota::actors {
namespace {

constexpr std::uint64_t kMegabyte = 1'000'000;
constexpr std::uint64_t kSpareMax = 100 * kMegabyte;

std::optional<std::uint64_t> free_on_disk(const std::filesystem::path& directory) {
  struct statvfs status {};
  if (::statvfs(directory.c_str(), &status) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace

DiskGuard::DiskGuard(Options options) : options_(std::move(options)) {
  if (options_.keep_free == 0) return;
  if (!options_.free_bytes) options_.free_bytes = free_on_disk;
  look();
  ticker_ = std::make_unique<Ticker>(options_.every, [this] { look(); });
}

void DiskGuard::look() {
  const std::lock_guard lock(looking_);     // also asked by whoever wants room
  const auto free = options_.free_bytes(options_.directory);
  if (!free) return;
  free_ = *free;
  const bool was_low = is_low_.load();
  // With some room to spare, lest it opens and closes with every write.
  const bool is_low = *free < options_.keep_free + (was_low ? std::min(options_.keep_free / 10, kSpareMax) : 0);
  is_low_ = is_low;
  if (is_low && !was_low) spdlog::error("{}", sentence(*free));
  if (!is_low && was_low) spdlog::info("there is room on the disk again: {} MB are free", *free / kMegabyte);
}

std::optional<std::uint64_t> DiskGuard::free_bytes() const {
  const auto free = free_.load();
  return free == UINT64_MAX ? std::nullopt : std::optional(free);
}

std::optional<std::string> DiskGuard::hold(std::uint64_t bytes) {
  if (options_.keep_free > 0) look();       // what was released a moment ago is written: the disk has less
  auto full = refusal(held_.fetch_add(bytes) + bytes);
  if (full) held_ -= bytes;
  return full;
}

std::optional<std::string> DiskGuard::refusal(std::uint64_t bytes) const {
  const bool is_low = is_low_.load(std::memory_order_relaxed);
  const auto free = free_.load(std::memory_order_relaxed);
  if (!is_low && (options_.keep_free == 0 || free >= options_.keep_free + bytes)) return std::nullopt;
  return sentence(free);
}

std::string DiskGuard::sentence(std::uint64_t free) const {
  return fmt::format("the disk of {} is full: {} MB are free, {} MB are kept free; nothing is written until there is room",
                     options_.directory.string(), free / kMegabyte, options_.keep_free / kMegabyte);
}

}  // namespace ota::actors
