#include "gateways/mqtt/outbox.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace ota::gateways::mqtt;

namespace {

Letter command(const std::string& topic, const std::string& body) { return {topic, body, Letter::Kind::kCommand}; }
Letter reminder(const std::string& topic, const std::string& body) { return {topic, body, Letter::Kind::kReminder}; }
Letter reply(const std::string& body) { return {"reply", body}; }

// Sends what may be sent, numbered from `number` on; "topic body" of each.
std::vector<std::string> send(Outbox& outbox, int number = 1) {
  std::vector<std::string> sent;
  while (const auto* letter = outbox.next()) {
    sent.push_back(letter->topic + " " + letter->body);
    outbox.sent(number++);
  }
  return sent;
}
using Lines = std::vector<std::string>;
constexpr std::size_t kEnough = 1'000;  // bytes of answers

}  // namespace

TEST_CASE("of the commands that wait on one topic only the newest is sent") {
  Outbox outbox(10, 10, kEnough);
  outbox.post(command("a", "1"));
  outbox.post(command("b", "1"));
  outbox.post(command("a", "2"));
  CHECK(outbox.waiting() == 2);
  CHECK(send(outbox) == Lines{"a 2", "b 1"});
  outbox.post(command("a", "3"));  // the one before is under way: this one goes behind it
  CHECK(send(outbox, 5) == Lines{"a 3"});
}

TEST_CASE("answers keep their order and take turns with commands") {
  Outbox outbox(10, 10, kEnough);
  for (const auto* body : {"1", "2", "3"}) outbox.post(reply(body));
  outbox.post(command("a", "x"));
  outbox.post(command("b", "x"));
  CHECK(send(outbox) == Lines{"reply 1", "a x", "reply 2", "b x", "reply 3"});
}

TEST_CASE("no more is under way than may be, of what is acknowledged") {
  Outbox outbox(2, 10, kEnough);
  for (const auto* topic : {"a", "b", "c"}) outbox.post(command(topic, "x"));
  CHECK(send(outbox) == Lines{"a x", "b x"});
  CHECK(outbox.acknowledged(2));
  CHECK(send(outbox, 3) == Lines{"c x"});
  CHECK(outbox.in_flight() == 2);
}

TEST_CASE("an answer that was sent is done with") {
  Outbox outbox(1, 10, kEnough);
  for (const auto* body : {"1", "2", "3"}) outbox.post(reply(body));
  CHECK(send(outbox) == Lines{"reply 1", "reply 2", "reply 3"});
  CHECK(outbox.in_flight() == 0);
  CHECK_FALSE(outbox.acknowledged(1));
  outbox.connection_lost();
  CHECK(send(outbox).empty());
}

TEST_CASE("a command that was not acknowledged is sent again, before what came later") {
  Outbox outbox(10, 10, kEnough);
  outbox.post(command("gone", "1"));
  outbox.post(command("a", "old"));
  outbox.post(command("b", "only"));
  CHECK(send(outbox).size() == 3);
  CHECK(outbox.acknowledged(1));
  outbox.post(command("a", "new"));
  outbox.connection_lost();
  CHECK(outbox.in_flight() == 0);
  CHECK_FALSE(outbox.acknowledged(2));  // of the connection before
  CHECK(send(outbox) == Lines{"b only", "a new"});
}

TEST_CASE("a reminder goes where nothing else does on its topic, and is done with") {
  Outbox outbox(1, 10, kEnough);
  outbox.post(command("a", "1"));
  outbox.post(reminder("a", "1"));
  outbox.post(reminder("b", "old"));
  outbox.post(command("b", "new"));
  CHECK(send(outbox) == Lines{"a 1"});
  CHECK(outbox.acknowledged(1));
  CHECK(send(outbox) == Lines{"b new"});
  CHECK(outbox.acknowledged(1));
  outbox.post(reminder("b", "new"));
  outbox.post(reminder("b", "new"));
  CHECK(send(outbox) == Lines{"b new"});
  CHECK(outbox.in_flight() == 0);
}

TEST_CASE("a command that is to be sent again takes the place of its reminder") {
  Outbox outbox(10, 10, kEnough);
  outbox.post(command("a", "1"));
  send(outbox);
  outbox.post(reminder("a", "1"));
  outbox.connection_lost();
  CHECK(outbox.waiting() == 1);
  CHECK(send(outbox, 2) == Lines{"a 1"});
  CHECK(outbox.acknowledged(2));
}

TEST_CASE("of two commands under way on one topic the newer one is sent again") {
  Outbox outbox(10, 10, kEnough);
  outbox.post(command("a", "1"));
  send(outbox, 1);
  outbox.post(command("a", "2"));
  send(outbox, 2);
  outbox.connection_lost();
  CHECK(send(outbox) == Lines{"a 2"});
}

TEST_CASE("answers beyond the limit push the oldest out, and are counted; commands never") {
  Outbox outbox(10, 2, kEnough);
  for (const auto* body : {"1", "2", "3"}) outbox.post(reply(body));
  for (const auto* topic : {"a", "b", "c"}) outbox.post(command(topic, "x"));
  CHECK(outbox.dropped() == 1);
  CHECK(send(outbox) == Lines{"reply 2", "a x", "reply 3", "b x", "c x"});
}

TEST_CASE("nor do answers take more bytes than they may, however few they are") {
  Outbox outbox(10, 10, 5);
  for (const auto* body : {"111", "22", "3"}) outbox.post(reply(body));
  CHECK(outbox.dropped() == 1);
  CHECK(send(outbox) == Lines{"reply 22", "reply 3"});
  outbox.post(reply("4444444"));  // the last one may be as long as it is
  outbox.post(reply("55"));
  CHECK(outbox.dropped() == 2);
  CHECK(send(outbox) == Lines{"reply 55"});
}
