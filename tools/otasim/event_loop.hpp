// The one thread of the simulator: epoll, timers and signals.
//
// A turn is: the source prepares, epoll waits until a socket is ready or the nearest deadline, the
// source and then the due timers run. Handlers run on this thread, one after the other, and must
// not block.
#pragma once

#include <cstdint>
#include <optional>

#include "tools/otasim/timer_heap.hpp"

namespace ota::sim {

// What lives on the loop beside the timers: the HTTP client.
class EventSource {
 public:
  virtual ~EventSource() = default;
  virtual void before_wait() = 0;
  virtual std::optional<TimePoint> deadline() const = 0;
  virtual void on_ready(int fd, std::uint32_t events) = 0;
  virtual void on_deadline() = 0;
};

class EventLoop {
 public:
  // Blocks SIGINT and SIGTERM for the process and takes them as stop requests; ignores SIGPIPE.
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  TimerHeap& timers() { return timers_; }
  static TimePoint now() { return std::chrono::steady_clock::now(); }

  // Watches, or watches for other events, or (0) no longer watches a socket.
  void watch(int fd, std::uint32_t events);

  // Turns until stop() or a signal.
  void run(EventSource& source);
  void stop() { stopped_ = true; }
  bool was_interrupted() const { return interrupted_; }

 private:
  int wait_ms(const EventSource& source);

  int epoll_fd_ = -1;
  int signal_fd_ = -1;
  TimerHeap timers_;
  bool stopped_ = false;
  bool interrupted_ = false;
};

}  // namespace ota::sim
