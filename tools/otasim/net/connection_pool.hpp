// All connections of the fleet: who may have which one.
//
// A device keeps one connection, and opens more while it has more to say at once. At the limit idle
// ones change hands, the one that was idle for longest first, unless a certificate ties them to a
// device; else they make room. Only so many are being opened at once: one thread agrees on TLS with
// one after the other, and who waited for it too long would have been given up by the server. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "tools/otasim/net/addresses.hpp"
#include "tools/otasim/net/connection.hpp"

namespace ota::sim {

class ConnectionPool {
 public:
  struct Limits {
    std::size_t connections_max = 256;
    std::size_t opening_max = 256;
    std::size_t half_open_max = 0;
    Connection::Patience patience;
  };
  ConnectionPool(ConnectionOwner& owner, EventLoop& loop, TlsClient& tls, Limits limits);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;
  ~ConnectionPool();

  enum class Wish { kAny, kNew };  // kNew: none that was open before
  struct Given {
    Connection* connection = nullptr;  // null: all are busy, or the host is not known
    bool unknown_host = false;
    bool must_wait = false;  // until fewer are being opened
  };
  Given take(CallerId caller, const Origin& origin, Wish wish);

  // It was being opened.
  void now_open(Connection& connection);
  // How many more may be opened now.
  std::size_t openings_left() const { return limits_.opening_max - opening_; }

  // The exchange is over, and the connection may carry another one.
  void put_back(Connection& connection);

  // Destroys it, a turn later: it may be at work.
  void drop(Connection& connection);

  // Drops it, but leaves the socket open, of which the other side hears nothing. The oldest of so
  // many are closed.
  void forget(Connection& connection);

  // Destroys what was dropped. Called between turns.
  void bury() { dropped_.clear(); }

  // Ends what is idle and was last used by this device: in order, or without a word.
  enum class Manner { kClose, kForget };
  void end_idle_of(CallerId caller, Manner manner);

  // Finds by the token that a socket is watched with; null when it is no more.
  Connection* find(std::uint64_t token);

  // False when every connection that there may be is at work.
  bool has_room() const { return open_ - idle_.size() < limits_.connections_max; }
  std::uint64_t opened() const { return opened_; }

 private:
  struct Slot {
    std::unique_ptr<Connection> connection;
    std::uint32_t generation = 0;
    bool idle = false;
    bool opening = false;
    std::list<std::uint32_t>::iterator idle_at;  // while idle
  };
  static std::uint32_t slot_of(std::uint64_t token) { return static_cast<std::uint32_t>(token); }

  std::optional<std::uint32_t> idle_of(CallerId caller, const Origin& origin) const;
  bool may_use(CallerId caller, const Origin& origin, std::uint32_t slot) const;
  Connection* idle_of_another(CallerId caller, const Origin& origin);
  Connection& take_idle(std::uint32_t slot, CallerId caller);
  void no_longer_idle(std::uint32_t slot);
  Connection* open_new(CallerId caller, const Origin& origin);

  ConnectionOwner& owner_;
  EventLoop& loop_;
  TlsClient& tls_;
  const Limits limits_;
  Addresses addresses_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::list<std::uint32_t> idle_;  // slots, the one that was idle for longest first
  std::unordered_multimap<CallerId, std::uint32_t> idle_of_caller_;
  std::vector<std::unique_ptr<Connection>> dropped_;
  std::deque<int> forgotten_;  // sockets, the oldest first
  std::size_t open_ = 0;  // or being opened
  std::size_t opening_ = 0;
  std::uint64_t opened_ = 0;
};

}  // namespace ota::sim
