// The service on the platform's bus (NATS JetStream): what it tells others, and what it hears from
// them.
//
//   log --tail()--> wakes --> publisher thread --> ota_service.<entity>.<action>
//   (ota_service-stream) device_service.device.deleted --> listener thread -->
//   Service::device(DeleteDevice)
//   account_service.user.deleted --> another one --> Service::delete_user
//
// The bus being down blocks and fails nothing: the threads reconnect for ever, and the log keeps
// what is to be told. Order of life: construct the Bus, open the Service with tail() among its
// tails, start(), ..., stop(), destroy the Service, destroy the Bus. No type of the NATS library
// appears here.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "actors/service.hpp"
#include "eventstore/journal.hpp"

namespace ota::gateways {

struct BusOptions {
  std::string url;      // "nats://host:4222", or "tls://.."; several, of one cluster, separated by commas
  std::string ca_file;  // PEM, with "tls://": who signs the servers' certificates; empty: the system's authorities
  // What to listen to, a pattern too; empty: nothing is listened to.
  std::string device_deleted_subject = "device_service.device.deleted";
  std::string user_deleted_subject = "account_service.user.deleted";
  std::filesystem::path cursor_directory;  // <data>/bus
  std::chrono::milliseconds retry_min{250};
  std::chrono::milliseconds retry_max{15'000};
};

struct BusStatus {
  bool connected = false;       // both directions, and what they need on the bus is there
  std::uint64_t cursor = 0;     // position up to which the bus has been told
  std::uint64_t behind = 0;     // events of the log after it
  std::uint64_t published = 0;  // messages, since the start
  std::uint64_t received = 0;   // messages, since the start; of these
  std::uint64_t malformed = 0;  //   skipped
  // A sentence of each part that is in trouble; of none, the publisher's latest failure, also when it is over. Empty: none yet.
  std::string last_error;
};

class Bus {
 public:
  // Reads the cursor; does not connect yet. Throws std::runtime_error with a sentence for people:
  // an option that cannot be (named with its value), or a damaged cursor.
  explicit Bus(BusOptions options);
  ~Bus();  // stops

  // Informed of every committed group; wakes the publisher and does not wait for anything.
  eventstore::Tail& tail();
  // Starts the threads; returns at once. Once.
  void start(actors::Service& service);
  // Ends them; what waits to be told is told after the next start. Idempotent, from any
  // thread.
  void stop();

  // For health; from any thread.
  BusStatus status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ota::gateways
