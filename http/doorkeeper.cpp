#include "http/doorkeeper.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "http/limits.hpp"
#include "http/refusal.hpp"

namespace ota::http {
namespace {

constexpr int kEventsAtOnce = 256;
constexpr int kAcceptsAtOnce = 256;          // then those that are connected get their turn
constexpr std::size_t kTurnedAwayMax = 256;  // connections beyond the limit that still get a 503
constexpr std::size_t kGoingMax = 256;       // and that are while others go
constexpr std::size_t kGoAtOnce = 64;        // this part of all: looking for those that are silent takes a look at each
constexpr std::size_t kReadBytes = 64 * limits::kKiB;
constexpr std::size_t kRecordBytes = 16 * limits::kKiB;  // the largest of TLS

void shut_down(const Connection& connection) { ::shutdown(connection.descriptor(), SHUT_RDWR); }

}  // namespace

Doorkeeper::Doorkeeper(Listeners& listeners, const DoorLimits& limits, Ready ready, Ready greeted)
    : listeners_(listeners),
      limits_(limits),
      ready_(std::move(ready)),
      greeted_(std::move(greeted)),
      scratch_(kReadBytes) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_ < 0 || wake_ < 0) {
    throw std::system_error(errno, std::generic_category(), "Cannot create an epoll");
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &wake_;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  for (const auto& listener : listeners_) watch(*listener, true);
}

Doorkeeper::~Doorkeeper() {
  connections_.clear();
  ::close(wake_);
  ::close(epoll_);
}

std::int64_t Doorkeeper::now_ms() const {
  using std::chrono::milliseconds;
  // Never 0, which means "not armed".
  return std::chrono::duration_cast<milliseconds>(SteadyClock::now() - began_).count() + 1;
}

std::chrono::milliseconds Doorkeeper::since_ready(const Connection& connection) const {
  return std::chrono::milliseconds(now_ms() - connection.ready_at_ms);
}

void Doorkeeper::run() {
  const auto shortest = std::min(
      {limits_.handshake_timeout, limits_.idle_timeout, limits_.head_timeout, limits_.body_timeout, limits_.close_timeout});
  const int sweep_ms = static_cast<int>(std::clamp<std::int64_t>(shortest.count() / 4, 10, 1000));
  std::array<epoll_event, kEventsAtOnce> events;
  while (phase_.load() != Phase::kEnded) {
    const int wait_ms = is_closing() ? 10 : sweep_ms;
    const int count = ::epoll_wait(epoll_, events.data(), kEventsAtOnce, wait_ms);
    for (int i = 0; i < count; ++i) {
      void* const what = events[static_cast<std::size_t>(i)].data.ptr;
      const auto listener = std::find_if(listeners_.begin(), listeners_.end(),
                                         [&](const auto& one) { return one.get() == what; });
      if (listener != listeners_.end()) {
        accept_some(**listener);
      } else if (what == &wake_) {
        std::uint64_t value;
        [[maybe_unused]] const auto size = ::read(wake_, &value, sizeof value);
      } else {
        on_event(*static_cast<Connection*>(what));
      }
    }
    if (is_closing() || now_ms() >= next_sweep_ms_) {
      sweep();
      next_sweep_ms_ = now_ms() + sweep_ms;
    }
  }
}

void Doorkeeper::watch(Listener& listener, bool on) {
  if (listener.watched == on || listener.descriptor() < 0) return;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &listener;
  ::epoll_ctl(epoll_, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener.descriptor(), &event);
  listener.watched = on;
}

void Doorkeeper::accept_some(Listener& listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    PeerName peer;
    const int descriptor = accept_connection(listener.descriptor(), peer);
    if (descriptor < 0) {
      // Without a file or memory to accept with, the event would come again at once, for ever: wait
      // for the sweep.
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        watch(listener, false);
      }
      if (errno != ECONNABORTED && errno != EINTR) return;
      continue;
    }
    accepted_.fetch_add(1, std::memory_order_relaxed);
    auto tls = listener.tls ? listener.tls->accept(descriptor) : nullptr;
    if (listener.tls && !tls) {
      ::close(descriptor);
      continue;
    }
    connections_.push_back(
        std::make_unique<Connection>(descriptor, std::move(peer.address), peer.port, std::move(tls)));
    Connection& connection = *connections_.back();
    connection.devices_only = listener.devices_only;
    connection.slot = connections_.size() - 1;
    open_.store(connections_.size(), std::memory_order_relaxed);
    if (!has_room()) {
      turn_away(connection);
    } else {
      const bool greets = connection.awaiting == Awaiting::kHandshake;
      connection.deadline_ms = now_ms() + (greets ? limits_.handshake_timeout : limits_.idle_timeout).count();
      arm(connection);
    }
  }
}

bool Doorkeeper::has_room() {
  if (connections_.size() <= limits_.connections_max + going_) return true;
  if (going_ < kGoingMax) make_room();
  return connections_.size() <= limits_.connections_max + going_;
}

void Doorkeeper::make_room() {
  std::vector<Connection*> silent;
  for (const auto& connection : connections_) {
    const bool is_armed = connection->expires_at_ms.load(std::memory_order_acquire) != 0;
    if (is_armed && connection->awaiting == Awaiting::kRequest) silent.push_back(connection.get());
  }
  const auto count = std::min(silent.size(), std::max<std::size_t>(1, limits_.connections_max / kGoAtOnce));
  const auto end = silent.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(silent.begin(), end, silent.end(),
                    [](const auto* a, const auto* b) { return a->deadline_ms < b->deadline_ms; });
  std::for_each(silent.begin(), end, [this](Connection* connection) {
    connection->awaiting = Awaiting::kClose;
    connection->is_going = true;
    connection->end_sending();
    shut_down(*connection);   // epoll tells of it
  });
  going_ += count;
  made_room_.fetch_add(count, std::memory_order_relaxed);
}

void Doorkeeper::turn_away(Connection& connection) {
  turned_away_.fetch_add(1, std::memory_order_relaxed);
  // Before its handshake nobody can be answered.
  if (connection.is_encrypted() || connections_.size() > limits_.connections_max + kTurnedAwayMax) {
    close(connection);
  } else {
    refuse(connection, 503, "The service has as many connections as it can hold");
  }
}

void Doorkeeper::on_event(Connection& connection) {
  // Pairs with the release in arm(): whatever the former owner did has happened.
  connection.expires_at_ms.exchange(0, std::memory_order_acquire);
  if (connection.awaiting == Awaiting::kClose) {
    drain(connection);
  } else if (connection.awaiting == Awaiting::kHandshake) {
    connection.ready_at_ms = now_ms();
    busy_.fetch_add(1);
    greeted_(connection);
  } else {
    read_more(connection);
  }
}

void Doorkeeper::read_more(Connection& connection) {
  const ssize_t count = connection.receive_some(scratch_.data(), scratch_.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return arm(connection);
  if (count == 0 && connection.awaiting == Awaiting::kBody) {
    malformed_.fetch_add(1, std::memory_order_relaxed);
    return refuse(connection, 400, "The request's body was cut off before its end");
  }
  if (count <= 0) return close(connection);
  connection.append({scratch_.data(), static_cast<std::size_t>(count)});
  proceed(connection, head_, connection.awaiting);
}

void Doorkeeper::proceed(Connection& connection, RequestHead& head, Awaiting before) {
  const auto examined = connection.examine(head);
  if (examined.error) {
    malformed_.fetch_add(1, std::memory_order_relaxed);
    return refuse(connection, examined.error->status, examined.error->message);
  }
  if (examined.ready) {
    connection.ready_at_ms = now_ms();
    busy_.fetch_add(1);
    return ready_(connection);
  }
  if (connection.awaiting != before) {
    const auto timeout = connection.awaiting == Awaiting::kHead   ? limits_.head_timeout
                         : connection.awaiting == Awaiting::kBody ? limits_.body_timeout
                                                                  : limits_.idle_timeout;
    connection.deadline_ms = now_ms() + timeout.count();
  }
  // What TLS has unpacked already the socket will not tell of.
  if (connection.has_buffered()) return read_buffered(connection, head);
  arm(connection);
}

// One read takes all that a record held, so that this is not called by itself again and again.
void Doorkeeper::read_buffered(Connection& connection, RequestHead& head) {
  thread_local std::vector<char> bytes(kRecordBytes);
  const ssize_t count = connection.receive_some(bytes.data(), bytes.size());
  if (count <= 0) return arm(connection);  // an end or a failure shows at the socket
  connection.append({bytes.data(), static_cast<std::size_t>(count)});
  proceed(connection, head, connection.awaiting);
}

void Doorkeeper::take_back(Connection& connection, Afterwards afterwards) {
  const bool goes_on = afterwards == Afterwards::kNextRequest || afterwards == Afterwards::kHandshake;
  if (goes_on && is_closing()) afterwards = Afterwards::kClose;
  switch (afterwards) {
    case Afterwards::kNextRequest: {
      // Nothing was awaited while a request ran, so whatever is awaited now has its whole time.
      thread_local RequestHead head;
      connection.awaiting = Awaiting::kClose;
      proceed(connection, head, Awaiting::kClose);
      break;
    }
    case Afterwards::kHandshake:
      arm(connection);
      break;
    case Afterwards::kClose:
      begin_drain(connection);
      break;
    case Afterwards::kLeave:
      connection.end_sending();
      shut_down(connection);
      begin_drain(connection);
      break;
    case Afterwards::kAbort:
      if (connection.awaiting == Awaiting::kHandshake) {
        handshakes_failed_.fetch_add(1, std::memory_order_relaxed);  // and the peer is to read why
      } else {
        connection.reset_at_close();
      }
      shut_down(connection);
      begin_drain(connection);
      break;
  }
  if (busy_.fetch_sub(1) == 1) notify_if_closing();
}

void Doorkeeper::notify_if_closing() {
  if (!is_closing()) return;
  const std::lock_guard lock(quiet_mutex_);
  quiet_.notify_all();
}

void Doorkeeper::refuse(Connection& connection, int status, std::string_view message) {
  const std::string answer = refusal(status, message);
  // What does not fit into the socket at once is for a peer that reads nothing anyway.
  [[maybe_unused]] const auto sent = connection.send_some(answer.data(), answer.size());
  begin_drain(connection);
}

// A socket that is closed with bytes unread resets the connection, and the peer may lose the
// answer: so only the sending side is shut, and the rest is read until the peer closes, for a
// while.
void Doorkeeper::begin_drain(Connection& connection) {
  connection.end_sending();
  connection.wants_write = false;
  connection.awaiting = Awaiting::kClose;
  connection.consume(connection.unread().size());
  connection.deadline_ms = now_ms() + limits_.close_timeout.count();
  arm(connection);
}

void Doorkeeper::drain(Connection& connection) {
  const ssize_t count = ::recv(connection.descriptor(), scratch_.data(), scratch_.size(), 0);
  if (count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))) return arm(connection);
  close(connection);
}

void Doorkeeper::arm(Connection& connection) {
  const int descriptor = connection.descriptor();
  const int operation = std::exchange(connection.in_epoll, true) ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  epoll_event event{};
  event.events = (connection.wants_write ? EPOLLOUT : EPOLLIN) | EPOLLRDHUP | EPOLLONESHOT;
  event.data.ptr = &connection;
  connection.expires_at_ms.store(connection.deadline_ms, std::memory_order_release);
  // The connection is the door's from here on: it may be gone before this call returns.
  ::epoll_ctl(epoll_, operation, descriptor, &event);
}

void Doorkeeper::close(Connection& connection) {
  const std::size_t slot = connection.slot;
  if (connection.is_going) --going_;
  if (slot + 1 != connections_.size()) {
    std::swap(connections_[slot], connections_.back());
    connections_[slot]->slot = slot;
  }
  connections_.pop_back();
  open_.store(connections_.size());
  if (connections_.empty()) notify_if_closing();
}

void Doorkeeper::sweep() {
  const Phase phase = phase_.load();
  for (const auto& listener : listeners_) {
    watch(*listener, phase == Phase::kOpen);
    if (phase != Phase::kOpen) listener->close();
  }
  const std::int64_t now = now_ms();
  for (const auto& connection : connections_) {
    if (phase == Phase::kCutting) shut_down(*connection);
    const std::int64_t expires_at = connection->expires_at_ms.load(std::memory_order_acquire);
    if (expires_at == 0) continue;
    const bool closes = connection->awaiting == Awaiting::kClose;
    if (expires_at > now && (phase == Phase::kOpen || closes)) continue;
    if (phase == Phase::kOpen && !closes) timed_out_.fetch_add(1, std::memory_order_relaxed);
    if (connection->awaiting == Awaiting::kHead || connection->awaiting == Awaiting::kBody) {
      const std::string answer = refusal(408, "The request arrived too slowly");
      [[maybe_unused]] const auto sent = connection->send_some(answer.data(), answer.size());
    }
    shut_down(*connection);
  }
}

void Doorkeeper::enter(Phase phase) {
  phase_.store(phase);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto size = ::write(wake_, &one, sizeof one);
}

void Doorkeeper::begin_closing() { enter(Phase::kClosing); }
void Doorkeeper::cut_off() { enter(Phase::kCutting); }
void Doorkeeper::end() { enter(Phase::kEnded); }

bool Doorkeeper::wait_until_none_busy(std::chrono::milliseconds at_most) {
  std::unique_lock lock(quiet_mutex_);
  return quiet_.wait_for(lock, at_most, [this] { return busy_.load() == 0; });
}

bool Doorkeeper::wait_until_none_open(std::chrono::milliseconds at_most) {
  std::unique_lock lock(quiet_mutex_);
  return quiet_.wait_for(lock, at_most, [this] { return open_.load() == 0; });
}

DoorCounts Doorkeeper::counts() const {
  DoorCounts counts;
  counts.connections = open_.load(std::memory_order_relaxed);
  counts.busy = busy_.load(std::memory_order_relaxed);
  counts.accepted = accepted_.load(std::memory_order_relaxed);
  counts.turned_away = turned_away_.load(std::memory_order_relaxed);
  counts.made_room = made_room_.load(std::memory_order_relaxed);
  counts.timed_out = timed_out_.load(std::memory_order_relaxed);
  counts.malformed = malformed_.load(std::memory_order_relaxed);
  counts.handshakes_failed = handshakes_failed_.load(std::memory_order_relaxed);
  return counts;
}

}  // namespace ota::http
