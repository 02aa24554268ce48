#include "http/connection_stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ota::http {

bool ConnectionStream::is_writable() const {
  char byte;
  const ssize_t count = ::recv(connection_.descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return !failed_ && (count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR)));
}

ssize_t ConnectionStream::read(char* out, size_t size) {
  const std::size_t count = std::min(size, request_.size());
  std::copy_n(request_.data(), count, out);
  request_.remove_prefix(count);
  return static_cast<ssize_t>(count);
}

ssize_t ConnectionStream::write(const char* bytes, size_t size) {
  if (failed_) return -1;
  if (holds_all_) {
    held_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  if (holds_) {
    if (held_.empty()) {
      held_.assign(bytes, size);
      return static_cast<ssize_t>(size);
    }
    holds_ = false;
  }
  send(held_, {bytes, size});
  held_.clear();
  return failed_ ? -1 : static_cast<ssize_t>(size);
}

void ConnectionStream::send(std::string_view first, std::string_view second) {
  if (const auto rest = take_rest()) {
    send_waiting(rest->bytes, {});
    if (failed_) return;
  }
  failed_ = !connection_.send_some(first, second);
  const std::size_t left = first.size() + second.size();
  if (failed_ || left == 0) return;
  if (auto place = places_.bytes.take(left)) {
    rest_.emplace(Rest{std::string(first).append(second),
                       std::make_shared<const Places::Place>(std::move(*place))});
  } else {
    send_waiting(first, second);
  }
}

void ConnectionStream::send_waiting(std::string_view first, std::string_view second) {
  const auto place = places_.handlers.take();
  found_no_place_ = !place;
  failed_ = !place || !connection_.send(first, second, watch_);
}

std::optional<ConnectionStream::Rest> ConnectionStream::take_rest() {
  return std::exchange(rest_, std::nullopt);
}

bool ConnectionStream::flush() {
  holds_ = false;
  if (!failed_ && !held_.empty()) send(held_, {});
  held_.clear();
  return !failed_;
}

void ConnectionStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = connection_.peer_address();
  port = connection_.peer_port();
}

// Nobody asks: links are made from the Host header, as the client knows the service by another name
// anyway.
void ConnectionStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace ota::http
