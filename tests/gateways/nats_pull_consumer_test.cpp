// Many messages at a time, from a real nats-server.
#include "gateways/nats/pull_consumer.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/gateways/nats_support.hpp"

using namespace ota;
using namespace ota::gateways;
using namespace ota::gateways::testing;

// With little patience some of what is asked for comes late, among what is asked for next: there the library can overrun its list.
TEST_CASE("messages that come later than they are waited for are in the next ones, each once and in order") {
  constexpr std::uint64_t kMessages = 3'000;
  constexpr std::size_t kAtOnce = 128;
  NatsServer server;
  nats::Connection connection(server.url(), "test");
  connection.create_stream_if_missing("many", "many.>");
  for (std::uint64_t i = 1; i <= kMessages; ++i) {
    nats::Message message;
    message.id = fmt::format("id-{}", i);
    message.subject = "many.words";
    message.body = std::to_string(i);
    connection.publish("many", message);
  }
  nats::PullConsumer consumer(connection, "many", "reader", "many.>");
  std::vector<nats::Delivery> taken;
  const auto take = [&](nats::Delivery& delivery) {
    delivery.acknowledge_soon();
    taken.push_back(std::move(delivery));
  };
  wait_for([&] {
    if (auto first = consumer.next(std::chrono::milliseconds(100))) take(*first);
    for (auto& delivery : consumer.next(kAtOnce, std::chrono::milliseconds(1))) take(delivery);
    return taken.size() >= kMessages;
  });
  REQUIRE(taken.size() == kMessages);
  for (std::uint64_t i = 1; i <= kMessages; ++i) {
    CHECK(taken[i - 1].sequence() == i);
    CHECK(taken[i - 1].body() == std::to_string(i));
    CHECK_FALSE(taken[i - 1].came_before());
  }
  CHECK_FALSE(consumer.next(std::chrono::milliseconds(1)).has_value());
}
