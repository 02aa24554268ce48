// Hears that devices are gone (device_service.device.deleted), or users (account_service.user.deleted), and deletes them
// here, which cancels their updates.
//
// A thread of its own takes one message at a time from a durable consumer, carries it out and
// acknowledges it when the effect is durable. So a message may come twice, and twice is once: the
// event's id names the command (design 2), and a device that is deleted is not deleted again.
//   unknown device, or deleted already    acknowledged: nothing to do
//   unknown user, or deleted already      acknowledged: nothing to do
//   malformed                             a warning, acknowledged and skipped
//   older than the device's registration  acknowledged: it speaks of an earlier life of that id
//   the service cannot now                given back, comes again
#pragma once

#include <atomic>
#include <string>

#include "actors/service.hpp"
#include "gateways/nats/deletion_message.hpp"
#include "gateways/nats/pull_consumer.hpp"
#include "gateways/nats/reconnect_loop.hpp"

namespace ota::gateways::nats {

class DeletionListener {
 public:
  enum class Of { kDevices, kUsers };
  // `subject`: what to listen to, a pattern too.
  DeletionListener(ReconnectLoop::Options options, std::string subject, Of of);

  // The service outlives stop(). Start once.
  void start(actors::Service& service);
  void stop();

  struct Status {
    ReconnectLoop::State link;
    std::uint64_t received = 0;   // messages acknowledged in this life; of these
    std::uint64_t malformed = 0;  //   skipped
  };
  Status status() const;

 private:
  void session(Connection& connection);
  void handle(Delivery delivery);
  // Whether the message is done with; otherwise it is to come again.
  bool carry_out(const Deletion& deletion, const Delivery& delivery);
  bool delete_device(const domain::DeviceId& device, const std::string& source, const Delivery& delivery, actors::Meta meta);
  bool delete_user(const std::string& user, actors::Meta meta);

  const std::string subject_;
  const Of of_;
  actors::Service* service_ = nullptr;
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> malformed_{0};
  std::uint64_t first_ = 0;  // of a consumer that could not be created anew
  ReconnectLoop loop_;  // last: its thread uses the rest
};

// The durable consumer of a subject: "ota_service_device_service_device_deleted".
std::string durable_name(std::string_view subject);

// The platform's stream for a subject, "device_service-stream" for "device_service.>": what is
// created if none keeps the subject. Empty if the pattern does not name a service.
std::string conventional_service(std::string_view subject);

}  // namespace ota::gateways::nats
