// An MQTT 3.1.1 broker of a test, as far as devices need one: takes everybody in, keeps what is
// retained, remembers what was said. A thread for each connection.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/tools/net/small_server.hpp"

namespace ota::sim::test {

class SmallBroker {
 public:
  struct Manners {
    bool speaks = true;  // else it accepts connections and says nothing
    int connack = 0;     // 0: welcome
    bool refuses_subscriptions = false;
    ServerTls tls;  // without a certificate: none
  };
  enum class Ended { kNo, kGoodbye, kClosed, kReset };
  struct Subscription {
    std::string topic;
    int qos = 0;

    bool operator==(const Subscription&) const = default;
  };
  // A connection, in the order of acceptance.
  struct Client {
    std::string id;
    std::string user;
    std::string password;
    std::string will_topic;
    std::string will;
    bool clean = false;
    std::vector<Subscription> subscriptions;
    Ended ended = Ended::kNo;
  };
  struct Said {
    std::size_t client = 0;  // its place in clients()
    std::string topic;
    std::string body;
    int qos = 0;
  };
  // Called for all that is said, on the connection's thread; may tell().
  using Listener = std::function<void(SmallBroker&, const Said&)>;

  // Listens on a free port of 127.0.0.1.
  explicit SmallBroker(Manners manners, Listener listener = {});
  SmallBroker(const SmallBroker&) = delete;
  SmallBroker& operator=(const SmallBroker&) = delete;
  ~SmallBroker();

  std::uint16_t port() const { return port_; }
  std::vector<Client> clients() const;
  std::vector<Said> said() const;

  // Tells whoever is subscribed; what is retained, whoever subscribes later, too. An empty body takes
  // it away.
  void tell(const std::string& topic, const std::string& body, bool retained = false);
  // Closes all connections.
  void hang_up();

 private:
  struct Line;
  void accept_all();
  void serve(Line& line);
  bool take(Line& line, unsigned char type, std::string_view packet);
  bool connect(Line& line, std::string_view packet);
  void subscribe(Line& line, std::string_view packet);
  void publish(Line& line, unsigned char type, std::string_view packet);

  const Manners manners_;
  const Listener listener_;
  SSL_CTX* tls_ = nullptr;
  int listener_fd_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Line>> lines_;
  std::vector<Client> clients_;
  std::vector<Said> said_;
  std::map<std::string, std::string> retained_;
  std::atomic<bool> stops_{false};
  std::thread thread_;
};

}  // namespace ota::sim::test
