// Hears what devices say: a thread fetches from the stream that keeps it, some workers carry it out.
//
//   broker --> stream ota-devices (ota.T.*.up) --> durable consumer --> lanes, by device --> handler --> ack
//
// What one device says is carried out in its order, one after the other; different devices at the same time, since each
// message waits for a commit. A message is acknowledged when it was carried out, or refused for good: what was in work when
// the process or the connection died comes again. Nothing is skipped because it cannot be decided now: its lane waits for a
// moment, then it is given back, and comes again until it can.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "domain/ids.hpp"
#include "gateways/mqtt/topics.hpp"
#include "gateways/nats/reconnect_loop.hpp"

namespace ota::gateways::mqtt {

inline constexpr const char* kStream = "ota-devices";
inline constexpr const char* kConsumer = "ota_service_devices";

class Inbox {
 public:
  enum class Came { kDone, kMalformed, kLater };
  using Handler = std::function<Came(const domain::DeviceId& device, std::string_view body)>;

  // `bytes_max`: of the stream, should it have to be created.
  Inbox(nats::ReconnectLoop::Options options, Topics topics, std::int64_t bytes_max);

  void start(Handler handler);            // once
  void stop();                            // what is in work is finished, the rest comes again

  struct Status {
    nats::ReconnectLoop::State link;
    std::uint64_t received = 0;           // messages, since the start; of these
    std::uint64_t malformed = 0;          //   could not be read
  };
  Status status() const;

 private:
  class Lanes;
  void session(nats::Connection& connection);

  const Topics topics_;
  const std::int64_t bytes_max_;
  Handler handler_;
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> malformed_{0};
  nats::ReconnectLoop loop_;              // last: its thread uses the rest
};

}  // namespace ota::gateways::mqtt
