// Devices over MQTT: nats-server's own MQTT listener stands between, and the service reads and writes there.
//
//   device --MQTT--> broker --> stream ota-devices --NATS--> Inbox --> Conversation --> actors --> the log
//   log --tail()--> Pusher --> BrokerLink --MQTT, retained--> broker --> device, now or when it comes
//
// Grants, rules and record are those of DDI. The broker being down blocks and fails nothing. Order of life: construct, open
// the Service with tail() among its tails, start(), ..., stop(), destroy the Service, destroy this. No type of a foreign
// library appears here.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "actors/rate_limiter.hpp"
#include "actors/service.hpp"
#include "domain/firmware/firmware.hpp"
#include "eventstore/journal.hpp"

namespace ota::gateways {

struct MqttOptions {
  std::string host;                       // of the broker's MQTT listener
  std::uint16_t port = 1883;
  std::string user;                       // empty: none
  std::string password;
  std::string ca_file;                    // PEM: TLS, and who signs the broker's certificate; empty: no TLS
  std::string nats_url;                   // the same server over NATS; may hold user and password, and begin with "tls://"
  std::string nats_ca_file;               // then: who signs its certificate there; empty: the system's authorities
  std::int64_t stream_bytes_max = 1'073'741'824;
  std::string tenant = "DEFAULT";
  bool plug_and_play = true;              // an id that is not known is registered by its hello
  actors::Rate rate{20, 200};             // of what one device says
  std::chrono::milliseconds retry_min{250};
  std::chrono::milliseconds retry_max{15'000};
};

struct MqttHooks {
  // A link to the bytes of a firmware that is good by itself.
  std::function<std::string(const domain::DeviceId&, const domain::Firmware&)> url_of;
  // A device was here; empty: nobody wants to know.
  std::function<void(domain::Ordinal)> on_seen;
};

struct MqttStatus {
  bool connected = false;                 // both ways
  std::uint64_t devices = 0;              // that take their commands here
  std::uint64_t published = 0;            // since the start: commands that the broker has, answers that were sent
  std::uint64_t waiting = 0;              // for that
  std::uint64_t received = 0;             // messages, since the start; of these
  std::uint64_t malformed = 0;            //   could not be read
  std::uint64_t refused = 0;              // further messages: beyond a device's rate
  std::string last_error;                 // of each way that is in trouble; else the last one; empty: none yet
};

class MqttDevices {
 public:
  explicit MqttDevices(MqttOptions options);
  ~MqttDevices();                         // stops
  MqttDevices(const MqttDevices&) = delete;
  MqttDevices& operator=(const MqttDevices&) = delete;

  // Informed of every committed group; does not wait for anything.
  eventstore::Tail& tail();
  void start(actors::Service& service, MqttHooks hooks);  // once; returns at once
  void stop();                            // idempotent, from any thread but the hooks'

  MqttStatus status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ota::gateways
