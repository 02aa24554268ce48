// TLS 1.2 and 1.3 for the front door: the certificate that it shows, and one session a connection.
//
// A session belongs to whoever owns its connection; nothing of it blocks.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace ota::http {

enum class ClientCertificates : std::uint8_t {
  kIgnored,   // not asked for
  kOptional,  // one that is shown must be of the client authority; without one other credentials count
  kRequired,
};

struct TlsOptions {
  std::string certificate_file;     // PEM: ours, then the chain
  std::string key_file;             // PEM
  std::string client_authority_file = {};  // PEM: who signs the certificates of devices
  ClientCertificates clients = ClientCertificates::kIgnored;
};

class TlsSession {
 public:
  enum class Step : std::uint8_t { kDone, kWantsRead, kWantsWrite, kFailed };

  explicit TlsSession(ssl_st* session) : session_(session) {}  // takes it over
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Nothing of the handshake has been done yet.
  bool is_new() const;
  // One step of the handshake, which may cost a millisecond of work. kFailed: the connection is of no use.
  Step handshake();
  // As recv and send do, with errno EAGAIN when the socket has to be waited for. A write that could not go must be
  // repeated with the same bytes.
  ssize_t read(char* out, std::size_t size);
  ssize_t write(const char* bytes, std::size_t size);
  // Bytes have arrived that the socket does not show any more.
  bool has_buffered() const;
  // The common name of the peer's verified certificate; empty if it showed none, kNobody if there is no name in it.
  std::string peer_name() const;
  // Tells the peer that nothing follows.
  void say_goodbye();

 private:
  ssize_t not_done(int done);  // why, as recv and send tell it

  ssl_st* const session_;
  bool failed_ = false;
};

class TlsContext {
 public:
  // Throws std::runtime_error that names the file that cannot be used, and why.
  explicit TlsContext(TlsOptions options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Reads the files again, for certificates that were renewed; on an error (std::runtime_error) everything stays as it was.
  void reload();
  // For a connection that was accepted; null if there is no memory for it.
  std::unique_ptr<TlsSession> accept(int descriptor) const;

 private:
  const TlsOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace ota::http
