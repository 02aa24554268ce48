// The MQTT side of the loop: where the broker is, whom to trust there, and which connection a
// socket belongs to. Outlives its links. One thread.
#pragma once

#include <openssl/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "tools/otasim/event_loop.hpp"
#include "tools/otasim/net/bad_network.hpp"
#include "tools/otasim/net/url.hpp"

namespace ota::sim {

class MqttLink;

struct MqttSettings {
  Origin broker;
  std::string ca_file;    // PEM; empty: the system's authorities
  bool insecure = false;  // does not check the broker's certificate
  int publish_qos = 1;    // 0: the broker acknowledges nothing; the service's answers do
  std::chrono::seconds keep_alive{60};
  std::chrono::milliseconds timeout{30'000};  // until the broker has taken a device in
  std::size_t half_open_max = 500;
};

// Tokens of MQTT sockets have this bit, those of others have not.
inline constexpr std::uint64_t kMqttTokens = std::uint64_t{1} << 62;

class MqttNetwork : public EventSource {
 public:
  // Throws when the authorities cannot be read.
  MqttNetwork(EventLoop& loop, MqttSettings settings);
  MqttNetwork(const MqttNetwork&) = delete;
  MqttNetwork& operator=(const MqttNetwork&) = delete;
  ~MqttNetwork() override;

  const MqttSettings& settings() const { return settings_; }
  EventLoop& loop() { return loop_; }
  SSL_CTX* tls() const { return tls_; }  // null: no TLS

  bool before_wait() override { return false; }
  void on_ready(std::uint64_t token, std::uint32_t events) override;

  // Of links alone: one begins or ends; null: the token's link is no more.
  std::uint64_t enter(MqttLink& link);
  void leave(std::uint64_t token);
  MqttLink* find(std::uint64_t token) const;
  // Keeps a socket open of which the other side hears nothing any more; of too many, the oldest is
  // closed.
  void keep_forgotten(int fd);

  void count(FaultKind kind) { ++faults_[static_cast<std::size_t>(kind)]; }
  std::uint64_t faults(FaultKind kind) const { return faults_[static_cast<std::size_t>(kind)]; }

 private:
  EventLoop& loop_;
  const MqttSettings settings_;
  SSL_CTX* tls_ = nullptr;
  std::unordered_map<std::uint64_t, MqttLink*> links_;
  std::uint64_t last_token_ = 0;
  std::deque<int> forgotten_;
  std::array<std::uint64_t, kFaultKinds> faults_{};
};

// Both sides of a fleet that speaks HTTP and MQTT, as one source.
class TwoSources : public EventSource {
 public:
  TwoSources(EventSource& others, EventSource& mqtt) : others_(others), mqtt_(mqtt) {}
  bool before_wait() override {
    const bool mqtt = mqtt_.before_wait();
    return others_.before_wait() || mqtt;
  }
  void on_ready(std::uint64_t token, std::uint32_t events) override {
    ((token & kMqttTokens) != 0 ? mqtt_ : others_).on_ready(token, events);
  }

 private:
  EventSource& others_;
  EventSource& mqtt_;
};

}  // namespace ota::sim
