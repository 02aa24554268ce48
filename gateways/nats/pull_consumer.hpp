// A durable consumer of a stream, of which messages are asked for.
//
// The consumer belongs to the bus and outlives this process: what is not acknowledged comes again.
// It is created here and not by the subscription, since the library deletes, when it unsubscribes,
// what its subscription has created. One thread uses it; the connection outlives it.
//
// nats-server 2.9 can leave a consumer deaf for good: where two services create the same stream at one moment, what
// one of them has created in between belongs to a stream that is no more. Messages are told to be delivered to it and
// never come, nor does any answer. So where the server is silent for longer than it may be, the consumer is created
// anew, from the first message on that nobody has acknowledged.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/words.hpp"
#include "gateways/nats/connection.hpp"
#include "gateways/nats/limits.hpp"

namespace ota::gateways::nats {

// A message that waits for its acknowledgement.
class Delivery {
 public:
  struct Impl;
  explicit Delivery(std::unique_ptr<Impl> impl);
  Delivery(Delivery&&) noexcept;
  ~Delivery();

  std::string_view body() const;
  std::string_view subject() const;
  // Nats-Msg-Id, as the sender set it; empty if it did not.
  std::string_view message_id() const;
  std::uint64_t sequence() const;  // in the stream
  domain::Time stored_at() const;  // by the bus
  bool came_before() const;        // and was not acknowledged then

  // Done with it: returns when the bus knows. Throws BusError.
  void acknowledge();
  // The same without waiting, from any thread while the consumer lives; one that is lost makes the
  // message come again. Throws BusError.
  void acknowledge_soon();
  // It is to come again after `delay`. Throws BusError.
  void redeliver_after(std::chrono::milliseconds delay);

 private:
  std::unique_ptr<Impl> impl_;
};

class PullConsumer {
 public:
  // Creates the consumer unless it is there. A new one begins at the stream's oldest message. `silence`: of a server
  // that is asked for messages and answers nothing at all, until the consumer is created anew. `first`, of whoever outlives it:
  // where it was to begin, if the new one could not be created behind the old; a later one begins there. Throws BusError.
  PullConsumer(Connection& connection, const std::string& stream, const std::string& durable,
               const std::string& subject, std::chrono::milliseconds silence = limits::kSilence,
               std::uint64_t* first = nullptr);
  ~PullConsumer();
  PullConsumer(const PullConsumer&) = delete;
  PullConsumer& operator=(const PullConsumer&) = delete;

  // The next message; empty if none came for `patience`, or a little earlier. Throws BusError, also once the consumer
  // has been created anew: it is for the next PullConsumer.
  std::optional<Delivery> next(std::chrono::milliseconds patience);
  // Up to `most` messages: what is here, or the first that come within `patience`; what was asked for
  // and comes behind them is for the next call. Throws BusError.
  std::vector<Delivery> next(std::size_t most, std::chrono::milliseconds patience);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ota::gateways::nats
