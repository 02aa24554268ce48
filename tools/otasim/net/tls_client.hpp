// TLS for the connections of the fleet: whom to trust, who a device is, and the sessions that make
// its next connection cheap.
//
// One context for all. A device's certificate and key are read when a server asks for them, and let
// go after the handshake: ten thousand of them would be most of the memory. Sessions are kept a
// device, so that no device ever resumes as another. One thread.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "tools/otasim/net/http_message.hpp"
#include "tools/otasim/net/url.hpp"

using SSL_SESSION = struct ssl_session_st;  // as openssl/ssl.h has it

namespace ota::sim {

struct TlsSettings {
  std::string ca_file;    // PEM; empty: the system's authorities
  bool insecure = false;  // does not check the server's certificate
};

struct FreeSsl {
  void operator()(SSL* ssl) const;
  void operator()(SSL_CTX* context) const;
  void operator()(SSL_SESSION* session) const;
};
using SslPtr = std::unique_ptr<SSL, FreeSsl>;

class TlsClient {
 public:
  // Throws when the authorities cannot be read.
  explicit TlsClient(const TlsSettings& settings);

  // Adds the next device, in the order of HttpClient's callers. `certificate_file`: certificate,
  // chain and key, PEM; empty: it has none.
  void add_caller(std::string certificate_file);

  // Makes the device's side of a connection; the socket is given to it later.
  SslPtr begin(CallerId caller, const Origin& origin);

  // To be called when the handshake is done.
  void established(SSL* ssl);

  // Whether two devices are the same to a server, so that they may share a connection.
  bool same_identity(CallerId one, CallerId other) const {
    return callers_[one].certificate_file == callers_[other].certificate_file;
  }

  std::uint64_t handshakes() const { return handshakes_; }
  std::uint64_t resumed() const { return resumed_; }  // of them

 private:
  struct Caller {
    std::string certificate_file;
    std::unique_ptr<SSL_SESSION, FreeSsl> session;  // of the last connection
    Origin session_of;
  };
  static int keep_session(SSL* ssl, SSL_SESSION* session);
  static int show_certificate(SSL* ssl, void*);
  static void check_name(SSL* ssl, const Origin& origin);

  std::unique_ptr<SSL_CTX, FreeSsl> context_;
  std::deque<Caller> callers_;  // never moved: connections point to them
  std::uint64_t handshakes_ = 0;
  std::uint64_t resumed_ = 0;
};

// Answers what OpenSSL has to say about the last failure, and forgets it.
std::string tls_error();

}  // namespace ota::sim
