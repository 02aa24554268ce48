// A TCP connection as a stream of bytes, plain or through TLS. Non-blocking: what cannot go on now
// says so, and goes on when the loop reports the socket.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "tools/otasim/net/addresses.hpp"
#include "tools/otasim/net/tls_client.hpp"

namespace ota::sim {

class Channel {
 public:
  enum class Moved {
    kDone,    // some bytes, or the whole step
    kLater,   // nothing more for now
    kEnd,     // the other side has finished sending
    kBroken,  // error() says why
  };

  // Begins to connect; `ssl` is null for a plain one. Without a socket when that failed at once.
  Channel(const SocketAddress& address, SslPtr ssl);
  Channel(Channel&& other) noexcept;
  Channel& operator=(Channel&& other) noexcept;
  ~Channel() { close(); }

  // Goes on with connecting and with the handshake.
  Moved open();
  // Reads up to the size of `space`; `bytes` is what came.
  Moved read(std::span<char> space, std::size_t& bytes);
  // Writes what fits; `bytes` is what was taken.
  Moved write(std::string_view data, std::size_t& bytes);

  int fd() const { return fd_; }
  SSL* ssl() const { return ssl_.get(); }
  const std::string& error() const { return error_; }

  // Ends it in order.
  void close();
  // Ends it at once: the other side gets a reset, and neither side what is on its way.
  void reset();
  // Lets go of the socket, which stays open; the other side is not told.
  int release();

 private:
  Moved fail(int error_number);
  Moved shake_hands();
  Moved meaning_of(int result, const char* doing);

  int fd_ = -1;
  bool connected_ = false;
  bool secured_ = false;
  SslPtr ssl_;
  std::string error_;
};

}  // namespace ota::sim
