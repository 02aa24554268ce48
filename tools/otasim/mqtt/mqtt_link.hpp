// One connection of a device to the broker, MQTT 3.1.1 with a persistent session, from CONNECT to
// its end; the next one is another link. What is published has QoS 1.
//
//   opening -> (CONNACK) -> subscribing -> (SUBACK) -> up -> down
//
// libmosquitto on our loop: its threads, its reconnecting and its queue of what was not acknowledged
// are not used. Its callbacks only note; the owner is told afterwards, from the loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/otasim/mqtt/mqtt_network.hpp"

struct mosquitto;

namespace ota::sim {

struct MqttSubscription {
  std::string topic;
  int qos = 1;  // 0: what is said while the device is away is lost, and costs the broker nothing

  bool operator==(const MqttSubscription&) const = default;
};

// Who connects. Outlives the link.
struct MqttIdentity {
  std::string client_id;
  std::string user;  // empty: neither user nor password
  std::string password;
  std::string will_topic;
  std::string will;
  std::vector<MqttSubscription> subscriptions;
};

struct MqttMessage {
  std::string topic;
  std::string body;
};

// May destroy the link in each of these.
class MqttLinkOwner {
 public:
  virtual ~MqttLinkOwner() = default;
  virtual void link_up() = 0;
  virtual void link_heard(std::vector<MqttMessage> messages) = 0;
  virtual void link_down(const std::string& why) = 0;  // once, and the last thing
};

class MqttLink {
 public:
  // How it ends when it is destroyed.
  enum class Farewell {
    kDisconnect,  // says so: no last will
    kClose,       // in order of TCP alone
    kReset,       // the other side gets a reset
    kForget,      // the other side hears nothing
  };

  // Begins to connect.
  MqttLink(MqttNetwork& network, MqttLinkOwner& owner, const MqttIdentity& identity);
  MqttLink(const MqttLink&) = delete;
  MqttLink& operator=(const MqttLink&) = delete;
  ~MqttLink();

  // Sends, as far as the connection takes it. What comes of it is not told: whoever needs to know
  // has an answer to wait for.
  void publish(const std::string& topic, const std::string& body);
  void farewell(Farewell how) { farewell_ = how; }

  // Nothing comes through any more, in either direction, until hear_again(); then all of it does.
  void go_deaf();
  void hear_again();

  bool is_up() const { return up_; }
  // When something came from the broker last, or the link began.
  TimePoint heard_at() const { return heard_at_; }
  std::uint64_t published() const { return published_; }
  std::uint64_t acknowledged() const { return acknowledged_; }

  // Of the network alone.
  void on_ready(std::uint32_t events);

 private:
  struct Notes;  // what the callbacks were told since the owner was
  void set_up_handle();
  void open();
  void look_after();
  void take_turn(int code);
  void subscribe();
  void watch();
  void tell_owner();
  void let_go_of_socket();
  std::chrono::milliseconds look_every() const;

  MqttNetwork& network_;
  MqttLinkOwner& owner_;
  const MqttIdentity& identity_;
  const std::uint64_t token_;
  std::unique_ptr<Notes> notes_;
  mosquitto* handle_ = nullptr;
  int fd_ = -1;  // as the loop watches it
  std::optional<EventLoop::Interest> watched_for_;
  bool reached_ = false;   // TCP is connected
  bool taken_in_ = false;  // the CONNACK says so
  bool up_ = false;
  bool deaf_ = false;
  std::vector<MqttMessage> unsent_;  // while deaf
  Farewell farewell_ = Farewell::kClose;
  TimePoint begun_at_{};
  TimePoint heard_at_{};
  std::uint64_t published_ = 0;
  std::uint64_t acknowledged_ = 0;
  TimerTicket clock_;
};

}  // namespace ota::sim
