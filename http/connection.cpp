#include "http/connection.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "http/limits.hpp"

namespace ota::http {
namespace {

constexpr std::size_t kKeptInputBytes = 1024;      // memory that an idle connection may keep
constexpr std::size_t kRecordBytes = 16 * limits::kKiB;  // the largest record of TLS

bool has_hung_up(int descriptor) {
  pollfd asked{descriptor, POLLRDHUP, 0};
  return ::poll(&asked, 1, 0) > 0;
}

}  // namespace

Connection::Connection(int descriptor, std::string peer_address, int peer_port, std::unique_ptr<TlsSession> tls)
    : awaiting(tls ? Awaiting::kHandshake : Awaiting::kRequest),
      descriptor_(descriptor),
      peer_address_(std::move(peer_address)),
      peer_port_(peer_port),
      tls_(std::move(tls)) {}

Connection::~Connection() { ::close(descriptor_); }

bool Connection::shake_hands() {
  // In a stampede whose turn it is may have given up. Later on one that has sent all that it will can still be answered.
  if (tls_->is_new() && has_hung_up(descriptor_)) return false;
  const auto step = tls_->handshake();
  wants_write = step == TlsSession::Step::kWantsWrite;
  if (step == TlsSession::Step::kDone) {
    certificate_ = tls_->peer_name();
    awaiting = Awaiting::kRequest;
  }
  return step != TlsSession::Step::kFailed;
}

ssize_t Connection::receive_some(char* out, std::size_t size) {
  return tls_ ? tls_->read(out, size) : ::recv(descriptor_, out, size, 0);
}

ssize_t Connection::send_some(const char* bytes, std::size_t size, bool more_follows) {
  if (tls_) return tls_->write(bytes, size);
  return ::send(descriptor_, bytes, size, MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0));
}

ssize_t Connection::send_file_some(int file, std::uint64_t offset, std::size_t size) {
  auto at = static_cast<off_t>(offset);
  // SIGPIPE is ignored: httplib::Server's constructor sees to that.
  if (!tls_) return ::sendfile(descriptor_, file, &at, size);
  thread_local std::vector<char> piece(kRecordBytes);
  const ssize_t count = ::pread(file, piece.data(), std::min(size, piece.size()), at);
  return count <= 0 ? count : tls_->write(piece.data(), static_cast<std::size_t>(count));
}

void Connection::end_sending() {
  if (tls_) tls_->say_goodbye();
  ::shutdown(descriptor_, SHUT_WR);
}

void Connection::consume(std::size_t bytes) {
  used_ += bytes;
  scanned_ = 0;
  head_bytes_ = 0;
  request_bytes_ = 0;
  chunks_.reset();
  if (used_ < input_.size()) return;
  used_ = 0;
  input_.clear();
  if (input_.capacity() > kKeptInputBytes) input_.shrink_to_fit();
}

std::string Connection::take_unread() {
  std::string bytes;
  if (used_ == 0) {
    bytes.swap(input_);
  } else {
    bytes = unread();
  }
  input_.clear();
  consume(0);
  return bytes;
}

Connection::Examined Connection::examine(RequestHead& head) {
  while (unread().starts_with("\r\n")) consume(2);  // some clients end a body with one too many
  if (head_bytes_ == 0) {
    if (auto error = read_head(head)) return {false, std::move(error)};
    if (head_bytes_ == 0) return {};
  }
  if (chunks_) {
    const auto state = chunks_->look(unread().substr(head_bytes_), limits::kGatheredBodyBytes);
    body_is_here = state == ChunkScan::State::kWhole;
    if (state != ChunkScan::State::kMore) return {true, std::nullopt};
  }
  if (chunks_ || unread().size() < request_bytes_) {
    awaiting = Awaiting::kBody;
    return {};
  }
  return {true, std::nullopt};
}

// Leaves head_bytes_ at 0 if the head has not arrived as a whole.
std::optional<HeadError> Connection::read_head(RequestHead& head) {
  const auto end = find_head_end(unread(), scanned_);
  if (!end || *end > limits::kRequestHeadBytes) {
    if (auto error = why_no_head(unread().substr(0, end.value_or(unread().size())), scanned_)) {
      return error;
    }
  }
  if (!end) {
    scanned_ = unread().size();
    awaiting = scanned_ == 0 ? Awaiting::kRequest : Awaiting::kHead;
    return std::nullopt;
  }
  if (auto error = parse_request_head(unread().substr(0, *end), head)) return error;
  const std::uint64_t body = head.content_length.value_or(0);
  const bool gather = head.chunked || body <= limits::kGatheredBodyBytes;
  head_bytes_ = *end;
  request_bytes_ = *end + (gather ? static_cast<std::size_t>(body) : 0);
  body_is_here = gather;
  if (head.chunked) chunks_.emplace();
  const bool waits = head.expects_continue && head.has_body() && unread().size() == *end;
  if (gather && waits) ask_to_continue();
  return std::nullopt;
}

// Nothing else is on its way to this peer, so that a few bytes fit; one that does not get them
// sends its body after a while all the same.
void Connection::ask_to_continue() {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  [[maybe_unused]] const auto sent = send_some(kContinue.data(), kContinue.size());
}

bool Connection::wait_for(short events, SteadyClock::time_point deadline) const {
  using std::chrono::ceil;
  using std::chrono::milliseconds;
  for (;;) {
    const auto left = ceil<milliseconds>(deadline - SteadyClock::now()).count();
    pollfd wanted{descriptor_, events, 0};
    const int count =
        ::poll(&wanted, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
    if (left <= 0) {
      errno = ETIMEDOUT;
      return false;
    }
  }
}

std::ptrdiff_t Connection::receive(char* out, std::size_t size, SteadyClock::time_point deadline) {
  for (;;) {
    const ssize_t count = receive_some(out, size);
    if (count >= 0) return count;
    if (errno == EINTR) continue;
    if (errno != EAGAIN || !wait_for(POLLIN, deadline)) return -1;
  }
}

// Of TLS the first alone.
ssize_t Connection::send_both(std::string_view first, std::string_view second) {
  if (tls_) {
    const auto& now = first.empty() ? second : first;
    return tls_->write(now.data(), now.size());
  }
  // sendmsg does not write through these pointers.
  iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                    {const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  return ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
}

void Connection::note_arrived(PaceWatch& watch) {
  int on_its_way = 0;
  if (::ioctl(descriptor_, SIOCOUTQ, &on_its_way) != 0) return;
  const auto arrived = sent_ - std::min(sent_, static_cast<std::uint64_t>(on_its_way));
  if (arrived <= arrived_) return;
  watch.moved(arrived - arrived_);
  arrived_ = arrived;
}

bool Connection::has_all_left() const {
  int unsent = 0;
  return ::ioctl(descriptor_, SIOCOUTQNSD, &unsent) != 0 || unsent == 0;
}

void Connection::report_all_left(bool wanted) const {
  const int unsent_max = wanted ? 1 : 0;  // 0: what the system sees fit
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max, sizeof unsent_max);
}

bool Connection::wait_for_room(PaceWatch& watch) {
  while (!wait_for(POLLOUT, watch.deadline())) {
    if (errno != ETIMEDOUT) return false;
    note_arrived(watch);
    if (watch.deadline() <= SteadyClock::now()) {
      errno = ETIMEDOUT;
      return false;
    }
  }
  return true;
}

void Connection::reset_at_close() const {
  const linger at_once{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

bool Connection::send_some(std::string_view& first, std::string_view& second) {
  // A small answer leaves in one record. What is left of it stays where it is until the next one.
  if (tls_ && !first.empty() && !second.empty() && first.size() + second.size() <= kRecordBytes) {
    joined_.assign(first);
    joined_ += second;
    first = joined_;
    second = {};
  }
  while (!first.empty() || !second.empty()) {
    const ssize_t count = send_both(first, second);
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN;
    }
    const auto bytes = static_cast<std::size_t>(count);
    sent(bytes);
    const std::size_t of_first = std::min(bytes, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(bytes - of_first);
  }
  if (joined_.capacity() > kKeptInputBytes) std::string().swap(joined_);
  return true;
}

bool Connection::send(std::string_view first, std::string_view second, PaceWatch& watch) {
  for (;;) {
    if (!send_some(first, second)) return false;
    if (first.empty() && second.empty()) return true;
    if (!wait_for_room(watch)) return false;
  }
}

}  // namespace ota::http
