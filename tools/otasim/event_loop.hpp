// The one thread of the simulator: epoll, timers and signals.
//
// A turn is: the source prepares, epoll waits until a socket is ready or a timer is due, the source
// and then the due timers run. Handlers run on this thread, one after the other, and must not block.
#pragma once

#include <signal.h>

#include <cstdint>

#include "tools/otasim/timer_heap.hpp"

namespace ota::sim {

// What lives on the loop beside the timers: the HTTP client.
class EventSource {
 public:
  virtual ~EventSource() = default;
  // Answers whether there is more to do at once: then this turn does not wait.
  virtual bool before_wait() = 0;
  // `token` is the one that the socket is watched with.
  virtual void on_ready(std::uint64_t token, std::uint32_t events) = 0;
};

class EventLoop {
 public:
  // Until its end blocks SIGINT and SIGTERM and takes them as stop requests; ignores SIGPIPE.
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  TimerHeap& timers() { return timers_; }
  static TimePoint now() { return std::chrono::steady_clock::now(); }

  // Watches a socket in both directions until it is closed. Edge triggered: tells once when
  // something has become possible.
  void watch(int fd, std::uint64_t token);

  // The same for whoever does not read until nothing is left: level triggered, tells as long as it
  // is so. Called again it changes what for.
  enum class Interest { kRead, kWrite, kBoth };
  void watch_level(int fd, std::uint64_t token, Interest interest);
  // Of a socket that stays open.
  void unwatch(int fd);

  // Turns until stop() or a signal.
  void run(EventSource& source);
  void stop() { stopped_ = true; }
  bool was_interrupted() const { return interrupted_; }

 private:
  int wait_ms();

  int epoll_fd_ = -1;
  int signal_fd_ = -1;
  sigset_t signals_before_{};
  TimerHeap timers_;
  bool stopped_ = false;
  bool interrupted_ = false;
};

}  // namespace ota::sim
