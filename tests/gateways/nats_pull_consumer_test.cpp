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

TEST_CASE("where the server answers no request for messages, the consumer is created anew from the first that is not acknowledged") {
  constexpr auto kBriefly = std::chrono::milliseconds(30);
  // What one of them asks for never reaches the consumer.
  NatsServer server(R"({user: all, password: a}, {user: deaf, password: a, permissions: {publish: {deny: "$JS.API.CONSUMER.MSG.NEXT.>"}}},
                       {user: barred, password: a, permissions: {publish: {deny: ["$JS.API.CONSUMER.MSG.NEXT.>", "$JS.API.CONSUMER.DURABLE.CREATE.many.reader"]}}})");
  const auto url_of = [&](const std::string& user) { return fmt::format("nats://{}:a@{}", user, server.url().substr(7)); };
  nats::Connection connection(url_of("all"), "test");
  connection.create_stream_if_missing("many", "many.>");
  const auto publish_one = [&](int number) {
    nats::Message message;
    message.id = std::to_string(number);
    message.subject = "many.words";
    connection.publish("many", message);
  };
  for (int i = 1; i <= 3; ++i) publish_one(i);
  const auto next = [](nats::PullConsumer& consumer) {
    std::vector<nats::Delivery> taken;
    wait_for([&] {
      if (auto delivery = consumer.next(std::chrono::milliseconds(100))) taken.push_back(std::move(*delivery));
      return !taken.empty();
    });
    return std::move(taken.front());
  };
  {
    nats::PullConsumer consumer(connection, "many", "reader", "many.>", std::chrono::milliseconds(2'000));
    next(consumer).acknowledge();
    CHECK(next(consumer).sequence() == 2);
    // A server that has nothing says so, and that is no silence.
    CHECK(next(consumer).sequence() == 3);
    for (int i = 0; i < 10; ++i) CHECK_FALSE(consumer.next(std::chrono::milliseconds(250)).has_value());
  }
  nats::Connection deaf(url_of("deaf"), "deaf");
  std::string said;
  {
    nats::PullConsumer consumer(deaf, "many", "reader", "many.>", std::chrono::milliseconds(100));
    wait_for([&] {
      try {
        return consumer.next(kBriefly).has_value();
      } catch (const nats::BusError& error) {
        said = error.what();
        return true;
      }
    });
  }
  CHECK(said.find("consumer reader of stream many was created anew, from message 2 on") != said.npos);
  {
    nats::PullConsumer consumer(connection, "many", "reader", "many.>");
    for (const std::uint64_t sequence : {2, 3}) {
      auto delivery = next(consumer);
      CHECK(delivery.sequence() == sequence);
      CHECK_FALSE(delivery.came_before());  // it is another consumer
      delivery.acknowledge();
    }
  }
  // One that could not be created, behind the one that was deleted, begins there as well.
  nats::Connection barred(url_of("barred"), "barred");
  std::uint64_t first = 0;
  CHECK_THROWS_AS(
      [&] {
        nats::PullConsumer consumer(barred, "many", "reader", "many.>", std::chrono::milliseconds(100), &first);
        for (;;) consumer.next(kBriefly);
      }(),
      nats::BusError);
  CHECK(first == 4);
  nats::PullConsumer consumer(connection, "many", "reader", "many.>", nats::limits::kSilence, &first);
  CHECK_FALSE(consumer.next(kBriefly).has_value());
  CHECK(first == 0);
  publish_one(4);
  CHECK(next(consumer).sequence() == 4);
  // A stream that does not reach as far is another one: none of it is passed over.
  first = 50;
  nats::PullConsumer of_another(connection, "many", "another", "many.>", nats::limits::kSilence, &first);
  CHECK(next(of_another).sequence() == 1);
}
