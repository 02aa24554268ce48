// One HTTP/1.1 connection: opens, carries one exchange after the other, and tells its owner how
// each ended. Lives on the loop.
//
//   opening -> idle -> writing -> reading -> idle ... -> closed
//
// The socket is watched once for everything (edge triggered): whatever the loop reports, the
// connection goes on until nothing moves. A timeout counts for the whole exchange, of a download
// from its last bytes on; until the connection is open another one counts, as clients have it: a
// server to which thousands come at once is not one that does not answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/otasim/event_loop.hpp"
#include "tools/otasim/net/answer_reader.hpp"
#include "tools/otasim/net/channel.hpp"
#include "tools/otasim/net/exchange.hpp"
#include "tools/otasim/net/pace.hpp"

namespace ota::sim {

class Connection;

// How an exchange ended, and what is left of the connection.
struct Ending {
  std::unique_ptr<Exchange> exchange;
  HttpAnswer answer;
  bool reusable = false;
  bool server_had_closed = false;  // it had been open before, and broke without a byte
  bool half_open = false;          // to be forgotten, not closed
  std::optional<FaultKind> fault;  // what the network did
};

class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  // May start the next exchange or close the connection, but not destroy it.
  virtual void exchange_ended(Connection& connection, Ending ending) = 0;
  virtual void opened(Connection& connection) = 0;
  // The server has closed it, or sent what nobody asked for.
  virtual void closed_while_idle(Connection& connection) = 0;
  // There is more to read, but others shall have their turn: go_on() is to be called from the loop.
  virtual void has_more(Connection& connection) = 0;
};

class Connection {
 public:
  struct Place {
    Origin origin;
    CallerId caller = 0;  // who used it last
    std::uint64_t token = 0;
  };

  struct Patience {
    std::chrono::milliseconds answer{30'000};
    std::chrono::milliseconds connect{30'000};
  };

  // `addresses` are tried one after the other.
  Connection(ConnectionOwner& owner, EventLoop& loop, TlsClient& tls, Place place,
             std::vector<SocketAddress> addresses, Patience patience);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends a request; only when idle() or new. Ends later, from the loop.
  void start(std::unique_ptr<Exchange> exchange);

  // Takes the exchange away without an answer, and closes.
  std::unique_ptr<Exchange> abandon();

  // The same, but the socket stays open and is the caller's.
  int forget();

  void on_ready(std::uint32_t events);
  void go_on();

  Place& place() { return place_; }
  const Place& place() const { return place_; }
  bool idle() const { return exchange_ == nullptr; }
  // Which of the addresses answered.
  std::size_t address_index() const { return address_index_; }

 private:
  enum class Flow { kGoesOn, kWaits };  // kWaits: for the loop, or because the exchange has ended

  Channel connect();
  void open_next_address();
  Flow opened();
  Flow write_out();
  Flow take_held();
  void read_in();
  Flow take(std::string_view bytes);
  Flow deliver(std::string_view body);
  bool strikes_in(FaultPlace place) const { return fault_ && fault_->place == place; }
  Flow strike(std::string_view unread);
  std::size_t bytes_before_fault() const;
  void wait_until(TimePoint when);
  void watch_clock();
  void wait_for_answer();
  void clock_struck();
  void fail(std::string error);
  void broken(std::string error);
  void complete(bool reusable);
  void end(Ending ending);
  std::size_t write_limit() const;
  std::size_t read_limit() const;

  ConnectionOwner& owner_;
  EventLoop& loop_;
  TlsClient& tls_;
  Place place_;
  const std::vector<SocketAddress> addresses_;
  const Patience patience_;
  std::size_t address_index_ = 0;
  Channel channel_;
  bool open_ = false;
  bool used_before_ = false;
  bool peer_gone_ = false;
  bool server_had_closed_ = false;
  bool half_open_ = false;

  std::unique_ptr<Exchange> exchange_;
  std::optional<AnswerReader> reader_;
  HttpAnswer answer_;
  std::size_t written_ = 0;
  bool body_asked_for_ = false;
  bool waits_for_continue_ = false;
  std::optional<Pace> pace_;
  TimePoint begun_{};
  TimePoint deadline_{};
  TimerTicket clock_;  // armed while there is a deadline; moves to it when it strikes
  bool clock_armed_ = false;
  TimerTicket pause_;
  bool paused_ = false;

  std::optional<NetworkFault> fault_;  // that will still strike
  std::optional<FaultKind> struck_;
  std::size_t body_taken_ = 0;
  std::optional<std::string> held_;  // what was read when everything stalled
};

}  // namespace ota::sim
