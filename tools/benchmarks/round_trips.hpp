// Threads that ask, wait for the answer, and ask again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace ota::bench {

struct RoundTrips {
  std::size_t threads = 1;
  double seconds = 1;
};

// Does the work of one thread: calls `keep_going` before each round trip, and ends when it answers
// false. `thread` counts from 0.
using KeepGoing = std::function<bool()>;
using Asker = std::function<void(std::size_t thread, const KeepGoing& keep_going)>;

// Round trips a second of all threads. Passes on what an asker throws.
double round_trips_per_second(const RoundTrips& load, const Asker& asker);

}  // namespace ota::bench
