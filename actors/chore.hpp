// Work behind the service's back: again and again after some time, and when somebody asks for it; one at a time, on a thread of
// its own that gives way to all others.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "domain/words.hpp"

namespace ota::actors {

// How long the first time is to be waited for, when a last one is known: `soon` if that is overdue, or there was none.
inline std::chrono::milliseconds until_due(std::chrono::milliseconds every, std::chrono::milliseconds soon,
                                           std::optional<domain::Time> last, domain::Time now) {
  soon = std::min(soon, every);
  if (!last || *last > now) return soon;
  return std::max(soon, std::chrono::duration_cast<std::chrono::milliseconds>(every - (now - *last)));
}

class Chore {
 public:
  // Whether the work is to be broken off.
  using Stopped = std::function<bool()>;
  // Must not throw. `asked`: somebody waits for it.
  using Work = std::function<void(bool asked, const Stopped& stopped)>;

  // The first time after `first`, then so long after the last; `every` 0: only when somebody asks.
  Chore(std::chrono::milliseconds first, std::chrono::milliseconds every, Work work);
  Chore(std::chrono::milliseconds every, Work work) : Chore(every, every, std::move(work)) {}
  // Breaks off what runs.
  ~Chore();
  Chore(const Chore&) = delete;
  Chore& operator=(const Chore&) = delete;

  // False: it runs, or is about to.
  bool start();
  // Once more, from now on: behind what runs.
  void start_anew();
  bool is_running() const;

 private:
  void run();

  const std::chrono::milliseconds first_;
  const std::chrono::milliseconds every_;
  const Work work_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;
  bool running_ = false;
  bool closing_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace ota::actors
