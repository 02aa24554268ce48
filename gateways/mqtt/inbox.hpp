// Hears what devices say: a thread fetches from the stream that keeps it, some workers carry it out.
//
//   broker --> stream ota-devices (ota.T.*.up) --> durable consumer --> too often? --> lanes, by device --> handler --> ack
//                                                                          `--> refused --> ack
//
// What one device says is carried out in its order, one after the other; different devices at the same time, since each
// message waits for a commit. A message is acknowledged when it was carried out, or refused for good: what was in work when
// the process or the connection died comes again. Nothing is skipped because it cannot be decided now: its lane waits for a
// moment, then it is given back, and comes again until it can.
//
// There is one stream for all: what a device says beyond its rate is refused where it is fetched, which takes no lane's place
// and waits for no commit, so that nobody waits behind it for long; and the stream keeps only so much of each device.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "domain/ids.hpp"
#include "gateways/mqtt/topics.hpp"
#include "gateways/mqtt/up_limits.hpp"
#include "gateways/nats/reconnect_loop.hpp"

namespace ota::gateways::nats {
class Delivery;
}

namespace ota::gateways::mqtt {

inline constexpr const char* kStream = "ota-devices";
inline constexpr const char* kConsumer = "ota_service_devices";

class Inbox {
 public:
  enum class Came { kDone, kMalformed, kLater };
  using Handler = std::function<Came(const domain::DeviceId& device, std::string_view body)>;

  // What a device is to be told whose message was not carried out: it says too much. Not for each of them.
  using Refuser = std::function<void(const domain::DeviceId& device, std::string_view body)>;
  struct Bounds {
    std::int64_t stream_bytes = 0;        // of the stream, should it have to be created; 0: no limit
    actors::Rate rate;                    // of what one device says
  };

  Inbox(nats::ReconnectLoop::Options options, Topics topics, Bounds bounds);

  void start(Handler handler, Refuser refuser);  // once
  void stop();                            // what is in work is finished, the rest comes again

  struct Status {
    nats::ReconnectLoop::State link;
    std::uint64_t received = 0;           // messages, since the start; of these
    std::uint64_t malformed = 0;          //   could not be read
    std::uint64_t refused = 0;            // further messages: beyond a device's rate
  };
  Status status() const;

 private:
  class Lanes;
  void session(nats::Connection& connection);
  void look_after_stream(nats::Connection& connection);
  void sort(nats::Delivery delivery, Lanes& lanes);
  void refuse(nats::Delivery& delivery, bool tell);

  const Topics topics_;
  const std::int64_t stream_bytes_;
  UpLimits limits_;                       // the loop's thread alone uses it
  Handler handler_;
  Refuser refuser_;
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> malformed_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::uint64_t first_ = 0;               // of a consumer that could not be created anew
  nats::ReconnectLoop loop_;              // last: its thread uses the rest
};

}  // namespace ota::gateways::mqtt
