// The listening socket. httplib's own has a backlog of 5 compiled in; a fleet that reconnects needs
// more.
#pragma once

#include <cstddef>
#include <string>

namespace ota::http {

class TlsContext;

class Listener {
 public:
  // Listens on a numeric address ("127.0.0.1", "0.0.0.0", "::"); port 0 takes a free one. Throws
  // std::runtime_error that names address, port and reason.
  Listener(const std::string& address, int port);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int descriptor() const { return descriptor_; }
  int port() const { return port_; }
  void close();

  const TlsContext* tls = nullptr;  // of its connections; null: they are in the clear
  bool devices_only = false;        // administrators are not served through it
  bool watched = false;             // by the door's epoll

 private:
  int descriptor_ = -1;
  int port_ = 0;
};

// The address of a peer as text; an IPv4 address that came over IPv6 as IPv4.
struct PeerName {
  std::string address;
  int port = 0;
};
// Accepts one connection, not blocking; -1 with errno if there is none.
int accept_connection(int listener, PeerName& peer);

// Raises this process's limit of open files to `wanted` if it may be; returns what it is then.
std::size_t raise_file_limit(std::size_t wanted);

}  // namespace ota::http
