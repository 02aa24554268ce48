// The service's own connection to the broker, where the broker is far away: its TCP connection takes a while.
#include "gateways/mqtt/broker_link.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>

#include "tests/gateways/nats_support.hpp"

using namespace ota::gateways::mqtt;
using namespace ota::gateways::testing;

namespace {

struct Socket {
  explicit Socket(int number) : fd(number) { REQUIRE(fd >= 0); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(fd); }
  int fd;
};

// Takes no second connection until the first one was accepted: whoever comes meanwhile is not refused, but waits.
class FarAway {
 public:
  FarAway() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), filler_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* where = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_.fd, where, size) == 0);
    REQUIRE(::listen(listener_.fd, 0) == 0);
    REQUIRE(::getsockname(listener_.fd, where, &size) == 0);
    port_ = ntohs(address.sin_port);
    REQUIRE(::connect(filler_.fd, where, size) == 0);
  }

  std::uint16_t port() const { return port_; }

  // Somebody has asked for a connection and has no answer yet.
  bool somebody_waits() const {
    constexpr const char* kSynSent = "02";
    std::ifstream sockets("/proc/net/tcp");
    const auto remote = fmt::format("0100007F:{:04X} {} ", port_, kSynSent);
    for (std::string line; std::getline(sockets, line);) {
      if (line.find(remote) != std::string::npos) return true;
    }
    return false;
  }

  // Lets it in, and answers the first byte that it says; -1: it says nothing.
  int first_byte() const {
    Socket{::accept(listener_.fd, nullptr, nullptr)};
    pollfd knocks{listener_.fd, POLLIN, 0};
    const auto patience_ms = static_cast<int>(std::chrono::milliseconds(kDeadline).count());
    REQUIRE(::poll(&knocks, 1, patience_ms) == 1);
    const Socket line(::accept(listener_.fd, nullptr, nullptr));
    pollfd speaks{line.fd, POLLIN, 0};
    unsigned char byte = 0;
    if (::poll(&speaks, 1, patience_ms) != 1 || ::read(line.fd, &byte, 1) != 1) return -1;
    return byte;
  }

 private:
  Socket listener_;
  Socket filler_;
  std::uint16_t port_ = 0;
};

// Somebody's certificate, to trust.
std::string write_certificate(const TempFolder& folder) {
  const auto path = (folder.path() / "ca.pem").string();
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3'600);
  X509_set_pubkey(certificate.get(), key.get());
  REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "w"), &std::fclose);
  REQUIRE((file && PEM_write_X509(file.get(), certificate.get()) == 1));
  return path;
}

int first_byte_said_to_a_far_broker(const std::string& ca_file) {
  const FarAway broker;
  BrokerOptions options;
  options.host = "127.0.0.1";
  options.port = broker.port();
  options.ca_file = ca_file;
  BrokerLink link(options);
  link.start();
  wait_for([&] { return broker.somebody_waits(); });
  return broker.first_byte();
}

}  // namespace

TEST_CASE("a broker that is far away is spoken to as soon as it is reached, over TLS too") {
  const TempFolder folder;
  constexpr int kConnect = 0x10;
  constexpr int kTlsHandshake = 0x16;
  CHECK(first_byte_said_to_a_far_broker("") == kConnect);
  CHECK(first_byte_said_to_a_far_broker(write_certificate(folder)) == kTlsHandshake);
}
