#include "http/front_door.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/http/open_door.hpp"

using namespace ota::http;
using namespace std::chrono_literals;
using nlohmann::json;
using test::echo;
using test::on_free_port;
using test::OpenDoor;

TEST_CASE("requests on one connection are answered one after the other") {
  OpenDoor open;
  auto client = open.connect();
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.get("/path" + std::to_string(i) + "?query");
    CHECK(answer.status == 200);
    CHECK(answer.body == "GET /path" + std::to_string(i) + " ");
    CHECK(answer.header("connection").empty());
    CHECK(answer.header("content-type") == "text/plain");
    CHECK(answer.header("x-request-id").size() == 32);
    CHECK(answer.header("date").ends_with(" GMT"));
  }
  client.request("POST", "/p", "", "a body");
  CHECK(client.read().body == "POST /p a body");
  CHECK(open.door.counts().requests == 4);
  CHECK(open.door.counts().door.accepted == 1);
}

TEST_CASE("requests that are sent ahead are answered in order") {
  OpenDoor open;
  auto client = open.connect();
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    requests +=
        "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc\r\n";
  }
  client.send(requests + "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  for (int i = 0; i < 100; ++i)
    REQUIRE(client.read().body == "POST /" + std::to_string(i) + " abc");
  const auto last = client.read();
  CHECK(last.body == "GET /last ");
  CHECK(last.header("connection") == "close");
  CHECK(client.is_closed_silently());
}

TEST_CASE("a request may come byte by byte") {
  OpenDoor open;
  auto client = open.connect();
  const std::string request = "\r\nPOST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";
  for (const char byte : request + request) REQUIRE(client.send({&byte, 1}));
  CHECK(client.read().body == "POST /slow body");
  CHECK(client.read().body == "POST /slow body");
}

TEST_CASE("HEAD has no body, and old or closing clients are closed on") {
  OpenDoor open;
  auto client = open.connect();
  client.request("HEAD", "/x");
  const auto head = client.read(true);
  CHECK(head.header("content-length") == "8");
  CHECK(client.get("/after").status == 200);

  auto closing = open.connect();
  CHECK(closing.get("/x", "Connection: close\r\n").header("connection") == "close");
  CHECK(closing.is_closed_silently());

  auto old = open.connect();
  old.send("GET /x HTTP/1.0\r\n\r\n");
  CHECK(old.read().status == 200);
  CHECK(old.is_closed_silently());

  auto old_but_staying = open.connect();
  old_but_staying.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(old_but_staying.read().header("connection") == "keep-alive");
  old_but_staying.send("GET /x HTTP/1.0\r\n\r\n");
  CHECK(old_but_staying.read().status == 200);
}

TEST_CASE("a client that has finished sending still gets its answer") {
  OpenDoor open;
  auto client = open.connect();
  client.request("GET", "/x");
  client.finish_sending();
  CHECK(client.read().status == 200);
  CHECK(client.is_closed_silently());
}

TEST_CASE("what is no HTTP request is refused in the one shape, and the connection ends") {
  OpenDoor open;
  const auto refused = [&](const std::string& bytes) {
    auto client = open.connect();
    client.send(bytes);
    const auto answer = client.read();
    CHECK(answer.header("content-type") == "application/json");
    CHECK(json::parse(answer.body)["status_code"] == answer.status);
    CHECK(client.is_closed_silently());
    return answer.status;
  };
  CHECK(refused("nonsense\r\n\r\n") == 400);
  CHECK(refused("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(refused("BREW / HTTP/1.1\r\nHost: h\r\n\r\n") == 501);
  CHECK(refused("GET / HTTP/3.0\r\nHost: h\r\n\r\n") == 505);
  CHECK(refused("GET /" + std::string(9'000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n") == 414);
  CHECK(refused("GET / HTTP/1.1\r\nX: " + std::string(17'000, 'x')) == 431);
  CHECK(refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: "
                "chunked\r\n\r\n") == 400);
  // At once, not when its time is over.
  CHECK(refused("\x16\x03\x01") == 400);
  CHECK(refused("GET / HTTP/1.1\n") == 400);
  CHECK(refused("GET /" + std::string(20'000, 'x')) == 414);
  CHECK(open.door.counts().door.malformed == 10);
  // Behind a good request too.
  auto client = open.connect();
  client.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\n");
  CHECK(client.read().status == 200);
  CHECK(client.read().status == 400);
}

TEST_CASE("header values arrive as they were sent, and a Range is left to the handler") {
  OpenDoor open(on_free_port(), [](RequestContext& context) {
    context.answer_text(200,
                        std::string(context.header("X-Value").value_or("")) + "|" +
                            std::string(context.header("Range").value_or("")),
                        "application/json");
  });
  auto client = open.connect();
  const auto answer = client.get(
      "/x", "X-Value: 100%41 %0d%0a\r\nRange: bytes=0-0\r\nAccept-Encoding: br, gzip\r\n");
  CHECK(answer.status == 200);
  CHECK(answer.body == "100%41 %0d%0a|bytes=0-0");
  CHECK(answer.header("content-encoding").empty());
  CHECK(client.get("/x", "Range: " + std::string(10'000, '1') + "\r\n").status == 200);
}

TEST_CASE("a handler that throws is answered 500 in the one shape") {
  OpenDoor open(on_free_port(), [](RequestContext& context) {
    if (context.path() == "/bad") throw std::runtime_error("secret");
    context.answer_empty(204);
  });
  auto client = open.connect();
  const auto answer = client.get("/bad");
  CHECK(answer.status == 500);
  CHECK(json::parse(answer.body)["error"] == "InternalError");
  const auto empty = client.get("/good");
  CHECK(empty.status == 204);
  CHECK(empty.headers.count("content-length") == 0);
}

TEST_CASE("answers without a known length are sent as they come") {
  OpenDoor open(on_free_port(), [](RequestContext& context) {
    context.response().status = 200;
    context.response().set_chunked_content_provider(
        "text/event-stream", [](std::size_t, httplib::DataSink& sink) {
          const std::string event = "data: 1\n\n";
          if (!sink.is_writable() || !sink.write(event.data(), event.size())) return false;
          sink.done();
          return true;
        });
  });
  auto client = open.connect();
  client.request("GET", "/events", "Connection: close\r\n");
  const std::string all = client.read_to_end();
  CHECK(all.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(all.ends_with("\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n"));
}

TEST_CASE("stopping ends idle connections at once and lets running requests end") {
  std::promise<void> entered;
  std::promise<void> may_go_on;
  auto open = std::make_unique<OpenDoor>(on_free_port(), [&](RequestContext& context) {
    if (context.path() == "/slow") {
      entered.set_value();
      may_go_on.get_future().wait();
    }
    context.answer_text(200, "done", "text/plain");
  });
  auto idle = open->connect();
  CHECK(idle.get("/x").status == 200);
  auto halfway = open->connect();
  halfway.send("GET / HT");
  auto busy = open->connect();
  busy.request("GET", "/slow");
  entered.get_future().wait();

  std::thread stopping([&] { open->door.stop(); });
  CHECK(idle.is_closed_silently());
  halfway.read_to_end();
  may_go_on.set_value();
  const auto answer = busy.read();
  CHECK(answer.body == "done");
  CHECK(answer.header("connection") == "close");
  busy.close();
  stopping.join();
  CHECK_THROWS(open->connect());
  open->door.stop();
}

TEST_CASE("stopping cuts off what does not end in time") {
  auto options = on_free_port();
  options.stop_timeout = 50ms;
  std::promise<void> entered;
  OpenDoor open(options, [&](RequestContext& context) {
    entered.set_value();
    echo(context);
  });
  auto client = open.connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nbeginning");
  entered.get_future().wait();
  open.door.stop();
  client.read_to_end();
}

TEST_CASE("many clients at once are all answered, each with its own") {
  auto options = on_free_port();
  options.handler_threads = 16;
  options.body_places = 16;
  OpenDoor open(options);
  std::vector<std::thread> clients;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&, i] {
      auto client = open.connect();
      for (int n = 0; n < 200; ++n) {
        const std::string body =
            std::to_string(i * 1000 + n) + std::string(static_cast<std::size_t>(n * 700), 'x');
        client.request("POST", "/p", "", body);
        if (client.read().body != "POST /p " + body) ++wrong;
      }
    });
  }
  for (auto& client : clients) client.join();
  CHECK(wrong == 0);
  CHECK(open.door.counts().requests == 3200);
}

TEST_CASE("a port that is taken is an error that names it") {
  OpenDoor open;
  auto options = on_free_port();
  options.port = open.door.port();
  FrontDoor second(options, echo);
  const std::string expected = "Cannot listen on 127.0.0.1 port " + std::to_string(options.port) +
                               ": Address already in use";
  CHECK_THROWS_WITH_AS(second.start(), expected.c_str(), std::runtime_error);
  options.address = "not an address";
  FrontDoor third(options, echo);
  CHECK_THROWS_AS(third.start(), std::runtime_error);
}
