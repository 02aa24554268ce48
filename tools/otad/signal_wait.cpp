#include "tools/otad/signal_wait.hpp"

#include <time.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace ota::tools {

int wait_for_signal(const sigset_t& signals, std::chrono::milliseconds every,
                    const std::function<void()>& work, const std::function<void()>& hung_up) {
  using Clock = std::chrono::steady_clock;
  auto due = Clock::now() + every;
  for (;;) {
    const auto left = std::max(Clock::duration::zero(), due - Clock::now());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec patience{seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
    const int signal = sigtimedwait(&signals, nullptr, &patience);
    if (signal == SIGHUP && hung_up) {
      hung_up();
      continue;
    }
    if (signal > 0) return signal;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) throw std::runtime_error("cannot wait for signals");
    due = Clock::now() + every;
    work();
  }
}

}  // namespace ota::tools
