// What devices say, through a real nats-server, to whoever carries it out or cannot do so now.
#include "gateways/mqtt/inbox.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

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
  Inbox inbox({server.url(), "devices", std::chrono::milliseconds(50), std::chrono::milliseconds(50), ""}, mqtt::Topics("DEFAULT"), 0);
  inbox.start([&](const domain::DeviceId& device, std::string_view body) { return hearer.hear(device, body); });
  wait_for([&] { return hearer.devices() == kOthers; });
  CHECK(hearer.of("aside").empty());
  say("aside", "4");
  hearer.let_all();
  wait_for([&] { return hearer.of("aside").size() == 4; });
  CHECK(hearer.of("aside") == std::vector<std::string>{"1", "2", "3", "4"});
  inbox.stop();
}
