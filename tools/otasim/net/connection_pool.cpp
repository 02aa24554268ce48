#include "tools/otasim/net/connection_pool.hpp"

#include <unistd.h>

#include <utility>

namespace ota::sim {
namespace {

// Among the idle connections of others: where every device has its certificate, none will do.
constexpr std::size_t kLooksMax = 64;

}  // namespace

ConnectionPool::ConnectionPool(ConnectionOwner& owner, EventLoop& loop, TlsClient& tls,
                               Limits limits)
    : owner_(owner), loop_(loop), tls_(tls), limits_(limits) {}

ConnectionPool::~ConnectionPool() {
  for (const int fd : forgotten_) ::close(fd);
}

Connection* ConnectionPool::find(std::uint64_t token) {
  const std::uint32_t slot = slot_of(token);
  if (slot >= slots_.size() || slots_[slot].generation != token >> 32) return nullptr;
  return slots_[slot].connection.get();
}

ConnectionPool::Given ConnectionPool::take(CallerId caller, const Origin& origin, Wish wish) {
  if (wish == Wish::kAny)
    if (const auto mine = idle_of(caller, origin)) return {&take_idle(*mine, caller)};
  const bool full = open_ >= limits_.connections_max;
  if (full && idle_.empty()) return {};
  if (full && wish == Wish::kAny)
    if (Connection* other = idle_of_another(caller, origin)) return {other};
  if (openings_left() == 0) return {.must_wait = true};
  if (full) drop(*slots_[idle_.front()].connection);
  Connection* fresh = open_new(caller, origin);
  return {.connection = fresh, .unknown_host = fresh == nullptr};
}

std::optional<std::uint32_t> ConnectionPool::idle_of(CallerId caller, const Origin& origin) const {
  const auto [first, last] = idle_of_caller_.equal_range(caller);
  for (auto at = first; at != last; ++at)
    if (slots_[at->second].connection->place().origin == origin) return at->second;
  return std::nullopt;
}

bool ConnectionPool::may_use(CallerId caller, const Origin& origin, std::uint32_t slot) const {
  const Connection::Place& place = slots_[slot].connection->place();
  return place.origin == origin && (!origin.tls || tls_.same_identity(caller, place.caller));
}

Connection* ConnectionPool::idle_of_another(CallerId caller, const Origin& origin) {
  std::size_t looks = 0;
  for (const std::uint32_t slot : idle_) {
    if (may_use(caller, origin, slot)) return &take_idle(slot, caller);
    if (++looks == kLooksMax) break;
  }
  return nullptr;
}

Connection& ConnectionPool::take_idle(std::uint32_t slot, CallerId caller) {
  no_longer_idle(slot);
  slots_[slot].connection->place().caller = caller;
  return *slots_[slot].connection;
}

void ConnectionPool::no_longer_idle(std::uint32_t slot) {
  const CallerId caller = slots_[slot].connection->place().caller;
  idle_.erase(slots_[slot].idle_at);
  slots_[slot].idle = false;
  const auto [first, last] = idle_of_caller_.equal_range(caller);
  for (auto at = first; at != last; ++at)
    if (at->second == slot) {
      idle_of_caller_.erase(at);
      return;
    }
}

Connection* ConnectionPool::open_new(CallerId caller, const Origin& origin) {
  const auto& where = addresses_.of(origin);
  if (where.empty()) return nullptr;
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  const std::uint64_t token = std::uint64_t{++slots_[slot].generation} << 32 | slot;
  slots_[slot].connection = std::make_unique<Connection>(
      owner_, loop_, tls_, Connection::Place{origin, caller, token}, where, limits_.patience);
  slots_[slot].opening = true;
  ++opening_;
  ++open_;
  ++opened_;
  return slots_[slot].connection.get();
}

void ConnectionPool::now_open(Connection& connection) {
  slots_[slot_of(connection.place().token)].opening = false;
  --opening_;
}

void ConnectionPool::put_back(Connection& connection) {
  const Connection::Place& place = connection.place();
  addresses_.prefer(place.origin, connection.address_index());
  // One that was opened beside another, for a poll during a download, is of no use any more.
  if (open_ < limits_.connections_max && idle_of(place.caller, place.origin))
    return drop(connection);
  const std::uint32_t slot = slot_of(place.token);
  slots_[slot].idle = true;
  slots_[slot].idle_at = idle_.insert(idle_.end(), slot);
  idle_of_caller_.emplace(place.caller, slot);
}

void ConnectionPool::drop(Connection& connection) {
  const std::uint32_t slot = slot_of(connection.place().token);
  if (slots_[slot].idle) no_longer_idle(slot);
  if (std::exchange(slots_[slot].opening, false)) --opening_;
  dropped_.push_back(std::move(slots_[slot].connection));
  dropped_.back()->abandon();
  ++slots_[slot].generation;
  free_.push_back(slot);
  --open_;
}

void ConnectionPool::forget(Connection& connection) {
  const int fd = connection.forget();
  drop(connection);
  if (fd < 0) return;
  forgotten_.push_back(fd);
  if (forgotten_.size() <= limits_.half_open_max) return;
  ::close(forgotten_.front());
  forgotten_.pop_front();
}

void ConnectionPool::end_idle_of(CallerId caller, Manner manner) {
  for (auto at = idle_of_caller_.find(caller); at != idle_of_caller_.end();
       at = idle_of_caller_.find(caller)) {
    Connection& connection = *slots_[at->second].connection;
    manner == Manner::kClose ? drop(connection) : forget(connection);
  }
}

}  // namespace ota::sim
