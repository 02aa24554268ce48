// What work costs: seconds on the wall, and seconds of processor time.
#pragma once

#include <time.h>

#include <chrono>

namespace ota::bench {

struct Cost {
  double seconds = 0;
  double cpu_seconds = 0;  // of all threads of the process
};

// Runs since it was made.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }
  Cost cost() const { return {seconds(), cpu_now() - cpu_began_}; }

 private:
  static double cpu_now() {
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
  }

  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  double cpu_began_ = cpu_now();
};

}  // namespace ota::bench
