// tools/otasim/timer_heap: timers with cancellation, time given.
#include "tools/otasim/timer_heap.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace ota::sim;
using namespace std::chrono_literals;

TEST_CASE("timers run in order of time, equal times in the order they were set") {
  TimerHeap heap;
  const TimePoint start{};
  std::string order;
  const auto c = heap.at(start + 3ms, [&] { order += 'c'; });
  const auto a = heap.at(start + 1ms, [&] { order += 'a'; });
  const auto b = heap.at(start + 1ms, [&] { order += 'b'; });
  CHECK(heap.next() == start + 1ms);
  heap.run_due(start);
  CHECK(order.empty());
  heap.run_due(start + 2ms);
  CHECK(order == "ab");
  heap.run_due(start + 5ms);
  CHECK(order == "abc");
  CHECK_FALSE(heap.next());
}

TEST_CASE("a ticket that is destroyed or overwritten cancels its timer") {
  TimerHeap heap;
  int ran = 0;
  {
    const auto gone = heap.at(TimePoint{}, [&] { ran += 1; });
  }
  auto ticket = heap.at(TimePoint{}, [&] { ran += 10; });
  ticket = heap.at(TimePoint{}, [&] { ran += 100; });
  heap.run_due(TimePoint{});
  CHECK(ran == 100);
}

TEST_CASE("a timer may destroy its own ticket and set a new one, which waits for the next turn") {
  TimerHeap heap;
  int ran = 0;
  TimerTicket ticket;
  std::function<void()> again = [&] {
    ++ran;
    ticket = heap.at(TimePoint{}, again);
  };
  ticket = heap.at(TimePoint{}, again);
  heap.run_due(TimePoint{} + 1ms);
  CHECK(ran == 1);
  heap.run_due(TimePoint{} + 1ms);
  CHECK(ran == 2);
}

TEST_CASE("a timer may cancel one that is due in the same turn") {
  TimerHeap heap;
  bool ran = false;
  TimerTicket victim;
  const auto first = heap.at(TimePoint{}, [&] { victim.cancel(); });
  victim = heap.at(TimePoint{} + 1ms, [&] { ran = true; });
  heap.run_due(TimePoint{} + 2ms);
  CHECK_FALSE(ran);
}

TEST_CASE("the next timer is one that was not cancelled, however many were") {
  TimerHeap heap;
  for (int i = 0; i < 100'000; ++i) {
    const auto gone = heap.at(TimePoint{} + 1ms, [] {});
  }
  const auto kept = heap.at(TimePoint{} + 2ms, [] {});
  CHECK(heap.live() == 1);
  CHECK(heap.next() == TimePoint{} + 2ms);
}
