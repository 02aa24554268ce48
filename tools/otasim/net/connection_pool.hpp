// All connections of the fleet: who may have which one.
//
// A device goes on with a connection that it had; else a new one is opened. At the limit idle ones
// change hands, the one that was idle for longest first, unless a
// certificate ties them to a device; else they make room. One thread.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "tools/otasim/net/addresses.hpp"
#include "tools/otasim/net/connection.hpp"

namespace ota::sim {

class ConnectionPool {
 public:
  ConnectionPool(ConnectionOwner& owner, EventLoop& loop, TlsClient& tls,
                 std::size_t connections_max, std::chrono::milliseconds timeout);

  enum class Wish { kAny, kNew };  // kNew: none that was open before
  struct Given {
    Connection* connection = nullptr;  // null: all are busy, or the host is not known
    bool unknown_host = false;
  };
  Given take(CallerId caller, const Origin& origin, Wish wish);

  // The exchange is over, and the connection may carry another one.
  void put_back(Connection& connection);

  // Destroys it, a turn later: it may be at work.
  void drop(Connection& connection);

  // Destroys what was dropped. Called between turns.
  void bury() { dropped_.clear(); }

  // Closes what is idle and was last used by this device.
  void close_idle_of(CallerId caller);

  // Finds by the token that a socket is watched with; null when it is no more.
  Connection* find(std::uint64_t token);

  // False when every connection that there may be is at work.
  bool has_room() const { return open_ - idle_.size() < connections_max_; }
  std::uint64_t opened() const { return opened_; }

 private:
  struct Slot {
    std::unique_ptr<Connection> connection;
    std::uint32_t generation = 0;
    bool idle = false;
    std::list<std::uint32_t>::iterator idle_at;  // while idle
  };
  static std::uint32_t slot_of(std::uint64_t token) { return static_cast<std::uint32_t>(token); }

  Connection* idle_of(CallerId caller, const Origin& origin);
  bool may_use(CallerId caller, const Origin& origin, std::uint32_t slot) const;
  Connection* idle_of_another(CallerId caller, const Origin& origin);
  Connection& take_idle(std::uint32_t slot, CallerId caller);
  void no_longer_idle(std::uint32_t slot);
  Connection* open_new(CallerId caller, const Origin& origin);

  ConnectionOwner& owner_;
  EventLoop& loop_;
  TlsClient& tls_;
  const std::size_t connections_max_;
  const std::chrono::milliseconds timeout_;
  Addresses addresses_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::list<std::uint32_t> idle_;  // slots, the one that was idle for longest first
  std::unordered_multimap<CallerId, std::uint32_t> idle_of_caller_;
  std::vector<std::unique_ptr<Connection>> dropped_;
  std::size_t open_ = 0;
  std::uint64_t opened_ = 0;
};

}  // namespace ota::sim
