// Tells the bus what the log says, in log order, each event once.
//
// A thread of its own follows the log from a durable cursor, publishes, waits for the
// acknowledgement of each message and then moves the cursor. It never stands in the way of anybody:
// the log's tail only wakes it. While the bus is down the cursor stays, and the rest waits in the
// log.
//
// Sent twice can only be what was acknowledged between two writes of the cursor when the process
// died. Two things keep that from being kept twice: the server drops a message id that it had
// within the last two minutes (the stream's duplicate window), and a new session first asks the
// stream for its newest message and goes on behind that one.
#pragma once

#include <atomic>
#include <filesystem>

#include "eventstore/journal.hpp"
#include "gateways/nats/cursor.hpp"
#include "gateways/nats/outbox.hpp"
#include "gateways/nats/reconnect_loop.hpp"

namespace ota::gateways::nats {

class Publisher final : public eventstore::Tail {
 public:
  // Throws std::runtime_error if the cursor cannot be read.
  Publisher(ReconnectLoop::Options options, const std::filesystem::path& cursor_directory);

  // Wakes the thread if there is something to say. On the dispatcher's thread.
  void on_group(const eventstore::GroupPtr& group) override;

  // Both outlive stop(). Start once.
  void start(const eventstore::Log& log, const eventstore::Subjects& subjects);
  void stop();

  struct Status {
    ReconnectLoop::State link;
    domain::Position cursor;
    std::uint64_t behind = 0;     // events of the log not yet looked at
    std::uint64_t published = 0;  // messages acknowledged in this life
  };
  Status status() const;

 private:
  void session(Connection& connection);
  void go_on_behind_the_stream(Connection& connection);
  bool publish_round(Connection& connection);
  void move_to(domain::Position position, bool save);

  Cursor cursor_;  // the thread's own once it runs
  std::unique_ptr<Outbox> outbox_;
  std::atomic<std::uint64_t> head_{0};
  std::atomic<std::uint64_t> told_{
      0};  // as far as the bus knows; the cursor's file is at or behind it
  std::atomic<std::uint64_t> published_{0};
  ReconnectLoop loop_;  // last: its thread uses the rest
};

}  // namespace ota::gateways::nats
