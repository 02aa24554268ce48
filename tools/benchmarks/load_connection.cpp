#include "tools/benchmarks/load_connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>

namespace ota::bench {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr int kSilenceMaxMs = 30'000;
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kLengthName = "\r\nContent-Length: ";  // as both servers write it
constexpr std::size_t kStatusAt = 9;                              // behind "HTTP/1.1 "

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

template <class Number>
Number number_at(std::string_view text, std::size_t at) {
  Number value{};
  if (at >= text.size() ||
      std::from_chars(text.data() + at, text.data() + text.size(), value).ec != std::errc{}) {
    throw std::runtime_error("not an HTTP answer: " + std::string(text));
  }
  return value;
}

sockaddr_in loopback(std::uint8_t last, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last);
  return address;
}

void set_option(int descriptor, int level, int option, int value) {
  setsockopt(descriptor, level, option, &value, sizeof value);
}

bool connect_to(int descriptor, int port, const ConnectionOptions& options) {
  if (options.receive_buffer_bytes > 0) {
    set_option(descriptor, SOL_SOCKET, SO_RCVBUF, options.receive_buffer_bytes);
  }
  // Else a port would be taken that no other connection of this address may have.
  set_option(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  const sockaddr_in from = loopback(options.from, 0);
  const sockaddr_in to = loopback(1, port);
  return bind(descriptor, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0 &&
         connect(descriptor, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

}  // namespace

LoadConnection::LoadConnection(int port, const ConnectionOptions& options)
    : kept_body_bytes_(options.kept_body_bytes), read_bytes_(options.read_bytes) {
  descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) fail("cannot make a socket");
  if (!connect_to(descriptor_, port, options)) {
    const int error = errno;
    close(descriptor_);
    throw std::system_error(error, std::generic_category(), "cannot connect");
  }
  set_option(descriptor_, IPPROTO_TCP, TCP_NODELAY, 1);
}

LoadConnection::~LoadConnection() { close(descriptor_); }

void LoadConnection::send(std::string_view request) {
  unsent_ = request;
  received_.clear();
  head_bytes_ = 0;
  body_read_ = 0;
  status_ = 0;
  send_some();
}

void LoadConnection::send_some() {
  while (!unsent_.empty()) {
    const ssize_t count =
        ::send(descriptor_, unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) fail("the server closed a connection");
    unsent_.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool LoadConnection::go_on() {
  send_some();
  std::array<char, kReadBytes> piece;
  const std::size_t most = std::min(piece.size(), read_bytes_);
  const ssize_t count = recv(descriptor_, piece.data(), most, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (count < 0) fail("a connection broke");
  if (count == 0) throw std::runtime_error("the server closed a connection: " + received_);
  take({piece.data(), static_cast<std::size_t>(count)});
  return head_bytes_ != 0 && body_read_ >= body_bytes_;
}

void LoadConnection::take(std::string_view bytes) {
  if (head_bytes_ == 0) {
    received_.append(bytes);
    read_head();
    if (head_bytes_ == 0) return;
    body_read_ = received_.size() - head_bytes_;
  } else {
    const std::size_t kept = std::min(received_.size() - head_bytes_, kept_body_bytes_);
    received_.append(bytes.substr(0, kept_body_bytes_ - kept));
    body_read_ += bytes.size();
  }
}

void LoadConnection::ask(std::string_view request) {
  send(request);
  while (!go_on()) {
    const short events = wants_to_send() ? POLLIN | POLLOUT : POLLIN;
    pollfd wanted{descriptor_, events, 0};
    const int count = poll(&wanted, 1, kSilenceMaxMs);
    if (count == 0) throw std::runtime_error("the server answers no more");
    if (count < 0 && errno != EINTR) fail("a connection broke");
  }
}

void LoadConnection::read_head() {
  const auto end = received_.find(kHeadEnd);
  if (end == std::string::npos) return;
  const std::string_view head = std::string_view(received_).substr(0, end);
  const auto length = head.find(kLengthName);
  if (length == std::string_view::npos) {
    throw std::runtime_error("an answer without Content-Length: " + std::string(head));
  }
  status_ = number_at<int>(head, kStatusAt);
  body_bytes_ = number_at<std::size_t>(head, length + kLengthName.size());
  head_bytes_ = end + kHeadEnd.size();
}

}  // namespace ota::bench
