// A web server of a test: one thread, answers as the test says, remembers what it was asked.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ota::sim::test {

// What a request is answered with.
struct Reply {
  std::string bytes;    // sent as they are; none: no answer
  bool closes = false;  // then ends the connection
};

// An answer with a Content-Length.
std::string ok(const std::string& body, const std::string& fields = "",
               const std::string& status = "200 OK");

// With which it speaks TLS: PEM, not file names.
struct ServerTls {
  std::string certificate_and_key;
  std::string client_authority;  // empty: asks nobody for a certificate
};
// The caller frees it.
SSL_CTX* server_context(const ServerTls& tls);

class SmallServer {
 public:
  struct Asked {
    std::string head;
    std::string body;
    int connection = 0;      // counted from 1 in the order of acceptance
    bool resumed = false;    // its TLS session
    std::string client;      // the name in its certificate
    std::string asked_name;  // SNI
  };
  using Handler = std::function<Reply(const Asked&)>;

  // Whether it says "100 Continue" to those who wait for it.
  enum class Continue { kIgnores, kAsks };

  // Listens on a free port of 127.0.0.1.
  explicit SmallServer(Handler handler, Continue behaviour = Continue::kIgnores);
  SmallServer(Handler handler, const ServerTls& tls);
  SmallServer(const SmallServer&) = delete;
  SmallServer& operator=(const SmallServer&) = delete;
  ~SmallServer();

  // `host`: a name or address of this machine.
  std::string url(const std::string& target, const std::string& host = "127.0.0.1") const;
  std::uint16_t port() const { return port_; }

  std::vector<Asked> asked() const;
  int connections() const;
  // How many have ended: in order, or with a reset.
  int ended() const;
  int resets() const;

 private:
  struct Line;
  void serve();
  void accept_one();
  void read_from(Line& line);
  static bool shake_hands(Line& line);
  void answer(Line& line);
  static void send(const Line& line, std::string_view bytes);

  const Handler handler_;
  const Continue behaviour_;
  SSL_CTX* tls_ = nullptr;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;  // of what follows
  std::vector<Asked> asked_;
  int accepted_ = 0;
  int ended_ = 0;
  int resets_ = 0;
  std::vector<std::unique_ptr<Line>> lines_;  // the thread's alone
  std::thread thread_;
};

}  // namespace ota::sim::test
