#include "tests/tools/net/small_server.hpp"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace ota::sim::test {

struct SmallServer::Line {
  int fd = -1;
  int number = 0;
  SSL* ssl = nullptr;
  bool secured = false;
  std::string unread;
  bool over = false;
  ~Line() {
    SSL_free(ssl);
    ::close(fd);
  }
};

namespace {

std::string client_of(SSL* ssl) {
  char name[256] = "";
  if (X509* certificate = SSL_get0_peer_certificate(ssl))
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof name);
  return name;
}

}  // namespace

SSL_CTX* server_context(const ServerTls& tls) {
  const auto must = [](bool fine) {
    if (!fine) throw std::runtime_error("the test's server has no TLS");
  };
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  BIO* bio = BIO_new_mem_buf(tls.certificate_and_key.data(),
                             static_cast<int>(tls.certificate_and_key.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  must(SSL_CTX_use_certificate(context, certificate) == 1 &&
       SSL_CTX_use_PrivateKey(context, key) == 1);
  X509_free(certificate);
  EVP_PKEY_free(key);
  BIO_free(bio);
  constexpr unsigned char kName[] = "test";
  SSL_CTX_set_session_id_context(context, kName, sizeof kName - 1);
  if (tls.client_authority.empty()) return context;
  bio = BIO_new_mem_buf(tls.client_authority.data(), static_cast<int>(tls.client_authority.size()));
  X509* authority = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  must(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority) == 1);
  X509_free(authority);
  BIO_free(bio);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

std::string ok(const std::string& body, const std::string& fields, const std::string& status) {
  return "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

SmallServer::SmallServer(Handler handler, Continue behaviour)
    : handler_(std::move(handler)),
      behaviour_(behaviour),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* where = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, where, size) != 0 || ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, where, &size) != 0 || ::pipe(wake_) != 0)
    throw std::runtime_error("the test's server cannot listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

SmallServer::SmallServer(Handler handler, const ServerTls& tls) : SmallServer(std::move(handler)) {
  // Before anybody knows the port.
  tls_ = server_context(tls);
}

SmallServer::~SmallServer() {
  ::close(wake_[1]);
  thread_.join();
  lines_.clear();
  SSL_CTX_free(tls_);
  ::close(wake_[0]);
  ::close(listener_);
}

std::string SmallServer::url(const std::string& target, const std::string& host) const {
  return (tls_ == nullptr ? "http://" : "https://") + host + ":" + std::to_string(port_) + target;
}

std::vector<SmallServer::Asked> SmallServer::asked() const {
  const std::lock_guard lock{mutex_};
  return asked_;
}
int SmallServer::connections() const {
  const std::lock_guard lock{mutex_};
  return accepted_;
}
int SmallServer::ended() const {
  const std::lock_guard lock{mutex_};
  return ended_;
}
int SmallServer::resets() const {
  const std::lock_guard lock{mutex_};
  return resets_;
}

void SmallServer::serve() {
  for (;;) {
    std::vector<pollfd> wanted{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& line : lines_) wanted.push_back({line->fd, POLLIN, 0});
    if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) return;
    if (wanted[0].revents != 0) return;
    for (std::size_t i = 0; i < lines_.size(); ++i)
      if (wanted[i + 2].revents != 0) read_from(*lines_[i]);
    std::erase_if(lines_, [](const auto& line) { return line->over; });
    if (wanted[1].revents != 0) accept_one();
  }
}

void SmallServer::accept_one() {
  auto line = std::make_unique<Line>();
  line->fd = ::accept(listener_, nullptr, nullptr);
  if (line->fd < 0) return;
  if (tls_ != nullptr) {
    line->ssl = SSL_new(tls_);
    SSL_set_fd(line->ssl, line->fd);
  }
  const std::lock_guard lock{mutex_};
  line->number = ++accepted_;
  lines_.push_back(std::move(line));
}

// False when it is over with the line, or not yet done.
bool SmallServer::shake_hands(Line& line) {
  if (line.ssl == nullptr || line.secured) return true;
  line.secured = SSL_accept(line.ssl) == 1;
  line.over = !line.secured;
  return false;
}

void SmallServer::read_from(Line& line) {
  if (!shake_hands(line)) return;
  char bytes[16384];
  do {
    const ssize_t count = line.ssl != nullptr ? SSL_read(line.ssl, bytes, sizeof bytes)
                                              : ::recv(line.fd, bytes, sizeof bytes, 0);
    if (count <= 0) {
      const std::lock_guard lock{mutex_};
      ++ended_;
      if (count < 0) ++resets_;
      line.over = true;
      return;
    }
    line.unread.append(bytes, static_cast<std::size_t>(count));
  } while (line.ssl != nullptr && SSL_pending(line.ssl) > 0);
  answer(line);
}

void SmallServer::answer(Line& line) {
  while (!line.over) {
    const auto end = line.unread.find("\r\n\r\n");
    if (end == std::string::npos) return;
    Asked asked{line.unread.substr(0, end + 2), "", line.number, false, "", ""};
    if (line.ssl != nullptr) {
      const char* name = SSL_get_servername(line.ssl, TLSEXT_NAMETYPE_host_name);
      asked.resumed = SSL_session_reused(line.ssl) == 1;
      asked.client = client_of(line.ssl);
      asked.asked_name = name == nullptr ? "" : name;
    }
    std::size_t body = 0;
    const auto length = asked.head.find("Content-Length: ");
    if (length != std::string::npos)
      body = std::strtoul(asked.head.c_str() + length + 16, nullptr, 10);
    if (line.unread.size() < end + 4 + body) {
      const bool waits = asked.head.find("Expect: 100-continue") != std::string::npos;
      if (waits && behaviour_ == Continue::kAsks) send(line, "HTTP/1.1 100 Continue\r\n\r\n");
      return;
    }
    asked.body = line.unread.substr(end + 4, body);
    line.unread.erase(0, end + 4 + body);
    {
      const std::lock_guard lock{mutex_};
      asked_.push_back(asked);
    }
    const Reply reply = handler_(asked);
    send(line, reply.bytes);
    line.over = reply.closes;
  }
}

void SmallServer::send(const Line& line, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = line.ssl != nullptr
                              ? SSL_write(line.ssl, bytes.data(), static_cast<int>(bytes.size()))
                              : ::send(line.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace ota::sim::test
