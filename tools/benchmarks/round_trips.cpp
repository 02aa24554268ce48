#include "tools/benchmarks/round_trips.hpp"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "tools/benchmarks/stopwatch.hpp"

namespace ota::bench {

double round_trips_per_second(const RoundTrips& load, const Asker& asker) {
  std::atomic<bool> stop{false};
  std::vector<std::future<std::uint64_t>> threads;
  const Stopwatch stopwatch;
  for (std::size_t thread = 0; thread < load.threads; ++thread) {
    threads.push_back(std::async(std::launch::async, [&stop, &asker, thread] {
      std::uint64_t begun = 0;
      asker(thread, [&stop, &begun] { return !stop && ++begun != 0; });
      return begun;
    }));
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(load.seconds));
  stop = true;
  for (auto& thread : threads) thread.wait();
  const double seconds = stopwatch.seconds();
  std::uint64_t all = 0;
  for (auto& thread : threads) all += thread.get();
  return static_cast<double>(all) / seconds;
}

}  // namespace ota::bench
