// A thread that works with the bus over a connection of its own, and begins anew, for ever, when
// that fails.
//
// A session is one life of a connection: it works until stopping(), or throws. After a failure the
// loop waits, from retry_min on twice as long each time up to retry_max, and from retry_min again
// once a session has been ready(). Nothing of it ever reaches the caller of start(): the bus being
// down is a state, not an error.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "gateways/nats/connection.hpp"

namespace ota::gateways::nats {

class ReconnectLoop {
 public:
  struct Options {
    std::string urls;
    std::string name;  // of the connection, and in log lines
    std::chrono::milliseconds retry_min{250};
    std::chrono::milliseconds retry_max{15'000};
    std::string ca_file = {};  // of urls with "tls://": who signs the servers' certificates; empty: the system's authorities
  };
  using Session = std::function<void(Connection&)>;

  ReconnectLoop(Options options, Session session);
  ~ReconnectLoop();  // stops

  void start();
  // Ends the session, whatever it waits for, and the thread. Idempotent. Not from the session
  // itself.
  void stop();

  // Wakes wait(). Quick, and from any thread.
  void notify() noexcept;

  // For the session, on its thread:
  bool stopping() const;
  void ready();  // what it needs is there; earlier failures are over
  // Waits for notify(), stop() or `patience`, unless notify() came since the last wait.
  void wait(std::chrono::milliseconds patience);

  struct State {
    bool ready = false;
    std::string last_error;  // of the latest failure, kept until the next; empty: none so far
  };
  State state() const;

 private:
  void run();
  void run_session();
  void attach(std::shared_ptr<Connection> connection);
  void failed(const std::string& why);
  void wait_before_retry();

  const Options options_;
  const Session session_;
  std::chrono::milliseconds retry_;  // the thread's own
  std::string logged_;               // likewise: the present failure, if it is in the log already

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool notified_ = false;
  State state_;
  std::shared_ptr<Connection> connection_;  // of the session that runs
  std::thread thread_;
};

}  // namespace ota::gateways::nats
