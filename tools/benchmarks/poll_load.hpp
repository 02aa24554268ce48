// Polls with nothing to do: what several rows measure, alone or while something else goes on.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tools/benchmarks/device_plans.hpp"
#include "tools/benchmarks/load.hpp"
#include "tools/benchmarks/rows.hpp"

namespace ota::bench {

inline constexpr std::size_t kPollingDevices = 1'024;

// The polls of so many devices from `first` on; they must be registered.
std::vector<std::string> poll_requests(std::size_t first = 0);
// What the first of them is answered.
std::string poll_answer(int port);
// Runs a plan for as long as a row that is measured by time lasts.
LoadResult run_for(const Extent& extent, int port, std::size_t connections, LoadPlan& plan);

// Polls alone, and polls beside something else, measured in turns: what that costs them.
class PollsBeside {
 public:
  void add_alone(const LoadResult& result);
  void add_beside(const LoadResult& result);
  // The time at the 99th percentile, which must stay below 50 ms in the worst round too, and the polls a
  // second in the best.
  Rows rows(const std::string& work, const std::string& peer, const std::string& note) const;

 private:
  double alone_per_second_ = 0;
  double beside_per_second_ = 0;
  std::chrono::microseconds alone_p99_{0};
  std::chrono::microseconds beside_p50_{0};
  std::chrono::microseconds beside_p99_{0};
};

}  // namespace ota::bench
