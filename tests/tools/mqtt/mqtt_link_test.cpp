// tools/otasim/mqtt: a device's connection to the broker, and how it may end.
#include "tools/otasim/mqtt/mqtt_link.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>

#include "tests/tools/mqtt/small_broker.hpp"
#include "tests/tools/net/test_certificates.hpp"

using namespace ota::sim;
using namespace ota::sim::test;
using namespace std::chrono_literals;

namespace {

MqttSettings settings_for(std::uint16_t port) {
  MqttSettings settings;
  settings.broker = {false, "127.0.0.1", port};
  settings.timeout = 10s;
  return settings;
}

const MqttIdentity kPump{
    "pump%207",          "pump%207",          "secret",
    "ota/T/pump%207/up", R"({"type":"bye"})", {{"ota/T/pump%207/reply", 0}, {"ota/T/pump%207/down", 1}}};

// One device's side, on a loop of its own.
class LinkStage : public MqttLinkOwner {
 public:
  explicit LinkStage(MqttSettings settings) : network_(loop_, std::move(settings)) { connect(); }
  ~LinkStage() override { link.reset(); }

  void connect() { link = std::make_unique<MqttLink>(network_, *this, kPump); }

  // Turns until the condition holds.
  bool turn_until(const std::function<bool()>& condition) {
    const auto deadline = EventLoop::now() + 20s;
    TimerTicket look;
    std::function<void()> again = [&] {
      if (condition() || EventLoop::now() > deadline) return loop_.stop();
      look = loop_.timers().at(EventLoop::now() + 1ms, again);
    };
    again();
    if (!condition()) loop_.run(network_);
    return condition();
  }
  bool comes_up() {
    return turn_until([this] { return ups > 0; });
  }
  std::string why_down() {
    turn_until([this] { return !downs.empty(); });
    return downs.empty() ? "it is not" : downs.back();
  }

  void link_up() override { ++ups; }
  void link_heard(std::vector<MqttMessage> messages) override {
    for (auto& message : messages) heard.push_back(std::move(message));
    if (on_heard) on_heard();
  }
  void link_down(const std::string& why) override {
    downs.push_back(why);
    link.reset();
  }

  EventLoop& loop() { return loop_; }

  int ups = 0;
  std::vector<std::string> downs;
  std::vector<MqttMessage> heard;
  std::function<void()> on_heard;
  std::unique_ptr<MqttLink> link;

 private:
  EventLoop loop_;
  MqttNetwork network_;
};

SmallBroker::Ended ended(const SmallBroker& broker) { return broker.clients().at(0).ended; }

std::size_t open_files() {
  std::size_t count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

}  // namespace

TEST_CASE(
    "a device connects with its user, a session that stays and a last will, and is subscribed") {
  SmallBroker broker{{}};
  broker.tell("ota/T/pump%207/down", "what stands there", true);
  LinkStage stage{settings_for(broker.port())};
  REQUIRE(stage.comes_up());
  REQUIRE(stage.turn_until([&] { return !stage.heard.empty(); }));
  const auto client = broker.clients().at(0);
  CHECK(client.id == "pump%207");
  CHECK(client.user == "pump%207");
  CHECK(client.password == "secret");
  CHECK_FALSE(client.clean);
  CHECK(client.will_topic == "ota/T/pump%207/up");
  CHECK(client.will == R"({"type":"bye"})");
  const std::vector<SmallBroker::Subscription> wanted{{"ota/T/pump%207/reply", 0}, {"ota/T/pump%207/down", 1}};
  CHECK(client.subscriptions == wanted);
  CHECK(stage.heard[0].topic == "ota/T/pump%207/down");
  CHECK(stage.heard[0].body == "what stands there");
}

TEST_CASE("what is published arrives in order, with QoS 1 and acknowledged, or with QoS 0") {
  SmallBroker broker{{}};
  MqttSettings settings = settings_for(broker.port());
  SUBCASE("1") {}
  SUBCASE("0") { settings.publish_qos = 0; }
  LinkStage stage{settings};
  REQUIRE(stage.comes_up());
  constexpr std::size_t kMany = 300;  // more than the library has under way at a time
  const std::string large(10'000, 'x');
  for (std::size_t i = 0; i < kMany; ++i) stage.link->publish("t", std::to_string(i) + large);
  REQUIRE(stage.turn_until([&] { return stage.link->acknowledged() == kMany; }));
  REQUIRE(stage.turn_until([&] { return broker.said().size() == kMany; }));
  const auto said = broker.said();
  for (std::size_t i = 0; i < kMany; ++i) {
    CHECK(said[i].body == std::to_string(i) + large);
    CHECK(said[i].qos == settings.publish_qos);
  }
}

TEST_CASE("all that is told at once is heard, also an empty message") {
  SmallBroker broker{{}};
  LinkStage stage{settings_for(broker.port())};
  REQUIRE(stage.comes_up());
  constexpr std::size_t kMany = 500;
  for (std::size_t i = 0; i < kMany; ++i)
    broker.tell("ota/T/pump%207/reply", i % 2 == 0 ? std::to_string(i) : "");
  REQUIRE(stage.turn_until([&] { return stage.heard.size() == kMany; }));
  for (std::size_t i = 0; i < kMany; ++i)
    CHECK(stage.heard[i].body == (i % 2 == 0 ? std::to_string(i) : ""));
}

TEST_CASE("a link may be destroyed by whoever it tells something") {
  SmallBroker broker{{}};
  LinkStage stage{settings_for(broker.port())};
  REQUIRE(stage.comes_up());
  stage.on_heard = [&] { stage.link.reset(); };
  broker.tell("ota/T/pump%207/down", "go away");
  REQUIRE(stage.turn_until([&] { return ended(broker) != SmallBroker::Ended::kNo; }));
  CHECK(stage.heard.size() == 1);
  CHECK(stage.downs.empty());
}

TEST_CASE("each way to end a connection is seen as such on the other side") {
  using Farewell = MqttLink::Farewell;
  using Ended = SmallBroker::Ended;
  const std::pair<Farewell, Ended> ways[] = {{Farewell::kDisconnect, Ended::kGoodbye},
                                             {Farewell::kClose, Ended::kClosed},
                                             {Farewell::kReset, Ended::kReset}};
  for (const auto& [how, seen] : ways) {
    SmallBroker broker{{}};
    LinkStage stage{settings_for(broker.port())};
    REQUIRE(stage.comes_up());
    stage.link->farewell(how);
    stage.link.reset();
    CHECK(stage.turn_until([&] { return ended(broker) == seen; }));
  }
}

TEST_CASE(
    "of a connection that is forgotten the other side hears nothing, until there are too many") {
  SmallBroker broker{{}};
  MqttSettings settings = settings_for(broker.port());
  settings.half_open_max = 1;
  LinkStage stage{settings};
  const auto forget = [&](int number) {
    REQUIRE(stage.turn_until([&] { return stage.ups == number; }));
    stage.link->farewell(MqttLink::Farewell::kForget);
    stage.connect();
  };
  forget(1);
  REQUIRE(stage.turn_until([&] { return stage.ups == 2; }));
  CHECK(ended(broker) == SmallBroker::Ended::kNo);
  forget(2);
  CHECK(stage.turn_until([&] { return ended(broker) == SmallBroker::Ended::kClosed; }));
  CHECK(broker.clients().at(1).ended == SmallBroker::Ended::kNo);
}

TEST_CASE("a deaf link neither says nor hears anything, until it hears again") {
  SmallBroker broker{{}};
  LinkStage stage{settings_for(broker.port())};
  REQUIRE(stage.comes_up());
  stage.link->go_deaf();
  stage.link->publish("t", "held up");
  broker.tell("ota/T/pump%207/reply", "later");
  TimerTicket again = stage.loop().timers().at(EventLoop::now() + 30ms, [&] {
    CHECK(broker.said().empty());
    CHECK(stage.heard.empty());
    stage.link->hear_again();
    stage.link->publish("t", "said");
  });
  REQUIRE(stage.turn_until([&] { return broker.said().size() == 2 && !stage.heard.empty(); }));
  CHECK(broker.said().front().body == "held up");
  CHECK(stage.heard.front().body == "later");
}

TEST_CASE("why there is no connection is told once, from the loop") {
  SUBCASE("nobody listens") {
    std::uint16_t port = 0;
    {
      SmallBroker gone{{}};
      port = gone.port();
    }
    MqttSettings settings = settings_for(port);
    SUBCASE("in the clear") {}
    SUBCASE("over TLS") {
      settings.broker.tls = true;
      settings.insecure = true;
    }
    LinkStage stage{settings};
    CHECK(stage.downs.empty());
    const auto why = stage.why_down();
    const bool told = why == "Connection refused" || (settings.broker.tls && why.find("nobody listens") == 0);
    CHECK_MESSAGE(told, why);
  }
  SUBCASE("the broker takes nobody in") {
    SmallBroker::Manners manners;
    manners.connack = 5;
    SmallBroker broker{manners};
    LinkStage stage{settings_for(broker.port())};
    CHECK(stage.why_down() == "Connection Refused: not authorised.");
    CHECK(stage.ups == 0);
  }
  SUBCASE("a subscription is refused") {
    SmallBroker::Manners manners;
    manners.refuses_subscriptions = true;
    SmallBroker broker{manners};
    LinkStage stage{settings_for(broker.port())};
    CHECK(stage.why_down() == "a subscription is refused");
    CHECK(stage.ups == 0);
  }
  SUBCASE("the broker says nothing") {
    SmallBroker::Manners manners;
    manners.speaks = false;
    SmallBroker broker{manners};
    MqttSettings settings = settings_for(broker.port());
    settings.timeout = 50ms;
    LinkStage stage{settings};
    CHECK(stage.why_down() == "the broker does not answer");
  }
  SUBCASE("the broker ends it") {
    SmallBroker broker{{}};
    LinkStage stage{settings_for(broker.port())};
    REQUIRE(stage.comes_up());
    broker.hang_up();
    CHECK(stage.why_down() == "The connection was lost.");
    CHECK(stage.downs.size() == 1);
  }
}

TEST_CASE(
    "over TLS a device speaks to the broker that its authority vouches for, and to no other") {
  const TestDirectory directory;
  const TestAuthority authority{"authority"};
  const TestAuthority stranger{"stranger"};
  SmallBroker::Manners manners;
  manners.tls.certificate_and_key = authority.issue("broker", "IP:127.0.0.1,DNS:localhost");
  SmallBroker broker{manners, [](SmallBroker& self, const SmallBroker::Said& said) {
                       self.tell("ota/T/pump%207/reply", "to " + said.body);
                     }};
  MqttSettings settings = settings_for(broker.port());
  settings.broker.tls = true;
  settings.ca_file = directory.write("ca.pem", authority.certificate());
  for (const char* host : {"127.0.0.1", "localhost"}) {
    settings.broker.host = host;
    LinkStage stage{settings};
    REQUIRE(stage.comes_up());
    for (int i = 0; i < 50; ++i) stage.link->publish("t", "something");
    REQUIRE(stage.turn_until([&] { return stage.heard.size() == 50; }));
    CHECK(stage.heard.front().body == "to something");
  }
  settings.ca_file = directory.write("other.pem", stranger.certificate());
  CHECK(LinkStage{settings}.why_down() == "A TLS error occurred.");
  settings.insecure = true;
  CHECK(LinkStage{settings}.comes_up());

  SmallBroker::Manners elsewhere;
  elsewhere.tls.certificate_and_key = authority.issue("broker", "DNS:elsewhere.example");
  SmallBroker impostor{elsewhere};
  MqttSettings wrong = settings_for(impostor.port());
  wrong.broker.tls = true;
  wrong.ca_file = directory.write("ca.pem", authority.certificate());
  CHECK(LinkStage{wrong}.why_down() == "A TLS error occurred.");
}

// A connection that is not accepted at once, as over a network it never is: the handshake begins
// when TCP is there.
TEST_CASE("a broker that is far away is reached over TLS") {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* where = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(listener, where, size) == 0);
  REQUIRE(::listen(listener, 0) == 0);  // room for one
  REQUIRE(::getsockname(listener, where, &size) == 0);
  REQUIRE(::connect(filler, where, size) == 0);

  const TestDirectory directory;
  const TestAuthority authority{"authority"};
  MqttSettings settings = settings_for(ntohs(address.sin_port));
  settings.broker.tls = true;
  settings.ca_file = directory.write("ca.pem", authority.certificate());
  LinkStage stage{settings};
  ::close(::accept(listener, nullptr, nullptr));
  int line = -1;
  char first = 0;
  const auto speaks = [&] {
    pollfd knocks{listener, POLLIN, 0};
    if (line < 0 && ::poll(&knocks, 1, 0) == 1) line = ::accept(listener, nullptr, nullptr);
    return first != 0 || (line >= 0 && ::recv(line, &first, 1, MSG_DONTWAIT) == 1);
  };
  CHECK(stage.turn_until(speaks));
  CHECK(first == 0x16);  // a handshake of TLS
  for (const int fd : {listener, filler, line}) ::close(fd);
}

TEST_CASE("a device's connection is one open file") {
  SmallBroker::Manners manners;
  manners.speaks = false;
  SmallBroker broker{manners};
  const auto before = open_files();
  LinkStage stage{settings_for(broker.port())};
  REQUIRE(stage.turn_until([&] { return broker.clients().size() == 1; }));
  constexpr std::size_t kLoop = 2;      // epoll, signals
  constexpr std::size_t kBothEnds = 2;  // of the connection
  CHECK(open_files() - before == kLoop + kBothEnds);
}
