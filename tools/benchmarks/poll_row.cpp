// The polls' rows: devices that ask and are told that there is nothing to do.
//
// Beside httplib's own server, which answers twelve bytes from memory, and beside nginx, which sends a file with the
// very bytes of a poll's answer. At fleet size ten thousand other devices keep their connections to the service open
// meanwhile: each of them has polled, and is asked once more afterwards, since one that was closed would have cost nothing.
#include <fmt/format.h>

#include "tools/benchmarks/idle_connections.hpp"
#include "tools/benchmarks/nginx_peer.hpp"
#include "tools/benchmarks/poll_load.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/service_under_test.hpp"

namespace ota::bench {
namespace {

constexpr std::size_t kFewConnections = 64;
constexpr std::size_t kConnections = 256;
constexpr std::size_t kIdle = 10'000;
constexpr Goal kOfHelloWorld{Goal::Kind::kRatioAtLeast, 1.0, /*binding=*/true, /*wished=*/1.2};
constexpr Goal kOfNginx{Goal::Kind::kRatioAtLeast, 0.35, /*binding=*/true, /*wished=*/0};

std::string times_of(const LoadResult& result) {
  return fmt::format("p50 {} us, p99 {} us", result.p50.count(), result.p99.count());
}

void keep_better(LoadResult& best, const LoadResult& other) {
  if (other.per_second() > best.per_second()) best = other;
}

Row row_of(const std::string& work, const LoadResult& polls, const char* peer, const LoadResult& its,
           const Goal& goal) {
  return {work,
          polls.per_second(),
          "polls/s",
          Peer{peer, its.per_second()},
          goal,
          fmt::format("{}; peer {}", times_of(polls), times_of(its))};
}

Rows measure(const ServiceUnderTest& service, const NginxPeer& nginx, std::size_t connections,
             std::size_t idle_connections, const Extent& extent) {
  const std::string work = fmt::format("polls with nothing to do, {} connections", connections) +
                           (idle_connections > 0 ? fmt::format(", {} idle", idle_connections) : "");
  const auto others = poll_requests(kPollingDevices);
  const Role hello(kHelloRole, std::to_string(connections));
  RepeatPlan polling(poll_requests());
  RepeatPlan greeting({http_text("GET", "/hi")});
  RepeatPlan reading({http_text("GET", "/text/poll")});
  PollsBeside beside;
  LoadResult polls;
  LoadResult of_hello;
  LoadResult of_nginx;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    if (idle_connections > 0) beside.add_alone(run_for(extent, service.port(), connections, polling));
    IdleConnections idle(service.port(), idle_connections, others);
    const LoadResult measured = run_for(extent, service.port(), connections, polling);
    keep_better(polls, measured);
    beside.add_beside(measured);
    keep_better(of_hello, run_for(extent, hello.port, connections, greeting));
    keep_better(of_nginx, run_for(extent, nginx.port(), connections, reading));
    idle.ask_again();
  }
  Rows rows{row_of(work, polls, "httplib hello world, a thread each", of_hello, kOfHelloWorld),
            row_of(work, polls, "nginx, a file with the answer", of_nginx, kOfNginx)};
  if (idle_connections > 0) {
    const Rows more = beside.rows(work, "the same without the idle ones", "all are still open afterwards");
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace

Rows measure_polls(const std::filesystem::path& directory, const Extent& extent) {
  ServiceUnderTest service(directory / "service");
  service.register_devices(2 * kPollingDevices);
  NginxPeer nginx(directory / "nginx");
  nginx.add_text("poll", poll_answer(service.port()));
  Rows rows = measure(service, nginx, kFewConnections, 0, extent);
  const Rows more = measure(service, nginx, kConnections, extent.quick ? kIdle / 10 : kIdle, extent);
  rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

}  // namespace ota::bench
