// The anonymous memory of a process, sampled while it works: what it has allocated, without the
// files that the kernel caches on its behalf.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace ota::bench {

class MemoryWatch {
 public:
  // Takes the first sample, then one every 10 ms. Throws std::runtime_error if there is no such
  // process.
  explicit MemoryWatch(pid_t process);
  ~MemoryWatch();
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

  // How far the highest sample so far stands above the first.
  std::uint64_t growth_bytes() const;

 private:
  void sample();

  const pid_t process_;
  std::uint64_t first_bytes_;
  std::atomic<std::uint64_t> peak_bytes_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace ota::bench
