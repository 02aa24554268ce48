// Many connections, and such as send or read slowly or not at all: nobody else waits for them.
#include "http/front_door.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <future>
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
using test::RawClient;

namespace {

int threads_of_this_process() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Threads:")) return std::atoi(line.c_str() + 8);
  }
  return -1;
}

}  // namespace

TEST_CASE("a thousand idle connections cost no threads and disturb nobody") {
  OpenDoor open;
  const int threads = threads_of_this_process();
  std::vector<RawClient> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.push_back(open.connect());
    if (i % 2 == 0) CHECK(idle.back().get("/x").status == 200);
  }
  auto client = open.connect();
  CHECK(client.get("/x").status == 200);
  CHECK(open.door.counts().door.connections == 1001);
  CHECK(threads_of_this_process() <= threads);
  CHECK(idle[1].get("/first").status == 200);
  CHECK(idle[998].get("/again").status == 200);
}

TEST_CASE("slow senders of heads and small bodies occupy no handler") {
  auto options = on_free_port();
  options.handler_threads = 1;
  OpenDoor open(options);
  std::vector<RawClient> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(open.connect());
    slow.back().send(i % 2 == 0 ? "GET / HTTP/1.1\r\nHo"
                                : "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nhalf");
  }
  auto client = open.connect();
  CHECK(client.get("/x").status == 200);
  CHECK(open.door.counts().handlers <= 1);
  slow[0].send("st: h\r\n\r\n");
  CHECK(slow[0].read().status == 200);
  slow[1].send(std::string(996, 'x'));
  CHECK(slow[1].read().body.size() == 1007);
}

TEST_CASE("senders of bodies that do not come keep only some of the handlers") {
  auto options = on_free_port();
  options.handler_threads = 4;
  options.body_places = 2;
  std::atomic<int> reading{0};
  OpenDoor open(options, [&](RequestContext& context) {
    if (context.head().has_body()) ++reading;
    echo(context);
  });
  std::vector<RawClient> silent;
  for (int i = 0; i < 2; ++i) {
    silent.push_back(open.connect());
    silent.back().send("POST /silent HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc");
  }
  while (open.door.counts().bodies < 2) std::this_thread::yield();
  // Neither large bodies nor chunked ones that turn out to be large wait behind them.
  for (const char* body :
       {"Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n9000\r\n",
        "Content-Length: 100000\r\nExpect: 100-continue\r\n\r\n"}) {
    CAPTURE(body);
    auto client = open.connect();
    client.send("POST /x HTTP/1.1\r\nHost: h\r\n" + std::string(body));
    const auto answer = client.read();
    CHECK(answer.status == 503);
    CHECK(answer.header("retry-after") == "5");
    CHECK(answer.header("connection") == "close");
  }
  CHECK(open.door.counts().overloaded == 3);
  auto client = open.connect();
  CHECK(client.get("/x").status == 200);
  client.request("POST", "/x", "", "small");
  CHECK(client.read().body == "POST /x small");
  // A place is free again when its body has come.
  silent[0].send(std::string(99'997, 'x'));
  CHECK(silent[0].read().status == 200);
  auto next = open.connect();
  next.request("POST", "/x", "", std::string(100'000, 'y'));
  CHECK(next.read().status == 200);
  CHECK(reading == 4);
}

TEST_CASE(
    "heads and bodies that do not arrive in time are answered 408, idle connections are closed") {
  auto options = on_free_port();
  options.limits.head_timeout = 50ms;
  options.limits.body_timeout = 50ms;
  options.limits.idle_timeout = 300ms;
  OpenDoor open(options);
  auto head = open.connect();
  head.send("GET / HTTP/1.1\r\n");
  const auto late_head = head.read();
  CHECK(late_head.status == 408);
  CHECK(json::parse(late_head.body)["request_id"] == late_head.header("x-request-id"));
  CHECK(head.is_closed_silently());

  auto body = open.connect();
  body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  CHECK(body.read().status == 408);

  auto silent = open.connect();
  CHECK(silent.is_closed_silently());
  auto idle = open.connect();
  CHECK(idle.get("/x").status == 200);
  CHECK(idle.is_closed_silently());
  CHECK(open.door.counts().door.timed_out == 4);
}

TEST_CASE("at the limit of connections whoever has been silent for longest makes room") {
  auto options = on_free_port();
  options.limits.connections_max = 2;
  OpenDoor open(options);
  const auto next_ms = [&open] {   // what the door goes by; and it has all of them back
    const auto began = std::chrono::steady_clock::now();
    while (open.door.counts().door.busy > 0 || std::chrono::steady_clock::now() - began < 2ms) std::this_thread::yield();
  };
  auto first = open.connect();
  CHECK(first.get("/x").status == 200);
  next_ms();
  auto second = open.connect();
  CHECK(second.get("/x").status == 200);
  next_ms();
  auto third = open.connect();
  CHECK(third.get("/x").status == 200);
  CHECK(first.is_closed_silently());
  CHECK(second.get("/x").status == 200);
  CHECK(open.door.counts().door.turned_away == 0);
  CHECK(open.door.counts().door.made_room == 1);
}

TEST_CASE("connections beyond the limit are turned away with 503 where nobody is silent") {
  auto options = on_free_port();
  options.limits.connections_max = 2;
  std::promise<void> go;
  const auto gone = go.get_future().share();
  std::atomic<int> asked{0};
  OpenDoor open(options, [&](RequestContext& context) {
    if (++asked <= 2) gone.wait();
    context.answer_empty(204);
  });
  auto first = open.connect();
  auto second = open.connect();
  first.request("GET", "/x");
  second.request("GET", "/x");
  while (asked < 2) std::this_thread::yield();
  const auto answer = open.connect().read();
  CHECK(answer.status == 503);
  CHECK(answer.header("retry-after") == "1");
  go.set_value();
  CHECK(first.read().status == 204);
  CHECK(second.read().status == 204);
  CHECK(open.door.counts().door.turned_away == 1);
  CHECK(open.door.counts().door.made_room == 0);
}

TEST_CASE("a request that waited too long for a handler is answered 503") {
  auto options = on_free_port();
  options.queue_wait_max = -1ms;
  std::atomic<int> told{0};
  options.on_refused = [&](const RequestContext& context) { told += context.path() == "/x" ? 1 : 100; };
  OpenDoor open(options);
  auto client = open.connect();
  const auto answer = client.get("/x");
  CHECK(told == 1);
  CHECK(answer.status == 503);
  CHECK(answer.header("retry-after") == "5");
  CHECK(open.door.counts().overloaded == 1);
}

TEST_CASE("a large answer arrives whole at a slow reader") {
  const std::string large(20'000'000, 'x');
  OpenDoor open(on_free_port(),
                [&](RequestContext& context) { context.answer_text(200, large, "text/plain"); });
  auto client = open.connect();
  CHECK(client.get("/x").body == large);
  CHECK(client.get("/x").body == large);
}

TEST_CASE("a reader that reads nothing does not keep its handler") {
  auto options = on_free_port();
  options.handler_threads = 1;
  options.answer_pace = {.grace = 50ms, .bytes_per_s_min = 1'000'000'000'000};
  OpenDoor open(options, [](RequestContext& context) {
    context.answer_text(200, std::string(context.path() == "/large" ? 50'000'000 : 5, 'x'),
                        "text/plain");
  });
  auto stuck = open.connect();
  stuck.request("GET", "/large");
  auto client = open.connect();
  CHECK(client.get("/small").body == "xxxxx");
}

TEST_CASE("readers that read nothing occupy no handler, and get all of it when they do") {
  auto options = on_free_port();
  options.handler_threads = 1;
  OpenDoor open(options, [](RequestContext& context) {
    context.answer_text(200, std::string(context.path() == "/large" ? 20'000'000 : 5, 'x'),
                        "text/plain");
  });
  std::vector<RawClient> stuck;
  for (int i = 0; i < 4; ++i) {
    stuck.push_back(open.connect());
    stuck.back().request("GET", "/large");
    stuck.back().request("GET", "/small");
  }
  auto client = open.connect();
  CHECK(client.get("/small").body == "xxxxx");
  while (open.door.counts().kept_bytes < 4 * 10'000'000) std::this_thread::yield();
  for (auto& reader : stuck) {
    CHECK(reader.read().body.size() == 20'000'000);
    CHECK(reader.read().body == "xxxxx");
  }
  CHECK(open.door.counts().kept_bytes == 0);
}

TEST_CASE("readers that nothing more may be kept for keep only some of the handlers") {
  auto options = on_free_port();
  options.handler_threads = 4;
  options.body_places = 2;
  options.kept_answer_bytes = 10'000'000;
  OpenDoor open(options, [](RequestContext& context) {
    context.answer_text(200, std::string(context.path() == "/large" ? 20'000'000 : 5, 'x'),
                        "text/plain");
  });
  std::vector<RawClient> stuck;
  for (int i = 0; i < 6; ++i) {
    stuck.push_back(open.connect());
    stuck.back().request("GET", "/large");
  }
  // Four of them find no place, and are cut off.
  while (open.door.counts().overloaded < 4) std::this_thread::yield();
  CHECK(open.door.counts().readers == 2);
  auto client = open.connect();
  CHECK(client.get("/small").body == "xxxxx");
  int whole = 0;
  for (auto& reader : stuck) whole += reader.skip(20'000'000) ? 1 : 0;
  CHECK(whole == 2);
  while (open.door.counts().readers > 0) std::this_thread::yield();
}

TEST_CASE("a download that stands still is ended, however fast it began") {
  const int file = ::memfd_create("artifact", MFD_CLOEXEC);
  REQUIRE(::ftruncate(file, 50'000'000) == 0);
  auto options = on_free_port();
  options.answer_pace = {.grace = 100ms, .bytes_per_s_min = 1, .silence_max = 100ms};
  std::promise<bool> ended;
  OpenDoor open(options, [&](RequestContext& context) {
    context.answer_empty(200);
    context.set_header("Content-Length", "50000000");
    Transfer transfer;
    transfer.descriptor = file;
    transfer.pieces.push_back({"", 0, 50'000'000});
    transfer.on_end = [&](bool complete) { ended.set_value(complete); };
    context.send_after_head(std::move(transfer));
  });
  auto client = open.connect();
  client.request("GET", "/x");
  CHECK(client.skip(10'000'000));
  CHECK_FALSE(ended.get_future().get());
  CHECK_FALSE(client.skip(40'000'000));
  ::close(file);
}
