// A connection of the service's own to the MQTT broker. Commands are published with QoS 1 until the broker has them; answers
// and reminders once, with QoS 0: of each a broker would keep account, and whoever misses one asks again.
//
// One thread owns the connection; everybody else only puts letters into the outbox and wakes it. What fails ends the
// session, and the next one begins with a new handle, after a pause that doubles from retry_min to retry_max: the library's
// own reconnecting and queueing are not used. A command that was not acknowledged is sent again, and may come twice.
// Callbacks of the library note what they were told and return.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "gateways/mqtt/outbox.hpp"

namespace ota::gateways::mqtt {

struct BrokerOptions {
  std::string host;
  std::uint16_t port = 1883;
  std::string user;                       // empty: none
  std::string password;
  std::string ca_file;                    // empty: no TLS
  std::string what_for = "all";           // in the log
  std::chrono::milliseconds retry_min{250};
  std::chrono::milliseconds retry_max{15'000};
};

class BrokerLink {
 public:
  using OnConnected = std::function<void()>;
  // Tells of each connection, on the link's thread.
  explicit BrokerLink(BrokerOptions options, OnConnected on_connected = {});
  ~BrokerLink();                          // stops
  BrokerLink(const BrokerLink&) = delete;
  BrokerLink& operator=(const BrokerLink&) = delete;

  void start();                           // once
  void stop();                            // idempotent; waits a moment for what is still to be said

  // From any thread; never waits for the broker.
  void publish(Letter letter);

  struct Status {
    bool connected = false;
    std::uint64_t published = 0;          // since the start: commands that were acknowledged, others that were sent
    std::uint64_t dropped = 0;            // answers that there was no room for
    std::size_t waiting = 0;              // not acknowledged yet
    std::string last_error;               // a sentence; empty: none yet
  };
  Status status() const;

 private:
  class Session;
  void run();
  void failed(const std::string& why);
  void connected();
  void wake() noexcept;

  const BrokerOptions options_;
  const OnConnected on_connected_;
  int wake_fd_ = -1;
  std::atomic<bool> stopping_{false};
  std::chrono::milliseconds retry_;       // the thread's own
  std::string logged_;                    // likewise: the present failure, if it is in the log already

  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  Outbox outbox_;
  Status status_;
  std::thread thread_;
};

}  // namespace ota::gateways::mqtt
