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
                       std::vector<SocketAddress> addresses, std::chrono::milliseconds timeout)
    : owner_(owner),
      loop_(loop),
      tls_(tls),
      place_(std::move(place)),
      addresses_(std::move(addresses)),
      timeout_(timeout),
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
  body_asked_for_ = !exchange_->request.expects_continue;
  waits_for_continue_ = false;
  begun_ = EventLoop::now();
  deadline_ = begun_ + timeout_;
  pace_.reset();
  if (exchange_->request.bytes_per_s_max > 0)
    pace_.emplace(exchange_->request.bytes_per_s_max, begun_);
  watch_clock();
  go_on();
}

std::unique_ptr<Exchange> Connection::abandon() {
  channel_.close();
  return std::move(exchange_);
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
  write_out();
  read_in();
}

// --- opening

Connection::Flow Connection::opened() {
  switch (channel_.open()) {
    case Channel::Moved::kDone:
      open_ = true;
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
  return body_asked_for_ ? text.bytes.size() : text.head_size;
}

void Connection::write_out() {
  while (written_ < write_limit()) {
    const std::string_view rest{exchange_->text.bytes.data() + written_, write_limit() - written_};
    std::size_t bytes = 0;
    switch (channel_.write(rest, bytes)) {
      case Channel::Moved::kDone:
        written_ += bytes;
        break;
      default:
        // An answer may come before the whole request was taken; and what the server has said
        // before it hung up may still be here.
        return;
    }
  }
  if (body_asked_for_ || waits_for_continue_) return;
  waits_for_continue_ = true;
  pause_ = loop_.timers().at(EventLoop::now() + kContinueWait, [this] {
    body_asked_for_ = true;
    go_on();
  });
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
    if (exchange_->request.on_data) deadline_ = EventLoop::now() + timeout_;
    if (take({read_space().data(), bytes}) == Flow::kWaits) return;
  }
  owner_.has_more(*this);
}

Connection::Flow Connection::take(std::string_view bytes) {
  while (!bytes.empty() && !reader_->complete()) {
    const AnswerReader::Step step = reader_->next(bytes);
    bytes.remove_prefix(step.taken);
    if (reader_->broken()) {
      fail("Weird server reply");
      return Flow::kWaits;
    }
    if (!step.body.empty() && deliver(step.body) == Flow::kWaits) return Flow::kWaits;
  }
  if (reader_->complete()) {
    complete(bytes.empty());
    return Flow::kWaits;
  }
  if (!body_asked_for_ && reader_->may_continue()) {
    pause_.cancel();
    body_asked_for_ = true;
    write_out();
  }
  return Flow::kGoesOn;
}

Connection::Flow Connection::deliver(std::string_view body) {
  const auto& on_data = exchange_->request.on_data;
  bool taken = false;
  if (on_data) {
    taken = on_data(reader_->head(), body);
  } else if (answer_.body.size() + body.size() <= kBodyBytesMax) {
    answer_.body += body;
    taken = true;
  }
  if (taken) return Flow::kGoesOn;
  fail("Failed writing received data to disk/application");
  return Flow::kWaits;
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
  if (!ending.reusable) channel_.close();
  ending.answer.head = reader_->head();
  ending.answer.elapsed =
      std::chrono::duration_cast<std::chrono::microseconds>(EventLoop::now() - begun_);
  ending.exchange = std::move(exchange_);
  ending.server_had_closed = std::exchange(server_had_closed_, false);
  owner_.exchange_ended(*this, std::move(ending));
}

}  // namespace ota::sim
