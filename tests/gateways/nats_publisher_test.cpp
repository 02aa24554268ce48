// The publisher against a real server: what goes out, and what a crash of either side does to it.
#include "gateways/nats/publisher.hpp"

#include <doctest/doctest.h>

#include "tests/gateways/nats_support.hpp"

using namespace ota;
using namespace ota::gateways::testing;
using gateways::nats::Cursor;
using gateways::nats::Publisher;
using gateways::nats::ReconnectLoop;

namespace {

// A log with a publisher behind it, which may die and come back.
class Teller {
 public:
  explicit Teller(const NatsServer& server) : server_(server) { begin(); }
  ~Teller() { end(); }
  Teller(const Teller&) = delete;
  Teller& operator=(const Teller&) = delete;

  // One campaign.created a call.
  void create(const std::string& name) {
    log_.commit({{campaign_id(++campaigns_), campaign_record(name), {}}});
  }
  void create(int from, int to) {
    for (int i = from; i <= to; ++i) create(std::to_string(i));
  }
  Publisher& publisher() { return *publisher_; }
  std::filesystem::path cursor() const { return log_.folder.path() / "bus"; }
  void end() {
    log_.journal.reset();
    publisher_.reset();
  }
  void begin() {
    publisher_ = std::make_unique<Publisher>(
        ReconnectLoop::Options{server_.url(), "publisher", std::chrono::milliseconds(5),
                               std::chrono::milliseconds(50)},
        cursor());
    log_.journal.reset();
    log_.journal = std::make_unique<eventstore::Journal>(
        log_.log, std::vector<eventstore::Tail*>{publisher_.get()}, eventstore::Journal::Options{});
    publisher_->start(*log_.log, *log_.subjects);
  }
  void wait_until_told() {
    wait_for([this] { return publisher_->status().cursor.value == log_.log->head().value; });
  }

 private:
  const NatsServer& server_;
  LogFixture log_;
  std::unique_ptr<Publisher> publisher_;
  std::uint8_t campaigns_ = 0;
};

std::vector<std::string> names(const std::vector<Seen>& messages) {
  std::vector<std::string> all;
  for (const auto& message : messages) all.push_back(message.envelope["data"]["name"]);
  return all;
}
std::vector<std::string> numbers(int from, int to) {
  std::vector<std::string> all;
  for (int i = from; i <= to; ++i) all.push_back(std::to_string(i));
  return all;
}

}  // namespace

TEST_CASE("the stream is created, and what is committed goes out with its id as Nats-Msg-Id") {
  const NatsServer server;
  Teller teller(server);
  teller.create("one");
  wait_for([&] { return teller.publisher().status().link.ready; });
  BusReader reader(server);
  const auto message = reader.next();
  CHECK(message.subject == "ota_service.campaign.created");
  CHECK(message.envelope["id"] == message.message_id);
  CHECK(message.envelope["data"]["name"] == "one");
  CHECK(message.envelope["metadata"]["position"] == 1);
  reader.check_no_more();

  teller.wait_until_told();
  const auto status = teller.publisher().status();
  CHECK(status.behind == 0);
  CHECK(status.published == 1);
  CHECK(status.link.last_error.empty());
}

TEST_CASE("the cursor's file follows the acknowledgements") {
  const NatsServer server;
  Teller teller(server);
  teller.create(1, 3);
  teller.wait_until_told();
  CHECK(Cursor(teller.cursor()).position() == domain::Position{3});
}

TEST_CASE("what is committed while the bus is down arrives in order, once, when it is back") {
  NatsServer server;
  Teller teller(server);
  teller.create(1, 5);
  teller.wait_until_told();
  server.kill();
  teller.create(6, 20);
  wait_for([&] { return !teller.publisher().status().link.last_error.empty(); });
  CHECK(teller.publisher().status().behind > 0);
  CHECK_FALSE(teller.publisher().status().link.ready);
  server.start();
  BusReader reader(server);
  CHECK(names(reader.next(20)) == numbers(1, 20));
  teller.wait_until_told();
  reader.check_no_more();
}

TEST_CASE("the bus may come up long after the service") {
  NatsServer server;
  server.kill();
  Teller teller(server);
  teller.create(1, 3);
  wait_for([&] { return !teller.publisher().status().link.last_error.empty(); });
  server.start();
  BusReader reader(server);
  CHECK(names(reader.next(3)) == numbers(1, 3));
}

TEST_CASE("a server that is killed again and again gets every message once") {
  NatsServer server;
  Teller teller(server);
  for (int round = 0; round < 5; ++round) {
    teller.create(round * 20 + 1, round * 20 + 10);
    server.kill();
    teller.create(round * 20 + 11, round * 20 + 20);
    server.start();
  }
  BusReader reader(server);
  CHECK(names(reader.next(100)) == numbers(1, 100));
  teller.wait_until_told();
  reader.check_no_more();
}

TEST_CASE("a publisher that starts again goes on where it was") {
  const NatsServer server;
  Teller teller(server);
  teller.create(1, 3);
  teller.wait_until_told();
  teller.end();
  teller.begin();
  teller.create(4, 6);
  BusReader reader(server);
  CHECK(names(reader.next(6)) == numbers(1, 6));
  teller.wait_until_told();
  CHECK(teller.publisher().status().published == 3);
  reader.check_no_more();
}

TEST_CASE("what was acknowledged before a crash, but not yet in the cursor, is not told twice") {
  const NatsServer server;
  Teller teller(server);
  teller.create(1, 10);
  teller.wait_until_told();
  teller.end();
  Cursor(teller.cursor()).move_to({4});
  teller.begin();
  teller.wait_until_told();
  // The stream's newest message says how far it was: nothing had to be sent to be dropped there.
  CHECK(teller.publisher().status().published == 0);
  teller.create("after");
  BusReader reader(server);
  CHECK(names(reader.next(10)) == numbers(1, 10));
  CHECK(names(reader.next(1)) == std::vector<std::string>{"after"});
  reader.check_no_more();
}

TEST_CASE(
    "a message sent twice is dropped by the server, also if the stream's newest is somebody "
    "else's") {
  const NatsServer server;
  Teller teller(server);
  teller.create(1, 10);
  teller.wait_until_told();
  teller.end();
  publish(server, "ota_service-stream", "ota_service.campaign.created",
          R"({"data": {"name": "other"}})");
  Cursor(teller.cursor()).move_to({0});
  teller.begin();
  teller.wait_until_told();
  CHECK(teller.publisher().status().published == 10);
  BusReader reader(server);
  CHECK(names(reader.next(10)) == numbers(1, 10));
  CHECK(names(reader.next(1)) == std::vector<std::string>{"other"});
  reader.check_no_more();
}

TEST_CASE("a stream that the bus has lost is created again") {
  NatsServer server;
  Teller teller(server);
  teller.create("one");
  teller.wait_until_told();
  server.kill();
  server.forget();
  server.start();
  teller.create("two");
  BusReader reader(server);
  CHECK(names(reader.next(1)) == std::vector<std::string>{"two"});
}

TEST_CASE("a log younger than the cursor, restored from a backup, is told of from its end") {
  const NatsServer server;
  Teller teller(server);
  teller.create(1, 2);
  teller.wait_until_told();
  teller.end();
  Cursor(teller.cursor()).move_to({1'000});
  teller.begin();
  CHECK(Cursor(teller.cursor()).position() == domain::Position{2});
  teller.create("new");
  BusReader reader(server);
  CHECK(names(reader.next(2)) == numbers(1, 2));
  CHECK(names(reader.next(1)) == std::vector<std::string>{"new"});
}

TEST_CASE("a publisher stops at once, connected or not") {
  NatsServer server;
  Teller connected(server);
  wait_for([&] { return connected.publisher().status().link.ready; });
  connected.publisher().stop();
  connected.publisher().stop();
  connected.create("told after the next start");
  CHECK(connected.publisher().status().behind == 1);
  server.kill();
  Teller alone(server);
  alone.publisher().stop();
}
