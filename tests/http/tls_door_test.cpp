// The front door over TLS: who is let in, and that everything above it stays as it is.
#include "http/front_door.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "tests/http/raw_client.hpp"
#include "tests/http/test_certificates.hpp"

using namespace ota::http;
using namespace std::chrono_literals;
using test::TestCertificates;

namespace {

// Says who asks, or sends a file.
struct Files {
  std::string path;
  int descriptor = -1;
  explicit Files(std::size_t size) {
    path = (std::filesystem::temp_directory_path() / ("ota-tls-door-" + std::to_string(::getpid()))).string();
    descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 23);
    REQUIRE(::write(descriptor, bytes.data(), size) == static_cast<ssize_t>(size));
    content = std::move(bytes);
  }
  ~Files() {
    ::close(descriptor);
    std::filesystem::remove(path);
  }
  std::string content;
  mutable std::promise<bool> ended;  // of the one time that it is sent
};

struct TlsOpen {
  explicit TlsOpen(ClientCertificates clients = ClientCertificates::kOptional, const Files* files = nullptr)
      : server(certificates.issue("localhost")) {
    FrontDoorOptions options;
    options.port = 0;
    options.handler_threads = 8;
    options.tls = TlsDoor{"127.0.0.1", 0, false, {server.certificate, server.key, certificates.authority(), clients}};
    door = std::make_unique<FrontDoor>(std::move(options), [files](RequestContext& context) {
      if (files && context.path() == "/file") {
        context.answer_empty(200);
        context.set_header("Content-Length", std::to_string(files->content.size()));
        Transfer transfer;
        transfer.descriptor = files->descriptor;
        transfer.pieces = {{"", 0, files->content.size()}};
        transfer.on_end = [files](bool complete) { files->ended.set_value(complete); };
        return context.send_after_head(std::move(transfer));
      }
      std::string body;
      [[maybe_unused]] const auto problem = read_whole_body(context.body_stream(), 1 << 20, body);
      context.answer_text(200, context.origin() + " " + std::string(context.peer().certificate) + " " + std::to_string(body.size()),
                          "text/plain");
    });
    door->start();
  }

  std::unique_ptr<httplib::SSLClient> client(const TestCertificates::Pair& pair = {}) const {
    auto made = pair.certificate.empty()
                    ? std::make_unique<httplib::SSLClient>("127.0.0.1", door->tls_port())
                    : std::make_unique<httplib::SSLClient>("127.0.0.1", door->tls_port(), pair.certificate, pair.key);
    made->set_ca_cert_path(certificates.authority().c_str());
    made->enable_server_certificate_verification(true);
    made->set_keep_alive(true);
    made->set_read_timeout(10s);
    return made;
  }

  TestCertificates certificates;
  TestCertificates::Pair server;
  std::unique_ptr<FrontDoor> door;
};

// The protocol that a client gets that speaks nothing newer; empty: none.
std::string agreed(int port, int newest) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), newest);
  SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> link(BIO_new_ssl_connect(context.get()), &BIO_free_all);
  BIO_set_conn_hostname(link.get(), ("127.0.0.1:" + std::to_string(port)).c_str());
  if (BIO_do_connect(link.get()) <= 0 || BIO_do_handshake(link.get()) <= 0) return {};
  SSL* session = nullptr;
  BIO_get_ssl(link.get(), &session);
  return SSL_get_version(session);
}

// A client's side whose bytes a test carries.
class TlsByHand {
 public:
  TlsByHand() : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), session_(SSL_new(context_.get()), &SSL_free) {
    SSL_set_bio(session_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(session_.get());
  }
  // True: it is greeted.
  bool go_on() { return SSL_do_handshake(session_.get()) == 1; }
  void hears(std::string_view bytes) {
    BIO_write(SSL_get_rbio(session_.get()), bytes.data(), static_cast<int>(bytes.size()));
  }
  std::string says() {
    BIO* const out = SSL_get_wbio(session_.get());
    std::string bytes(BIO_ctrl_pending(out), '\0');
    BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  void write(std::string_view text) { SSL_write(session_.get(), text.data(), static_cast<int>(text.size())); }
  std::string read() {
    std::string text(16 * 1024, '\0');
    text.resize(static_cast<std::size_t>(std::max(0, SSL_read(session_.get(), text.data(), static_cast<int>(text.size())))));
    return text;
  }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> session_;
};

}  // namespace

TEST_CASE("TLS: requests on one connection are answered, with links that say https") {
  TlsOpen open;
  const auto client = open.client();
  for (int i = 0; i < 3; ++i) {
    const auto answer = client->Get("/who");
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->body == "https://127.0.0.1:" + std::to_string(open.door->tls_port()) + "  0");
  }
  CHECK(open.door->counts().door.accepted == 1);
}

TEST_CASE("TLS 1.2 and 1.3 are spoken, nothing older") {
  TlsOpen open;
  CHECK(agreed(open.door->tls_port(), TLS1_3_VERSION) == "TLSv1.3");
  CHECK(agreed(open.door->tls_port(), TLS1_2_VERSION) == "TLSv1.2");
  CHECK(agreed(open.door->tls_port(), TLS1_1_VERSION).empty());
  CHECK(agreed(open.door->tls_port(), TLS1_VERSION).empty());
}

TEST_CASE("TLS: a client is who its certificate says, if it is of our authority") {
  SUBCASE("optional") {
    TlsOpen open;
    CHECK(open.client(open.certificates.issue("pump-7"))->Get("/who")->body.find(" pump-7 ") != std::string::npos);
    CHECK(open.client()->Get("/who")->body.find("  0") != std::string::npos);
    CHECK(open.client(open.certificates.issue(""))->Get("/who")->body.find(" " + std::string(kNobody) + " 0") != std::string::npos);
    CHECK_FALSE(open.client(open.certificates.issue_elsewhere("pump-7"))->Get("/who"));
  }
  SUBCASE("required") {
    TlsOpen open(ClientCertificates::kRequired);
    CHECK(open.client(open.certificates.issue("pump-7"))->Get("/who")->status == 200);
    CHECK_FALSE(open.client()->Get("/who"));
  }
}

TEST_CASE("TLS: bodies and files of any size go through whole") {
  const Files files(5'000'000);
  TlsOpen open(ClientCertificates::kIgnored, &files);
  const auto client = open.client();
  for (const std::size_t size : {0UL, 1UL, 16'000UL, 16'384UL, 16'385UL, 70'000UL, 500'000UL}) {
    CAPTURE(size);
    const auto answer = client->Post("/who", std::string(size, 'x'), "text/plain");
    REQUIRE(answer);
    CHECK(answer->body.ends_with(" " + std::to_string(size)));
  }
  const auto file = client->Get("/file");
  REQUIRE(file);
  CHECK(file->body == files.content);
  CHECK(files.ended.get_future().get());
  CHECK(client->Get("/who")->status == 200);  // on the same connection
}

TEST_CASE("decision 15: over TLS, too, what the kernel has taken and the line has not is not sent") {
  const Files files(1'000'000);
  TlsOpen open(ClientCertificates::kIgnored, &files);
  const auto client = open.client();
  client->set_socket_options([](socket_t socket) {
    const int bytes = 64 * 1024;
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  });
  CHECK_FALSE(client->Get("/file", [](const char*, std::size_t) { return false; }));
  CHECK_FALSE(files.ended.get_future().get());
}

TEST_CASE("TLS: whoever speaks it not, or not to the end, is let go and disturbs nobody") {
  TlsOpen open;
  test::RawClient plain(open.door->tls_port());
  plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  plain.read_to_end();
  test::RawClient silent(open.door->tls_port());
  std::vector<std::unique_ptr<test::RawClient>> halves;
  for (int i = 0; i < 50; ++i) {
    halves.push_back(std::make_unique<test::RawClient>(open.door->tls_port()));
    halves.back()->send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  }
  CHECK(open.client()->Get("/who")->status == 200);
  CHECK(open.door->counts().door.handshakes_failed >= 1);
}

TEST_CASE("TLS: whoever has hung up when it is its turn costs no handshake") {
  TlsOpen open;
  TlsByHand client;
  client.go_on();
  test::RawClient gone(open.door->tls_port());
  gone.finish_sending_with(client.says());
  CHECK(gone.read_to_end().empty());
  CHECK(open.door->counts().door.handshakes_failed == 1);
}

TEST_CASE("TLS: whoever says all that it will with the end of its greetings is answered") {
  TlsOpen open;
  TlsByHand client;
  test::RawClient wire(open.door->tls_port());
  while (!client.go_on()) {
    wire.send(client.says());
    client.hears(wire.read_some());
  }
  client.write("GET /who HTTP/1.1\r\nHost: h\r\n\r\n");
  wire.finish_sending_with(client.says());
  client.hears(wire.read_to_end());
  CHECK(client.read().starts_with("HTTP/1.1 200 "));
}

TEST_CASE("TLS: a certificate is replaced while the door is open; one that cannot be used is not") {
  TlsOpen open;
  const auto kept = open.client();
  REQUIRE(kept->Get("/who"));
  const auto fresh = open.certificates.issue("fresh");
  std::filesystem::copy_file(fresh.key, open.server.key, std::filesystem::copy_options::overwrite_existing);
  CHECK_THROWS_AS(open.door->reload_certificate(), std::runtime_error);  // the key is not the certificate's
  CHECK(open.client()->Get("/who")->status == 200);
  std::filesystem::copy_file(fresh.certificate, open.server.certificate, std::filesystem::copy_options::overwrite_existing);
  open.door->reload_certificate();
  CHECK(open.client()->Get("/who")->status == 200);
  CHECK(kept->Get("/who")->status == 200);  // whoever is connected stays so
}

TEST_CASE("TLS: a certificate that cannot be used is an error that names the file") {
  TestCertificates certificates;
  const auto pair = certificates.issue("localhost");
  CHECK_THROWS_WITH_AS(TlsContext({pair.certificate + ".gone", pair.key}), doctest::Contains(".gone"), std::runtime_error);
  CHECK_THROWS_WITH_AS(TlsContext({pair.certificate, certificates.authority()}), doctest::Contains("authority.pem"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(TlsContext({pair.certificate, pair.key, pair.key, ClientCertificates::kRequired}),
                       doctest::Contains("client authority"), std::runtime_error);
  CHECK_THROWS_WITH_AS(TlsContext({pair.certificate, pair.key, "gone.pem", ClientCertificates::kRequired}),
                       "The client authority gone.pem cannot be used: No such file or directory", std::runtime_error);
}

TEST_CASE("TLS: many clients at once, with and without keep-alive") {
  TlsOpen open;
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const auto client = open.client();
      client->set_keep_alive(t % 2 == 0);
      for (int i = 0; i < 20; ++i) {
        const auto answer = client->Get("/who");
        if (answer && answer->status == 200) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 160);
}
