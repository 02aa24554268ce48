// Keeps the connections that wait: accepts them, gathers requests, and ends those that stay silent
// or are too slow.
//
// At the limit of connections those that have been silent for longest make room: devices keep theirs between polls, and a
// fleet may have more devices than that. Only where nobody is silent, one more is turned away.
//
// One thread with one epoll, whatever the number of connections. A connection is handed out
// (`ready`) only when a whole head, and a small body, has arrived, and comes back with take_back().
// Handing over is the act of arming it in epoll (EPOLLONESHOT): whoever did that must not touch it
// again. Connections are closed nowhere but in this thread; to end one, its socket is shut down and
// epoll reports it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "http/connection.hpp"
#include "http/listener.hpp"

namespace ota::http {

struct DoorLimits {
  std::size_t connections_max = 12'000;
  std::chrono::milliseconds handshake_timeout{10'000};  // from the connection to the end of TLS' greetings
  std::chrono::milliseconds idle_timeout{60'000};  // between requests
  std::chrono::milliseconds head_timeout{10'000};  // from the first byte of a head to its last
  std::chrono::milliseconds body_timeout{30'000};  // of a body that is gathered
  std::chrono::milliseconds close_timeout{2'000};  // for the peer to read the last answer
};

struct DoorCounts {
  std::size_t connections = 0;  // open now
  std::size_t busy = 0;         // of them handed out
  std::uint64_t accepted = 0;
  std::uint64_t turned_away = 0;  // too many connections
  std::uint64_t made_room = 0;    // idle, and ended for others
  std::uint64_t timed_out = 0;    // idle, or too slow
  std::uint64_t malformed = 0;    // heads that were refused, gathered bodies that were cut off
  std::uint64_t handshakes_failed = 0;  // of TLS
};

enum class Afterwards : std::uint8_t {
  kNextRequest,  // the connection stays
  kHandshake,    // it is not agreed on yet
  kClose,        // everything was said
  kLeave,        // the same, and nobody waits for the peer to have heard it
  kAbort,        // the peer is gone, or what was sent to it is not whole
};

class Doorkeeper {
 public:
  using Ready = std::function<void(Connection&)>;
  using Listeners = std::vector<std::unique_ptr<Listener>>;

  // `ready` gets the connections on which a request waits, `greeted` those whose handshake goes on.
  Doorkeeper(Listeners& listeners, const DoorLimits& limits, Ready ready, Ready greeted);
  ~Doorkeeper();
  Doorkeeper(const Doorkeeper&) = delete;
  Doorkeeper& operator=(const Doorkeeper&) = delete;

  // Runs until end(); the thread that calls it is the door thread.
  void run();
  // Gives a connection back, from its owner's thread.
  void take_back(Connection& connection, Afterwards afterwards);

  // Stopping, in this order: take no more connections, end those that wait; let those that are
  // handed out come back; cut off what has not; leave run().
  void begin_closing();
  bool wait_until_none_busy(std::chrono::milliseconds at_most);
  bool wait_until_none_open(std::chrono::milliseconds at_most);
  void cut_off();
  void end();
  bool is_closing() const { return phase_.load(std::memory_order_relaxed) != Phase::kOpen; }

  // How long the request on a connection that was handed out has waited for a thread.
  std::chrono::milliseconds since_ready(const Connection& connection) const;
  DoorCounts counts() const;

 private:
  enum class Phase : std::uint8_t { kOpen, kClosing, kCutting, kEnded };

  void accept_some(Listener& listener);
  // Whether this many connections may be, now that one more is here: at the limit idle ones are ended.
  bool has_room();
  void make_room();
  void turn_away(Connection& connection);
  void on_event(Connection& connection);
  void read_more(Connection& connection);
  void read_buffered(Connection& connection, RequestHead& head);
  void drain(Connection& connection);
  // Decides what a connection is ready for, and hands it out or arms it. By its owner's thread.
  void proceed(Connection& connection, RequestHead& head, Awaiting before);
  void refuse(Connection& connection, int status, std::string_view message);
  void begin_drain(Connection& connection);
  void arm(Connection& connection);
  void close(Connection& connection);
  void sweep();
  void enter(Phase phase);
  void notify_if_closing();
  void watch(Listener& listener, bool on);
  std::int64_t now_ms() const;

  Listeners& listeners_;
  const DoorLimits limits_;
  const Ready ready_;
  const Ready greeted_;
  const SteadyClock::time_point began_ = SteadyClock::now();
  int epoll_ = -1;
  int wake_ = -1;
  std::int64_t next_sweep_ms_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;  // the door thread's
  std::size_t going_ = 0;                                 // of these, ended to make room and not closed yet
  std::vector<char> scratch_;
  RequestHead head_;

  std::atomic<Phase> phase_{Phase::kOpen};
  std::mutex quiet_mutex_;
  std::condition_variable quiet_;
  std::atomic<std::size_t> busy_{0};
  std::atomic<std::size_t> open_{0};
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> turned_away_{0};
  std::atomic<std::uint64_t> made_room_{0};
  std::atomic<std::uint64_t> timed_out_{0};
  std::atomic<std::uint64_t> malformed_{0};
  std::atomic<std::uint64_t> handshakes_failed_{0};
};

}  // namespace ota::http
