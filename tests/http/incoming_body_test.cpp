// What the front door makes of bodies, in whatever form and however late they come.
#include "http/front_door.hpp"

#include <doctest/doctest.h>

#include <future>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/http/open_door.hpp"

using namespace ota::http;
using namespace std::chrono_literals;
using nlohmann::json;
using test::on_free_port;
using test::OpenDoor;
using test::RawClient;

TEST_CASE("small bodies are gathered whatever form they come in") {
  auto options = on_free_port();
  options.handler_threads = 1;
  OpenDoor open(options);
  std::vector<RawClient> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(open.connect());
    slow.back().send(
        i % 2 == 0
            ? "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWi"
            : "POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  }
  auto client = open.connect();
  CHECK(client.get("/x").status == 200);
  CHECK(open.door.counts().bodies == 0);
  slow[0].send("ki\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(slow[0].read().body == "POST /c Wiki");
  CHECK(slow[0].read().body == "GET /next ");
  CHECK(slow[1].read().status == 100);
  slow[1].send("body");
  CHECK(slow[1].read().body == "POST /e body");
  // Who has finished sending before the end is told so.
  slow[2].finish_sending();
  CHECK(slow[2].read().status == 400);
}

TEST_CASE("a body over the limit is refused without being read") {
  OpenDoor open;
  auto client = open.connect();
  client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\nbeginning");
  const auto answer = client.read();
  CHECK(answer.status == 413);
  CHECK(answer.header("connection") == "close");
  CHECK(json::parse(answer.body)["message"] ==
        "The request's body has 999999999 bytes, but at most 1048576 are taken here");
  client.finish_sending();
  CHECK(client.is_closed_silently());
}

TEST_CASE("a client that expects 100 is told to go on, or refused at once") {
  OpenDoor open;
  auto client = open.connect();
  client.send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.read().status == 100);
  client.send("body");
  CHECK(client.read().body == "PUT /x body");
  client.send(
      "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.read().status == 413);
}

TEST_CASE("chunked bodies are read, however they are cut") {
  OpenDoor open;
  const std::string request =
      "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4\r\nWiki\r\n6;name=value\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\n";
  auto client = open.connect();
  client.send(request + request);
  for (int i = 0; i < 2; ++i) CHECK(client.read().body == "POST /c Wikipedia in \r\n\r\nchunks.");
  for (const char byte : request) REQUIRE(client.send({&byte, 1}));
  CHECK(client.read().body == "POST /c Wikipedia in \r\n\r\nchunks.");

  for (const char* broken :
       {"x\r\n", "-4\r\nWiki\r\n", "4\r\nWikipedia", "4 4\r\nWiki\r\n0\r\n\r\n",
        "4;a\nb\r\nWiki\r\n0\r\n\r\n", "4\r\nWiki\r\n0\r\nX: y\nz\r\n\r\n", "FFFFFFFFFFFFFFFFF\r\n"}) {
    CAPTURE(broken);
    auto other = open.connect();
    other.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" +
               std::string(broken));
    other.finish_sending();
    CHECK(other.read().status == 400);
    CHECK(other.is_closed_silently());
  }
  auto large = open.connect();
  large.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" +
             std::string(1'100'000, 'x'));
  CHECK(large.read().status == 413);
  // Chunks that end, with their CR alone, where a read of 4,096 bytes does.
  auto many = open.connect();
  std::string chunks;
  for (int i = 0; i < 200; ++i) chunks += "ff8\r\n" + std::string(0xff8, 'x') + "\r\n";
  many.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks +
            "0\r\n\r\n");
  CHECK(many.read().body.size() == 200 * 0xff8 + 8);
}

TEST_CASE("a handler learns that an upload was cut off or is too slow") {
  std::promise<BodyOutcome> outcome;
  const auto drain = [&](RequestContext& context) {
    char bytes[4096];
    BodyRead read;
    do {
      read = context.body_stream().read(bytes, sizeof bytes);
    } while (read.outcome == BodyOutcome::kBytes);
    outcome.set_value(read.outcome);
    context.answer(body_problem(read.outcome));
  };
  SUBCASE("cut off") {
    OpenDoor open(on_free_port(), drain);
    auto client = open.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" +
                std::string(500'000, 'x'));
    client.close();
    CHECK(outcome.get_future().get() == BodyOutcome::kCutOff);
  }
  SUBCASE("too slow") {
    auto options = on_free_port();
    options.body_pace = {.grace = 50ms, .bytes_per_s_min = 1'000'000'000};
    OpenDoor open(options, drain);
    auto client = open.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nbeginning");
    CHECK(client.read().status == 408);
    CHECK(outcome.get_future().get() == BodyOutcome::kTooSlow);
  }
}

TEST_CASE("a body that no handler wanted does not become the next request") {
  OpenDoor open(on_free_port(),
                [](RequestContext& context) { context.answer_text(200, "ok", "text/plain"); });
  auto client = open.connect();
  client.request("POST", "/x", "", "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.read().status == 200);
  CHECK(client.get("/x").status == 200);
  CHECK(open.door.counts().requests == 2);
  client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  CHECK(client.read().header("connection") == "close");
}
