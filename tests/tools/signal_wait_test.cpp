#include "tools/otad/signal_wait.hpp"

#include <doctest/doctest.h>
#include <pthread.h>

#include <stdexcept>

namespace ota::tools {

TEST_CASE("otad: while it waits for a signal its work is done again and again") {
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  REQUIRE(pthread_sigmask(SIG_BLOCK, &signals, &before) == 0);
  int done = 0;
  const auto work = [&] {
    if (++done == 3) pthread_kill(pthread_self(), SIGUSR1);
  };
  CHECK(wait_for_signal(signals, std::chrono::milliseconds(1), work) == SIGUSR1);
  CHECK(done == 3);
  // A signal that is there already is answered before any work.
  pthread_kill(pthread_self(), SIGUSR1);
  CHECK(wait_for_signal(signals, std::chrono::hours(24), work) == SIGUSR1);
  CHECK(done == 3);
  CHECK_THROWS_AS(wait_for_signal(signals, std::chrono::milliseconds(1),
                                  [] { throw std::runtime_error("no"); }),
                  std::runtime_error);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace ota::tools
