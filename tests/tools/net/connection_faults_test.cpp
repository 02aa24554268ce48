// tools/otasim/net: what a bad network does to a connection, and what is left of it.
#include <doctest/doctest.h>

#include <map>

#include "tests/tools/net/client_stage.hpp"
#include "tests/tools/net/small_server.hpp"
#include "tests/tools/net/test_certificates.hpp"

using namespace ota::sim;
using namespace ota::sim::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kFileBytes = 200'000;

// A server that knows a file, and answers everything else with what it was sent.
Reply serve(const SmallServer::Asked& asked) {
  if (asked.head.starts_with("GET /file")) return {ok(std::string(kFileBytes, 'f')), false};
  return {ok(asked.body), false};
}

// Every request meets this fault, at the place that the draw for it says.
struct Scene {
  explicit Scene(double NetworkFaults::*kind, std::chrono::milliseconds timeout = 10s)
      : stage(settings(server, kind, timeout)) {}

  static HttpSettings settings(const SmallServer& server, double NetworkFaults::*kind,
                               std::chrono::milliseconds timeout) {
    HttpSettings settings = settings_for(server.url("/"));
    settings.timeout = timeout;
    settings.faults.*kind = 1;
    settings.faults.stall_max = 20ms;
    settings.faults.half_open_max = 100;
    return settings;
  }

  HttpRequest report() const {
    HttpRequest request = stage.get(server.url("/report"));
    request.method = Method::kPost;
    request.body = std::string(500, 'r');
    return request;
  }

  HttpRequest file(std::size_t& bytes) const {
    HttpRequest request = stage.get(server.url("/file"));
    request.is_artifact = true;
    request.on_data = [&bytes](const HttpHead&, std::string_view data) {
      bytes += data.size();
      return Taken::kAll;
    };
    return request;
  }

  SmallServer server{serve};
  ClientStage stage;
};

// Enough requests that every place was drawn.
constexpr int kRequests = 30;

}  // namespace

TEST_CASE("of lost requests the client learns by its clock; the server may have got them") {
  Scene scene{&NetworkFaults::loss, 20ms};
  for (int i = 0; i < kRequests; ++i) {
    const HttpAnswer answer = scene.stage.ask(scene.report());
    CHECK_FALSE(answer.complete);
    CHECK(answer.error == "Timeout was reached");
    CHECK(answer.elapsed >= 20ms);
  }
  // Where the machine is busy the clock may strike before the network does.
  CHECK(scene.stage.http().faults(FaultKind::kLoss) > kRequests / 2);
  CHECK(scene.stage.turn_until([&] { return scene.server.ended() == scene.server.connections(); }));
  CHECK(scene.server.asked().size() > kRequests / 5);
  CHECK(scene.server.asked().size() < kRequests * 4 / 5);
}

TEST_CASE("what stalls arrives all the same, on a connection that goes on") {
  Scene scene{&NetworkFaults::stall};
  for (int i = 0; i < kRequests; ++i) {
    const HttpAnswer answer = scene.stage.ask(scene.report());
    CHECK(answer.ok());
    CHECK(answer.body.size() == 500);
    std::size_t bytes = 0;
    CHECK(scene.stage.ask(scene.file(bytes)).complete);
    CHECK(bytes == kFileBytes);
  }
  CHECK(scene.stage.http().faults(FaultKind::kStall) == 2 * kRequests);
  CHECK(scene.server.connections() == 1);
}

TEST_CASE("a stall beyond the client's patience is a timeout") {
  Scene scene{&NetworkFaults::stall, 1ms};
  CHECK(scene.stage.ask(scene.report()).error == "Timeout was reached");
}

TEST_CASE("a reset ends the connection at once, in requests, answers and downloads") {
  Scene scene{&NetworkFaults::reset};
  bool inside_a_download = false;
  for (int i = 0; i < kRequests; ++i) {
    CHECK(scene.stage.ask(scene.report()).error == "Connection reset by peer");
    std::size_t bytes = 0;
    CHECK_FALSE(scene.stage.ask(scene.file(bytes)).complete);
    CHECK(bytes < kFileBytes);
    if (bytes > 0) inside_a_download = true;
  }
  CHECK(inside_a_download);
  CHECK(scene.stage.http().faults(FaultKind::kReset) == 2 * kRequests);
  CHECK(scene.stage.turn_until([&] { return scene.server.ended() == scene.server.connections(); }));
  CHECK(scene.server.resets() > 0);
}

TEST_CASE("a forgotten connection stays open until there are too many of them") {
  Scene scene{&NetworkFaults::half_open};
  for (int i = 0; i < kRequests; ++i) CHECK_FALSE(scene.stage.ask(scene.report()).complete);
  CHECK(scene.stage.turn_until([&] { return scene.server.connections() == kRequests; }));
  CHECK(scene.server.ended() == 0);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(scene.stage.ask(scene.report()).complete);
  CHECK(scene.stage.turn_until([&] { return scene.server.ended() == kRequests; }));
  CHECK(scene.stage.http().faults(FaultKind::kHalfOpen) == kRequests + 100);
}

TEST_CASE("a device whose power fails leaves its connections open, used or not") {
  SmallServer silent{[](const SmallServer::Asked& asked) {
    return asked.head.starts_with("GET /silence") ? Reply{} : serve(asked);
  }};
  HttpSettings settings = settings_for(silent.url("/"));
  settings.faults.half_open_max = 100;
  ClientStage stage{settings};
  HttpTicket ticket =
      stage.http().send(stage.get(silent.url("/silence")), [](const HttpAnswer&) {});
  CHECK(stage.ask(stage.get(silent.url("/"))).ok());
  CHECK(stage.turn_until([&] { return silent.asked().size() == 2; }));
  CHECK(silent.connections() == 2);
  stage.http().power_failed(stage.caller());
  ticket.cancel();
  CHECK(stage.http().in_flight() == 0);
  CHECK(stage.ask(stage.get(silent.url("/"))).ok());
  CHECK(silent.connections() == 3);
  CHECK(silent.ended() == 0);
  stage.http().hang_up(stage.caller());
  CHECK(stage.turn_until([&] { return silent.ended() == 1; }));
}

TEST_CASE("a download whose taker has no power any more leaves its connection open") {
  SmallServer server{serve};
  HttpSettings settings = settings_for(server.url("/"));
  settings.faults.half_open_max = 100;
  ClientStage stage{settings};
  HttpRequest request = stage.get(server.url("/file"));
  request.on_data = [](const HttpHead&, std::string_view) { return Taken::kPowerLost; };
  CHECK_FALSE(stage.ask(std::move(request)).complete);
  CHECK(stage.ask(stage.get(server.url("/"))).ok());
  CHECK(server.connections() == 2);
  CHECK(server.ended() == 0);
}

TEST_CASE("a bad network is the same for those who speak TLS") {
  const TestDirectory directory;
  const TestAuthority authority{"authority"};
  SmallServer server{serve, ServerTls{authority.issue("server", "IP:127.0.0.1"), ""}};
  HttpSettings settings = settings_for(server.url("/"));
  settings.tls.ca_file = directory.write("ca.pem", authority.certificate());
  settings.timeout = 100ms;
  settings.faults.stall_max = 10ms;
  settings.faults.half_open_max = 100;
  settings.faults.loss = settings.faults.stall = settings.faults.reset = settings.faults.half_open =
      0.2;
  ClientStage stage{settings};
  std::map<std::string, std::uint64_t> errors;
  for (int i = 0; i < 60; ++i) {
    HttpRequest request = stage.get(server.url("/report"));
    request.method = Method::kPost;
    request.body = std::string(500, 'r');
    const HttpAnswer answer = stage.ask(std::move(request));
    ++errors[answer.error];
    CHECK((!answer.complete || answer.body.size() == 500));
  }
  const auto faults = [&](FaultKind kind) { return stage.http().faults(kind); };
  CHECK(errors["Connection reset by peer"] == faults(FaultKind::kReset));
  CHECK(errors["Network is down"] == faults(FaultKind::kHalfOpen));
  CHECK(errors["Timeout was reached"] >= faults(FaultKind::kLoss));
  CHECK(faults(FaultKind::kReset) > 0);
  CHECK(faults(FaultKind::kHalfOpen) > 0);
  CHECK(faults(FaultKind::kLoss) > 0);
  CHECK(faults(FaultKind::kStall) > 0);
  CHECK(stage.http().tls_resumed() > 0);
}

TEST_CASE("a request that is cancelled in the turn in which its stall ends is gone") {
  Scene scene{&NetworkFaults::stall};
  std::vector<HttpTicket> tickets;
  int answers = 0;
  for (int i = 0; i < kRequests; ++i)
    tickets.push_back(
        scene.stage.http().send(scene.report(), [&](const HttpAnswer&) { ++answers; }));
  CHECK(scene.stage.turn_until([&] { return scene.server.asked().size() > kRequests / 5; }));
  // In one turn everything is due: first the cancel, then the ends of the stalls.
  TimerTicket cancel;
  const TimerTicket late = scene.stage.loop().timers().at(EventLoop::now(), [&] {
    const TimePoint begun = EventLoop::now();
    cancel = scene.stage.loop().timers().at(begun, [&] { tickets.clear(); });
    while (EventLoop::now() < begun + 25ms) {
    }
  });
  CHECK(scene.stage.turn_until([&] { return tickets.empty(); }));
  const int answered = answers;
  CHECK(answered < kRequests);
  CHECK(scene.stage.http().in_flight() == 0);
  CHECK(scene.stage.ask(scene.stage.get(scene.server.url("/"))).ok());
  CHECK(answers == answered);
}
