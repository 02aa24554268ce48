#include "http/listener.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace ota::http {
namespace {

PeerName name_of(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    sockaddr_in address;
    std::memcpy(&address, &storage, sizeof address);
    ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
    return {text, ntohs(address.sin_port)};
  }
  sockaddr_in6 address;
  std::memcpy(&address, &storage, sizeof address);
  if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
    ::inet_ntop(AF_INET, &address.sin6_addr.s6_addr[12], text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
  }
  return {text, ntohs(address.sin6_port)};
}

void set_option(int socket, int level, int option) {
  const int on = 1;
  ::setsockopt(socket, level, option, &on, sizeof on);
}

}  // namespace

Listener::Listener(const std::string& address, int port) {
  const auto fail = [&](const std::string& reason) {
    close();
    throw std::runtime_error(fmt::format("Cannot listen on {} port {}: {}", address, port, reason));
  };
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) fail(::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);

  const auto reason = [] { return std::generic_category().message(errno); };
  descriptor_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) fail(reason());
  set_option(descriptor_, SOL_SOCKET, SO_REUSEADDR);
  set_option(descriptor_, IPPROTO_TCP, TCP_NODELAY);  // accepted sockets inherit it
  if (::bind(descriptor_, found->ai_addr, found->ai_addrlen) != 0) fail(reason());
  if (::listen(descriptor_, SOMAXCONN) != 0) fail(reason());
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&bound), &size) != 0) fail(reason());
  port_ = name_of(bound).port;
}

Listener::~Listener() { close(); }

void Listener::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

int accept_connection(int listener, PeerName& peer) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  const int descriptor = ::accept4(listener, reinterpret_cast<sockaddr*>(&storage), &size,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor >= 0) peer = name_of(storage);
  return descriptor;
}

std::size_t raise_file_limit(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < wanted) {
    rlimit raised = limit;
    raised.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

}  // namespace ota::http
