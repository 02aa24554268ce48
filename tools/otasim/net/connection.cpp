#include "tools/otasim/net/connection.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <utility>

namespace ota::sim {
namespace {

constexpr std::size_t kReadAtOnce = 64 * 1024;
constexpr std::size_t kReadInOneTurn = 256 * 1024;  // then others go first
constexpr std::size_t kBodyBytesMax = 1 << 20;      // of an answer that is kept
// How long a client waits for the server to ask for the body, as curl does.
constexpr std::chrono::seconds kContinueWait{1};

// One thread reads at a time, and what was read is taken before the next read.
std::span<char> read_space() {
  static std::array<char, kReadAtOnce> space;
  return space;
}

}  // namespace

Connection::Connection(ConnectionOwner& owner, EventLoop& loop, TlsClient& tls, Place place,
                       std::vector<SocketAddress> addresses, Patience patience)
    : owner_(owner),
      loop_(loop),
      tls_(tls),
      place_(std::move(place)),
      addresses_(std::move(addresses)),
      patience_(patience),
      channel_(connect()) {}

Channel Connection::connect() {
  const bool secure = place_.origin.tls;
  Channel channel{addresses_.at(address_index_),
                  secure ? tls_.begin(place_.caller, place_.origin) : nullptr};
  if (channel.fd() >= 0) loop_.watch(channel.fd(), place_.token);
  return channel;
}

void Connection::start(std::unique_ptr<Exchange> exchange) {
  exchange_ = std::move(exchange);
  reader_.emplace(exchange_->request.method == Method::kHead);
  answer_ = {};
  written_ = 0;
  fault_ = exchange_->fault;
  struck_.reset();
  held_.reset();
  body_taken_ = 0;
  body_asked_for_ = !exchange_->request.expects_continue;
  waits_for_continue_ = false;
  begun_ = EventLoop::now();
  deadline_ = begun_ + (open_ ? patience_.answer : patience_.connect);
  pace_.reset();
  if (exchange_->request.bytes_per_s_max > 0)
    pace_.emplace(exchange_->request.bytes_per_s_max, begun_);
  watch_clock();
  go_on();
}

// A pause that ends in this very turn finds nobody any more: the connection is buried behind it.
std::unique_ptr<Exchange> Connection::abandon() {
  pause_.cancel();
  clock_.cancel();
  channel_.close();
  return std::move(exchange_);
}

int Connection::forget() {
  exchange_.reset();
  return channel_.release();
}

void Connection::on_ready(std::uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) peer_gone_ = true;
  go_on();
}

void Connection::go_on() {
  if (paused_) return;
  if (!open_ && opened() == Flow::kWaits) return;
  if (!exchange_) {
    std::size_t bytes = 0;
    if (channel_.read(read_space(), bytes) != Channel::Moved::kLater)
      owner_.closed_while_idle(*this);
    return;
  }
  if (take_held() == Flow::kWaits || write_out() == Flow::kWaits) return;
  read_in();
}

// --- opening

Connection::Flow Connection::opened() {
  switch (channel_.open()) {
    case Channel::Moved::kDone:
      open_ = true;
      wait_for_answer();
      owner_.opened(*this);
      if (channel_.ssl() != nullptr) tls_.established(channel_.ssl());
      return Flow::kGoesOn;
    case Channel::Moved::kLater:
      return Flow::kWaits;
    default:
      open_next_address();
      return Flow::kWaits;
  }
}

void Connection::open_next_address() {
  if (address_index_ + 1 == addresses_.size()) return fail(channel_.error());
  ++address_index_;
  channel_ = connect();
  peer_gone_ = false;
  go_on();
}

// --- writing

// Up to where the request may be written now.
std::size_t Connection::write_limit() const {
  const RequestText& text = exchange_->text;
  const std::size_t limit = body_asked_for_ ? text.bytes.size() : text.head_size;
  if (!strikes_in(FaultPlace::kInRequest)) return limit;
  return std::min(
      limit, static_cast<std::size_t>(fault_->fraction * static_cast<double>(text.bytes.size())));
}

Connection::Flow Connection::write_out() {
  while (written_ < write_limit()) {
    const std::string_view rest{exchange_->text.bytes.data() + written_, write_limit() - written_};
    std::size_t bytes = 0;
    // An answer may come before the whole request was taken; and what the server has said before it
    // hung up may still be here.
    if (channel_.write(rest, bytes) != Channel::Moved::kDone) return Flow::kGoesOn;
    written_ += bytes;
  }
  const bool all = written_ == exchange_->text.bytes.size();
  if (strikes_in(FaultPlace::kInRequest) &&
      (body_asked_for_ || written_ < exchange_->text.head_size))
    return strike({});
  if (all && strikes_in(FaultPlace::kBeforeAnswer)) return strike({});
  if (body_asked_for_ || waits_for_continue_) return Flow::kGoesOn;
  waits_for_continue_ = true;
  pause_ = loop_.timers().at(EventLoop::now() + kContinueWait, [this] {
    body_asked_for_ = true;
    go_on();
  });
  return Flow::kGoesOn;
}

// --- reading

std::size_t Connection::read_limit() const {
  if (!pace_) return kReadAtOnce;
  return std::min(kReadAtOnce, static_cast<std::size_t>(pace_->bytes_at_once()));
}

void Connection::read_in() {
  for (std::size_t total = 0; total < kReadInOneTurn;) {
    if (pace_ && pace_->next() > EventLoop::now()) return wait_until(pace_->next());
    std::size_t bytes = 0;
    switch (channel_.read(read_space().first(read_limit()), bytes)) {
      case Channel::Moved::kLater:
        return;
      case Channel::Moved::kBroken:
        return broken(channel_.error());
      case Channel::Moved::kEnd:
        reader_->peer_closed();
        if (reader_->complete()) return complete(false);
        return broken(reader_->began() ? "transfer closed with outstanding read data remaining"
                                       : "Server returned nothing");
      case Channel::Moved::kDone:
        break;
    }
    total += bytes;
    if (pace_) pace_->took(static_cast<std::int64_t>(bytes));
    if (exchange_->request.on_data) deadline_ = EventLoop::now() + patience_.answer;
    if (take({read_space().data(), bytes}) == Flow::kWaits) return;
  }
  owner_.has_more(*this);
}

Connection::Flow Connection::take(std::string_view bytes) {
  while (!bytes.empty() && !reader_->complete()) {
    const std::size_t most = bytes_before_fault();
    if (most == 0) return strike(bytes);
    const AnswerReader::Step step = reader_->next(bytes.substr(0, most));
    bytes.remove_prefix(step.taken);
    if (reader_->broken()) {
      fail("Weird server reply");
      return Flow::kWaits;
    }
    body_taken_ += step.body.size();
    if (!step.body.empty() && deliver(step.body) == Flow::kWaits) return Flow::kWaits;
  }
  if (reader_->complete()) {
    if (strikes_in(FaultPlace::kInAnswer)) return strike(bytes);
    complete(bytes.empty());
    return Flow::kWaits;
  }
  if (!body_asked_for_ && reader_->may_continue()) {
    pause_.cancel();
    body_asked_for_ = true;
    return write_out();
  }
  return Flow::kGoesOn;
}

Connection::Flow Connection::deliver(std::string_view body) {
  const auto& on_data = exchange_->request.on_data;
  Taken taken = Taken::kNotWanted;
  if (on_data) {
    taken = on_data(reader_->head(), body);
  } else if (answer_.body.size() + body.size() <= kBodyBytesMax) {
    answer_.body += body;
    taken = Taken::kAll;
  }
  if (taken == Taken::kAll) return Flow::kGoesOn;
  half_open_ = taken == Taken::kPowerLost;
  fail("Failed writing received data to disk/application");
  return Flow::kWaits;
}

// --- bad networks

// How many bytes of the answer may be taken before the fault strikes. Where the length of the body
// is not known, it strikes behind the head.
std::size_t Connection::bytes_before_fault() const {
  if (!strikes_in(FaultPlace::kInAnswer) || !reader_->head_complete()) return kReadAtOnce;
  const auto length = static_cast<double>(reader_->head().length.value_or(0));
  const auto where = static_cast<std::size_t>(fault_->fraction * length);
  return where > body_taken_ ? where - body_taken_ : 0;
}

// `unread`: bytes that have come and were not taken.
Connection::Flow Connection::strike(std::string_view unread) {
  const NetworkFault fault = *fault_;
  fault_.reset();
  struck_ = fault.kind;
  switch (fault.kind) {
    case FaultKind::kLoss:
      paused_ = true;  // until the clock strikes
      break;
    case FaultKind::kStall:
      held_ = unread;
      wait_until(EventLoop::now() + fault.pause);
      break;
    case FaultKind::kReset:
      channel_.reset();
      fail("Connection reset by peer");
      break;
    case FaultKind::kHalfOpen:
      half_open_ = true;
      fail("Network is down");
      break;
  }
  return Flow::kWaits;
}

// What was read before a stall.
Connection::Flow Connection::take_held() {
  if (!held_) return Flow::kGoesOn;
  const std::string bytes = std::move(*held_);
  held_.reset();
  return take(bytes);
}

// --- time

void Connection::wait_until(TimePoint when) {
  paused_ = true;
  pause_ = loop_.timers().at(when, [this] {
    paused_ = false;
    go_on();
  });
}

void Connection::watch_clock() {
  if (clock_armed_) return;
  clock_armed_ = true;
  clock_ = loop_.timers().at(deadline_, [this] { clock_struck(); });
}

void Connection::wait_for_answer() {
  deadline_ = EventLoop::now() + patience_.answer;
  clock_armed_ = false;  // it may stand for later
  watch_clock();
}

// A timer for each exchange would cost more than the exchange: one stands for many.
void Connection::clock_struck() {
  clock_armed_ = false;
  if (!exchange_) return;
  if (EventLoop::now() < deadline_) return watch_clock();
  fail("Timeout was reached");
}

// --- the end

void Connection::fail(std::string error) {
  Ending ending;
  answer_.error = std::move(error);
  ending.answer = std::move(answer_);
  end(std::move(ending));
}

// The server, or what is between, has broken it.
void Connection::broken(std::string error) {
  server_had_closed_ = used_before_ && !reader_->began();
  fail(std::move(error));
}

void Connection::complete(bool reusable) {
  Ending ending;
  answer_.complete = true;
  ending.answer = std::move(answer_);
  ending.reusable = reusable && !peer_gone_ && !reader_->head().closes &&
                    written_ == exchange_->text.bytes.size();
  end(std::move(ending));
}

void Connection::end(Ending ending) {
  paused_ = false;
  pause_.cancel();
  used_before_ = true;
  ending.fault = struck_;
  ending.half_open = std::exchange(half_open_, false);
  if (!ending.reusable && !ending.half_open) channel_.close();
  ending.answer.head = reader_->head();
  ending.answer.elapsed =
      std::chrono::duration_cast<std::chrono::microseconds>(EventLoop::now() - begun_);
  ending.exchange = std::move(exchange_);
  ending.server_had_closed = std::exchange(server_had_closed_, false);
  owner_.exchange_ended(*this, std::move(ending));
}

}  // namespace ota::sim
