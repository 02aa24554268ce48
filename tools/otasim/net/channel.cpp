#include "tools/otasim/net/channel.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace ota::sim {
namespace {

// The error of an earlier call that the socket has kept; 0: none.
int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

bool has_peer(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

}  // namespace

Channel::Channel(const SocketAddress& address, SslPtr ssl) : ssl_(std::move(ssl)) {
  const auto* where = reinterpret_cast<const sockaddr*>(&address.storage);
  fd_ = ::socket(where->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) {
    fail(errno);
    return;
  }
  const int yes = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (::connect(fd_, where, address.size) == 0 || errno == EINPROGRESS) return;
  fail(errno);
  close();
}

Channel::Channel(Channel&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      connected_(other.connected_),
      secured_(other.secured_),
      ssl_(std::move(other.ssl_)),
      error_(std::move(other.error_)) {}

Channel& Channel::operator=(Channel&& other) noexcept {
  if (this == &other) return *this;
  close();
  fd_ = std::exchange(other.fd_, -1);
  connected_ = other.connected_;
  secured_ = other.secured_;
  ssl_ = std::move(other.ssl_);
  error_ = std::move(other.error_);
  return *this;
}

Channel::Moved Channel::fail(int error_number) {
  error_ = std::generic_category().message(error_number);
  return Moved::kBroken;
}

Channel::Moved Channel::open() {
  if (fd_ < 0) return Moved::kBroken;
  if (connected_) return shake_hands();
  if (const int error = pending_error(fd_); error != 0) return fail(error);
  if (!has_peer(fd_)) return Moved::kLater;
  connected_ = true;
  if (ssl_ != nullptr) SSL_set_fd(ssl_.get(), fd_);
  return shake_hands();
}

Channel::Moved Channel::shake_hands() {
  if (ssl_ == nullptr || secured_) return Moved::kDone;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return meaning_of(result, "SSL connect error");
  secured_ = true;
  return Moved::kDone;
}

// What a call of the TLS library came to that did not do what it should.
Channel::Moved Channel::meaning_of(int result, const char* doing) {
  const int error_number = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Moved::kLater;
    case SSL_ERROR_ZERO_RETURN:
      error_ = std::string(doing) + ": closed";
      return secured_ ? Moved::kEnd : Moved::kBroken;
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      return fail(error_number == 0 ? ECONNRESET : error_number);
    default:
      break;
  }
  const long verified = SSL_get_verify_result(ssl_.get());
  const std::string why =
      verified == X509_V_OK ? tls_error() : X509_verify_cert_error_string(verified);
  ERR_clear_error();
  error_ = std::string(doing) + ": " + why;
  return Moved::kBroken;
}

Channel::Moved Channel::read(std::span<char> space, std::size_t& bytes) {
  bytes = 0;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    if (SSL_read_ex(ssl_.get(), space.data(), space.size(), &bytes) == 1) return Moved::kDone;
    return meaning_of(0, "TLS read");
  }
  const ssize_t count = ::recv(fd_, space.data(), space.size(), 0);
  if (count > 0) {
    bytes = static_cast<std::size_t>(count);
    return Moved::kDone;
  }
  if (count == 0) return Moved::kEnd;
  if (errno == EAGAIN || errno == EINTR) return Moved::kLater;
  return fail(errno);
}

Channel::Moved Channel::write(std::string_view data, std::size_t& bytes) {
  bytes = 0;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), data.data(), data.size(), &bytes) == 1) return Moved::kDone;
    return meaning_of(0, "TLS write");
  }
  const ssize_t count = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
  if (count >= 0) {
    bytes = static_cast<std::size_t>(count);
    return Moved::kDone;
  }
  if (errno == EAGAIN || errno == EINTR) return Moved::kLater;
  return fail(errno);
}

void Channel::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  secured_ = false;  // no good-bye
  close();
}

int Channel::release() {
  secured_ = false;
  ssl_.reset();
  return std::exchange(fd_, -1);
}

void Channel::close() {
  if (secured_) SSL_shutdown(ssl_.get());
  secured_ = false;
  ssl_.reset();
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace ota::sim
