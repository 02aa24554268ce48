#include "http/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "http/peer.hpp"

namespace ota::http {
namespace {

constexpr unsigned char kSessionContext[] = "ota";
constexpr long kTicketSeconds = 24 * 3'600;  // a device that polls daily resumes
// Every suite with forward secrecy and authenticated encryption, none other, for TLS 1.2; 1.3 has no others.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

std::string reason() {
  const auto code = ERR_peek_error();  // the first: those behind it only say who noticed
  if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
  const char* text = code == 0 ? nullptr : ERR_reason_error_string(code);
  return text ? text : "unknown error";
}

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(fmt::format("{}: {}", what, reason())); }

std::shared_ptr<SSL_CTX> make_context(const TlsOptions& options) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (!context) fail("Cannot set up TLS");
  SSL_CTX* const c = context.get();
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                             SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Thousands of idle connections keep no buffers; answers are written as far as the socket takes them.
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_set_cipher_list(c, kCiphers) != 1) fail("Cannot set the ciphers of TLS 1.2");
  // Resumption by tickets alone: nothing of a session is kept here.
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(c, kTicketSeconds);
  SSL_CTX_set_session_id_context(c, kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_num_tickets(c, 1);
  if (SSL_CTX_use_certificate_chain_file(c, options.certificate_file.c_str()) != 1) {
    fail("The certificate " + options.certificate_file + " cannot be used");
  }
  if (SSL_CTX_use_PrivateKey_file(c, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    fail("The key " + options.key_file + " cannot be used");
  }
  if (SSL_CTX_check_private_key(c) != 1) fail("The key " + options.key_file + " is not the certificate's");
  if (options.clients == ClientCertificates::kIgnored) return context;
  const auto* authority = options.client_authority_file.c_str();
  if (SSL_CTX_load_verify_locations(c, authority, nullptr) != 1) {
    fail("The client authority " + options.client_authority_file + " cannot be used");
  }
  SSL_CTX_set_client_CA_list(c, SSL_load_client_CA_file(authority));
  const int required = options.clients == ClientCertificates::kRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER | required, nullptr);
  return context;
}

// Empty: it has none that could be a device's.
std::string common_name(X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  // One with several names would be whoever it likes.
  if (X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return {};
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return name.find('\0') == std::string::npos ? name : std::string();
}

}  // namespace

TlsSession::~TlsSession() { SSL_free(session_); }

bool TlsSession::is_new() const { return SSL_in_before(session_) == 1; }

TlsSession::Step TlsSession::handshake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(session_);
  if (done == 1) return Step::kDone;
  switch (SSL_get_error(session_, done)) {
    case SSL_ERROR_WANT_READ: return Step::kWantsRead;
    case SSL_ERROR_WANT_WRITE: return Step::kWantsWrite;
    default:
      failed_ = true;
      return Step::kFailed;
  }
}

ssize_t TlsSession::read(char* out, std::size_t size) {
  ERR_clear_error();
  std::size_t count = 0;
  const int done = SSL_read_ex(session_, out, size, &count);
  if (done == 1) return static_cast<ssize_t>(count);
  return SSL_get_error(session_, done) == SSL_ERROR_ZERO_RETURN ? 0 : not_done(done);
}

ssize_t TlsSession::write(const char* bytes, std::size_t size) {
  ERR_clear_error();
  std::size_t count = 0;
  const int done = SSL_write_ex(session_, bytes, size, &count);
  return done == 1 ? static_cast<ssize_t>(count) : not_done(done);
}

ssize_t TlsSession::not_done(int done) {
  const int error = SSL_get_error(session_, done);
  const bool may_go_on = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  failed_ = failed_ || !may_go_on;
  errno = may_go_on ? EAGAIN : ECONNRESET;
  return -1;
}

bool TlsSession::has_buffered() const { return SSL_has_pending(session_) == 1; }

std::string TlsSession::peer_name() const {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(session_), &X509_free);
  if (!certificate) return {};
  auto name = SSL_get_verify_result(session_) == X509_V_OK ? common_name(certificate.get()) : std::string();
  return name.empty() ? std::string(kNobody) : name;
}

void TlsSession::say_goodbye() {
  if (failed_ || !SSL_is_init_finished(session_)) return;
  ERR_clear_error();
  SSL_shutdown(session_);
}

TlsContext::TlsContext(TlsOptions options) : options_(std::move(options)), context_(make_context(options_)) {}
TlsContext::~TlsContext() = default;

void TlsContext::reload() {
  auto fresh = make_context(options_);
  const std::lock_guard lock(mutex_);
  context_ = std::move(fresh);
}

std::unique_ptr<TlsSession> TlsContext::accept(int descriptor) const {
  std::shared_ptr<SSL_CTX> context;
  {
    const std::lock_guard lock(mutex_);
    context = context_;
  }
  std::unique_ptr<SSL, decltype(&SSL_free)> session(SSL_new(context.get()), &SSL_free);
  if (!session || SSL_set_fd(session.get(), descriptor) != 1) return nullptr;
  SSL_set_accept_state(session.get());
  return std::make_unique<TlsSession>(session.release());
}

}  // namespace ota::http
