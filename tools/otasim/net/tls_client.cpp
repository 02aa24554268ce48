#include "tools/otasim/net/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <utility>

namespace ota::sim {
namespace {

// Whatever can fail here fails for want of memory or of the library's own parts.
void must(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(std::string(what) + ": " + tls_error());
}

bool is_address(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  ASN1_OCTET_STRING_free(address);
  ERR_clear_error();
  return address != nullptr;
}

}  // namespace

void FreeSsl::operator()(SSL* ssl) const { SSL_free(ssl); }
void FreeSsl::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
void FreeSsl::operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }

std::string tls_error() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "unknown" : reason;
}

TlsClient::TlsClient(const TlsSettings& settings) : context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX* context = context_.get();
  must(context != nullptr, "TLS");
  must(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1, "TLS 1.2");
  // An idle connection needs no buffers.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Where an answer ends is said by HTTP; a server that dies says no good-bye.
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &TlsClient::keep_session);
  SSL_CTX_set_cert_cb(context, &TlsClient::show_certificate, nullptr);
  if (settings.insecure) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    return;
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (settings.ca_file.empty())
    must(SSL_CTX_set_default_verify_paths(context) == 1, "the system's certificates");
  else
    must(SSL_CTX_load_verify_locations(context, settings.ca_file.c_str(), nullptr) == 1,
         ("--ca " + settings.ca_file).c_str());
}

void TlsClient::add_caller(std::string certificate_file) {
  Caller& caller = callers_.emplace_back();
  caller.certificate_file = std::move(certificate_file);
}

SslPtr TlsClient::begin(CallerId id, const Origin& origin) {
  Caller& caller = callers_[id];
  SslPtr ssl{SSL_new(context_.get())};
  must(ssl != nullptr, "SSL_new");
  SSL_set_app_data(ssl.get(), &caller);
  SSL_set_connect_state(ssl.get());
  check_name(ssl.get(), origin);
  if (caller.session != nullptr && caller.session_of == origin)
    SSL_set_session(ssl.get(), caller.session.get());
  caller.session_of = origin;
  return ssl;
}

void TlsClient::check_name(SSL* ssl, const Origin& origin) {
  if (is_address(origin.host)) {
    must(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), origin.host.c_str()) == 1, "IP check");
    return;
  }
  must(SSL_set1_host(ssl, origin.host.c_str()) == 1, "host check");
  must(SSL_set_tlsext_host_name(ssl, origin.host.c_str()) == 1, "SNI");
}

void TlsClient::established(SSL* ssl) {
  ++handshakes_;
  if (SSL_session_reused(ssl) == 1) ++resumed_;
  SSL_certs_clear(ssl);
}

// A copy: the library spoils a connection's own session when the connection ends badly.
int TlsClient::keep_session(SSL* ssl, SSL_SESSION* session) {
  static_cast<Caller*>(SSL_get_app_data(ssl))->session.reset(SSL_SESSION_dup(session));
  return 0;
}

int TlsClient::show_certificate(SSL* ssl, void*) {
  const std::string& file = static_cast<Caller*>(SSL_get_app_data(ssl))->certificate_file;
  if (file.empty()) return 1;
  const bool shown = SSL_use_certificate_chain_file(ssl, file.c_str()) == 1 &&
                     SSL_use_PrivateKey_file(ssl, file.c_str(), SSL_FILETYPE_PEM) == 1;
  // What is left in the queue would be taken for an error of the socket.
  if (!shown) ERR_clear_error();
  return shown ? 1 : 0;
}

}  // namespace ota::sim
