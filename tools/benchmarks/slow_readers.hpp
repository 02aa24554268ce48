// Devices on thin lines: each downloads a file at a steady pace, for as long as this value lives.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tools/benchmarks/load_connection.hpp"
#include "tools/benchmarks/stopwatch.hpp"

namespace ota::bench {

struct SlowReading {
  int port = 0;                    // on 127.0.0.1
  std::vector<std::string> paths;  // of each device its own
  std::size_t bytes_per_s = 100'000;
};

class SlowReaders {
 public:
  // Asks for all the files at once. Throws std::runtime_error.
  explicit SlowReaders(const SlowReading& reading);
  ~SlowReaders();
  SlowReaders(const SlowReaders&) = delete;
  SlowReaders& operator=(const SlowReaders&) = delete;

  // How much each of them got in a second so far. Throws std::runtime_error if one was refused or has
  // ended, or if the pace was not kept: then less was going on than was to be.
  double bytes_per_s_each() const;

 private:
  void read_on();

  const double wanted_bytes_per_s_;
  std::vector<std::string> requests_;
  std::vector<std::unique_ptr<LoadConnection>> connections_;  // the thread's, once it runs
  Stopwatch stopwatch_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::size_t> ended_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace ota::bench
