// tools/otasim/event_loop: how it ends.
#include "tools/otasim/event_loop.hpp"

#include <doctest/doctest.h>
#include <pthread.h>

#include <csignal>

using namespace ota::sim;
using namespace std::chrono_literals;

namespace {

struct NoSockets : EventSource {
  bool before_wait() override { return false; }
  void on_ready(std::uint64_t, std::uint32_t) override {}
};

volatile std::sig_atomic_t signals_let_through = 0;

}  // namespace

TEST_CASE("a signal ends the loop, and is not there any more when the loop is gone") {
  struct sigaction before {};
  struct sigaction counting {};
  counting.sa_handler = [](int) { signals_let_through = signals_let_through + 1; };
  sigaction(SIGTERM, &counting, &before);
  {
    EventLoop loop;
    NoSockets none;
    const TimerTicket later =
        loop.timers().at(EventLoop::now(), [] { pthread_kill(pthread_self(), SIGTERM); });
    loop.run(none);
    CHECK(loop.was_interrupted());
  }
  CHECK(signals_let_through == 0);
  sigaction(SIGTERM, &before, nullptr);
}

TEST_CASE("a loop that is stopped runs again, and was not interrupted") {
  EventLoop loop;
  NoSockets none;
  int turns = 0;
  for (int i = 0; i < 2; ++i) {
    const TimerTicket ticket = loop.timers().at(EventLoop::now() + 1ms, [&] {
      ++turns;
      loop.stop();
    });
    loop.run(none);
  }
  CHECK(turns == 2);
  CHECK_FALSE(loop.was_interrupted());
}
