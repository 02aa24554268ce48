// What devices say, through a real nats-server, to whoever carries it out or cannot do so now.
#include "gateways/mqtt/inbox.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "gateways/mqtt/limits.hpp"
#include "tests/gateways/nats_support.hpp"

using namespace ota;
using namespace ota::gateways;
using namespace ota::gateways::testing;
using mqtt::Inbox;

namespace {

// Carries everything out but what one device says, until it is let.
class Hearer {
 public:
  explicit Hearer(std::string set_aside) : set_aside_(std::move(set_aside)) {}

  Inbox::Came hear(const domain::DeviceId& device, std::string_view body) {
    const std::lock_guard lock(mutex_);
    if (device.value == set_aside_) return Inbox::Came::kLater;
    heard_[device.value].emplace_back(body);
    return Inbox::Came::kDone;
  }
  void let_all() {
    const std::lock_guard lock(mutex_);
    set_aside_.clear();
  }
  std::size_t devices() const {
    const std::lock_guard lock(mutex_);
    return heard_.size();
  }
  std::vector<std::string> of(const std::string& device) const {
    const std::lock_guard lock(mutex_);
    const auto found = heard_.find(device);
    return found == heard_.end() ? std::vector<std::string>() : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::string set_aside_;
  std::map<std::string, std::vector<std::string>> heard_;
};

constexpr std::chrono::milliseconds kRetry{50};
nats::ReconnectLoop::Options options_of(const NatsServer& server) { return {server.url(), "devices", kRetry, kRetry, ""}; }
void start(Inbox& inbox, Hearer& hearer) {
  inbox.start([&](const domain::DeviceId& device, std::string_view body) { return hearer.hear(device, body); },
              [](const domain::DeviceId&, std::string_view) {});
}

// Many messages of one device, quickly: "1", "2", ...
void say_many(const NatsServer& server, const std::string& device, int count) {
  nats::Connection connection(server.url(), "device");
  for (int i = 1; i <= count; ++i) {
    nats::Message message;
    message.id = fmt::format("{} {}", device, i);
    message.subject = fmt::format("ota.DEFAULT.{}.up", device);
    message.body = std::to_string(i);
    connection.publish(mqtt::kStream, message);
  }
}

}  // namespace

TEST_CASE("whoever cannot be carried out now keeps nobody else waiting, and is carried out in order when that is over") {
  constexpr int kOthers = 64;  // more than there are lanes: some share one with it
  NatsServer server;
  const auto say = [&](const std::string& device, const std::string& body) {
    publish(server, mqtt::kStream, fmt::format("ota.DEFAULT.{}.up", device), body, device + body);
  };
  for (const auto* body : {"1", "2", "3"}) say("aside", body);
  for (int i = 0; i < kOthers; ++i) say(fmt::format("other-{}", i), "1");

  Hearer hearer("aside");
  // Just as much as it says: what comes again is not counted again.
  Inbox inbox(options_of(server), mqtt::Topics("DEFAULT"), {0, {0.001, 4}});
  start(inbox, hearer);
  wait_for([&] { return hearer.devices() == kOthers; });
  CHECK(hearer.of("aside").empty());
  say("aside", "4");
  hearer.let_all();
  wait_for([&] { return hearer.of("aside").size() == 4; });
  CHECK(hearer.of("aside") == std::vector<std::string>{"1", "2", "3", "4"});
  CHECK(inbox.status().refused == 0);
  say("aside", "5");
  wait_for([&] { return inbox.status().refused == 1; });
  CHECK(hearer.of("aside").size() == 4);
  inbox.stop();
}

TEST_CASE("however much cannot be carried out now, others are heard") {
  constexpr int kSaid = mqtt::limits::kStreamMessagesOfDevice;  // as much as is kept of one device
  NatsServer server;
  publish(server, mqtt::kStream, "ota.DEFAULT.aside.up", "0", "aside 0");
  say_many(server, "aside", kSaid - 1);
  Hearer hearer("aside");
  Inbox inbox(options_of(server), mqtt::Topics("DEFAULT"), {0, {0, 0}});
  start(inbox, hearer);
  wait_for([&] { return inbox.status().link.ready; });
  publish(server, mqtt::kStream, "ota.DEFAULT.other.up", "1", "other 1");
  wait_for([&] { return hearer.of("other").size() == 1; });
  CHECK(hearer.of("aside").empty());
  hearer.let_all();
  wait_for([&] { return hearer.of("aside").size() == kSaid; });
  inbox.stop();
}

// Not one message of the loud device is carried out before the quiet one was heard behind all of them.
TEST_CASE("a loud device keeps nobody waiting: what it says too much is refused, is not carried out, and is not kept") {
  constexpr int kSaid = 900;     // more than is ever in work, and less than is kept of one device
  constexpr std::uint64_t kWelcome = 5;
  NatsServer server;
  publish(server, mqtt::kStream, "ota.DEFAULT.loud.up", "0", "loud 0");
  say_many(server, "loud", kSaid - 1);
  publish(server, mqtt::kStream, "ota.DEFAULT.quiet.up", "1", "quiet 1");

  Hearer hearer("loud");
  std::atomic<int> told{0};
  Inbox inbox(options_of(server), mqtt::Topics("DEFAULT"), {0, {0.001, kWelcome}});
  inbox.start([&](const domain::DeviceId& device, std::string_view body) { return hearer.hear(device, body); },
              [&](const domain::DeviceId& device, std::string_view) {
                CHECK(device.value == "loud");
                ++told;
              });
  wait_for([&] { return hearer.of("quiet").size() == 1; });
  CHECK(hearer.of("loud").empty());
  CHECK(inbox.status().refused == kSaid - kWelcome);
  CHECK(told >= 1);
  hearer.let_all();
  wait_for([&] { return hearer.of("loud").size() == kWelcome; });
  CHECK(hearer.of("loud") == std::vector<std::string>{"0", "1", "2", "3", "4"});
  inbox.stop();

  // What was refused was acknowledged: it does not come again.
  publish(server, mqtt::kStream, "ota.DEFAULT.quiet.up", "2", "quiet 2");
  Inbox again(options_of(server), mqtt::Topics("DEFAULT"), {0, {}});
  start(again, hearer);
  wait_for([&] { return hearer.of("quiet").size() == 2; });
  again.stop();
  CHECK(hearer.of("loud").size() == kWelcome);
}

TEST_CASE("a loud device pushes out only what it said itself, also of a stream that had no such bound") {
  constexpr int kSaid = 1'010;
  constexpr std::size_t kKept = mqtt::limits::kStreamMessagesOfDevice;
  NatsServer server;
  publish(server, mqtt::kStream, "ota.DEFAULT.quiet.up", "1", "quiet 1");
  nats::Connection connection(server.url(), "test");
  CHECK(connection.messages_of_subject_max(mqtt::kStream) == 0);
  Hearer hearer("");
  {
    Inbox inbox(options_of(server), mqtt::Topics("DEFAULT"), {});
    start(inbox, hearer);
    wait_for([&] { return hearer.of("quiet").size() == 1; });
    inbox.stop();
  }
  CHECK(connection.messages_of_subject_max(mqtt::kStream) == mqtt::limits::kStreamMessagesOfDevice);
  // While the service is away.
  publish(server, mqtt::kStream, "ota.DEFAULT.quiet.up", "2", "quiet 2");
  say_many(server, "loud", kSaid);
  Inbox inbox(options_of(server), mqtt::Topics("DEFAULT"), {});
  start(inbox, hearer);
  wait_for([&] { return hearer.of("loud").size() == kKept; });
  inbox.stop();
  CHECK(hearer.of("loud").front() == std::to_string(kSaid - kKept + 1));
  CHECK(hearer.of("loud").back() == std::to_string(kSaid));
  CHECK(hearer.of("quiet") == std::vector<std::string>{"1", "2"});
}
