#include "tools/benchmarks/load_connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>

namespace ota::bench {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
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

}  // namespace

LoadConnection::LoadConnection(int port) {
  descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) fail("cannot make a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(descriptor_);
    throw std::system_error(error, std::generic_category(), "cannot connect");
  }
  const int on = 1;
  setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

LoadConnection::~LoadConnection() { close(descriptor_); }

void LoadConnection::send(std::string_view request) {
  unsent_ = request;
  received_.clear();
  head_bytes_ = 0;
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
  const ssize_t count = recv(descriptor_, piece.data(), piece.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (count < 0) fail("a connection broke");
  if (count == 0) throw std::runtime_error("the server closed a connection: " + received_);
  received_.append(piece.data(), static_cast<std::size_t>(count));
  if (head_bytes_ == 0) read_head();
  return head_bytes_ != 0 && received_.size() >= head_bytes_ + body_bytes_;
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
