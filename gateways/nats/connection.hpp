// One connection to the bus, and the few things that are asked of JetStream through it.
//
// It never reconnects by itself: what fails throws BusError, and whoever owns it begins anew with
// another one (reconnect_loop.hpp), so that streams and consumers are looked after each time. No
// callback of the library reaches further than a log line. One thread uses it; close() and
// is_open() are for any.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "gateways/nats/message.hpp"

namespace ota::gateways::nats {

// What this service tells.
inline constexpr const char* kOwnStream = "ota_service-stream";
inline constexpr const char* kOwnSubjects = "ota_service.>";

// The bus, or the connection to it, does not do what it should: a sentence for people.
struct BusError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Connection {
 public:
  // Connects to one of the servers in `urls` (separated by commas), named `name` there. Takes at
  // most limits::kConnect for each of them. With "tls://" nothing but TLS is spoken, to all of them;
  // `ca_file`: who signs their certificates, empty: the system's authorities.
  Connection(const std::string& urls, const std::string& name, const std::string& ca_file = "");
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Ends it: a call that waits for the bus returns with BusError. From any thread.
  void close() noexcept;
  bool is_open() const noexcept;

  // What a stream keeps at most; the oldest messages make room. 0: no limit.
  struct StreamLimits {
    std::chrono::seconds age{0};
    std::int64_t bytes = 0;
    std::int64_t messages_of_subject = 0;  // of each subject
  };
  // Creates the stream (on disk) for these subjects unless there is one of that name.
  void create_stream_if_missing(const std::string& stream, const std::string& subjects,
                                StreamLimits limits);
  void create_stream_if_missing(const std::string& stream, const std::string& subjects) {
    create_stream_if_missing(stream, subjects, {});
  }
  // Sets how many messages of each subject a stream keeps at most, unless it has such a bound already.
  void bound_subjects(const std::string& stream, std::int64_t messages_max);
  // How many it keeps; 0: no limit.
  std::int64_t messages_of_subject_max(const std::string& stream);
  // The names of the streams that keep what is published on `subject`, or some of it if it is a pattern.
  std::vector<std::string> streams_of(const std::string& subject);

  // Publishes and waits until the stream has it, or had it already by its id within the stream's
  // duplicate window.
  void publish(const std::string& stream, const Message& message);
  // What the newest message of a stream on these subjects says; empty if there is none.
  std::optional<std::string> newest_body(const std::string& stream, const std::string& subjects);

 private:
  friend class PullConsumer;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ota::gateways::nats
