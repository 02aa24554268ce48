// Keeps the log's disk from filling up: below a margin nothing new is taken, long before a write of the log could fail, which
// would end the process. What is in flight is finished, what is read is served, and it goes on by itself when there is room.
// What is large says beforehand how much it will take: several at once must not share the same room.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "actors/ticker.hpp"

namespace ota::actors {

class DiskGuard {
 public:
  struct Options {
    std::filesystem::path directory;
    std::uint64_t keep_free = 0;        // bytes; 0: it guards nothing
    std::chrono::milliseconds every{500};
    // Empty: the disk does not say. Default: what the file system has for this process.
    std::function<std::optional<std::uint64_t>(const std::filesystem::path&)> free_bytes;
  };
  explicit DiskGuard(Options options);

  // A sentence if nothing may be written. One load if all is well.
  std::optional<std::string> refusal() const { return refusal(0); }
  // The same for something that takes so many bytes.
  std::optional<std::string> refusal(std::uint64_t bytes) const;
  // As it was at the last look; empty: nothing is guarded, or the disk does not say.
  std::optional<std::uint64_t> free_bytes() const;
  // Keeps so many bytes for what is about to be written, beside what is kept for others; a sentence: there is no room for it.
  std::optional<std::string> hold(std::uint64_t bytes);
  // As they are written - the disk has less then - or will not be.
  void release(std::uint64_t bytes) { held_ -= bytes; }

 private:
  void look();
  std::string sentence(std::uint64_t free) const;

  Options options_;
  std::atomic<std::uint64_t> free_{UINT64_MAX};
  std::mutex looking_;
  std::atomic<std::uint64_t> held_{0};
  std::atomic<bool> is_low_{false};
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace ota::actors
