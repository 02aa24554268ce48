// What a connection knows of bytes that the kernel has taken from it.
#include "http/connection.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "http/listener.hpp"
#include "tests/http/raw_client.hpp"

using namespace ota::http;

namespace {

constexpr int kReceiveBuffer = 64 * 1024;
constexpr int kLong_ms = 30'000;

// A peer that reads nothing by itself, and has been sent more than it takes in: all of it is the kernel's.
struct Full {
  Full() {
    PeerName name;
    peer.receive_buffer(kReceiveBuffer);
    int descriptor = -1;
    while ((descriptor = accept_connection(listener.descriptor(), name)) < 0) {
    }
    ::setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
    connection = std::make_unique<Connection>(descriptor, name.address, name.port);
    std::string_view first = bytes;
    std::string_view second;
    REQUIRE(connection->send_some(first, second));
    REQUIRE(first.empty());
  }

  bool is_writable(int wait_ms) const {
    pollfd wanted{connection->descriptor(), POLLOUT, 0};
    return ::poll(&wanted, 1, wait_ms) == 1 && (wanted.revents & POLLOUT) != 0;
  }
  // Waits until the peer's reset is here.
  bool is_reset() const {
    pollfd wanted{connection->descriptor(), 0, 0};
    return ::poll(&wanted, 1, kLong_ms) == 1 && (wanted.revents & POLLERR) != 0;
  }

  static constexpr int kSendBuffer = 1 << 20;
  const std::string bytes = std::string(300'000, 'x');
  Listener listener{"127.0.0.1", 0};
  test::RawClient peer{listener.port()};
  std::unique_ptr<Connection> connection;
};

}  // namespace

TEST_CASE("what the kernel has taken has left when the peer has made room for it, and not before") {
  Full full;
  CHECK_FALSE(full.connection->has_all_left());
  CHECK(full.is_writable(0));
  full.connection->report_all_left(true);
  CHECK_FALSE(full.is_writable(0));
  REQUIRE(full.peer.skip(full.bytes.size()));
  CHECK(full.is_writable(kLong_ms));
  CHECK(full.connection->has_all_left());
}

TEST_CASE("that all has left is told as well to who asks for it only then") {
  Full full;
  REQUIRE(full.peer.skip(full.bytes.size()));
  CHECK(full.connection->has_all_left());
  full.connection->report_all_left(true);
  CHECK(full.is_writable(kLong_ms));
  full.connection->report_all_left(false);
  CHECK(full.is_writable(0));
}

TEST_CASE("of a connection that was reset it is known whether all had left") {
  for (const bool reads : {false, true}) {
    CAPTURE(reads);
    Full full;
    if (reads) REQUIRE(full.peer.skip(full.bytes.size()));
    full.peer.reset();
    REQUIRE(full.is_reset());
    CHECK(full.connection->has_all_left() == reads);
  }
}
