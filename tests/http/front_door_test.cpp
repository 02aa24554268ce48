#include "http/front_door.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/limits.hpp"
#include "tests/http/raw_client.hpp"

using namespace ota::http;
using namespace std::chrono_literals;
using nlohmann::json;
using test::RawAnswer;
using test::RawClient;

namespace {

// Answers what was asked, and the body.
void echo(RequestContext& context) {
  std::string body;
  if (const auto problem = read_whole_body(context.body_stream(), limits::kBodyBytes, body)) {
    return context.answer(*problem);
  }
  context.answer_text(
      200, std::string(context.method()) + " " + std::string(context.path()) + " " + body,
      "text/plain");
}

FrontDoorOptions on_free_port() {
  FrontDoorOptions options;
  options.port = 0;
  options.handler_threads = 4;
  return options;
}

// A door that listens while it lives.
struct OpenDoor {
  explicit OpenDoor(FrontDoorOptions options = on_free_port(), FrontDoor::Handler handler = echo)
      : door(std::move(options), std::move(handler)) {
    door.start();
  }
  RawClient connect() { return RawClient(door.port()); }
  FrontDoor door;
};

int threads_of_this_process() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Threads:")) return std::atoi(line.c_str() + 8);
  }
  return -1;
}

}  // namespace

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
