// The polls' rows: devices that ask and are told that there is nothing to do.
#include <fmt/format.h>

#include "tools/benchmarks/device_plans.hpp"
#include "tools/benchmarks/load.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/service_under_test.hpp"

namespace ota::bench {
namespace {

constexpr std::size_t kDevices = 1'024;

LoadResult run_once(int port, std::size_t connections, const Extent& extent, LoadPlan& plan) {
  LoadOptions options;
  options.port = port;
  options.connections = connections;
  options.warm_up = std::chrono::duration<double>(extent.warm_up_seconds());
  options.duration = std::chrono::duration<double>(extent.seconds());
  return run_load(options, plan);
}

void keep_better(LoadResult& best, const LoadResult& other) {
  if (other.per_second() > best.per_second()) best = other;
}

Row measure(ServiceUnderTest& service, std::size_t connections, const Extent& extent) {
  const std::string work = fmt::format("polls with nothing to do, {} connections", connections);
  const Role hello(kHelloRole, std::to_string(connections));
  std::vector<std::string> polls;
  for (std::size_t device = 0; device < kDevices; ++device) {
    polls.push_back(http_text("GET", device_path(device)));
  }
  RepeatPlan polling(std::move(polls));
  RepeatPlan greeting({http_text("GET", "/hi")});
  LoadResult best;
  LoadResult best_peer;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    keep_better(best, run_once(service.port(), connections, extent, polling));
    keep_better(best_peer, run_once(hello.port, connections, extent, greeting));
  }
  return {work,
          best.per_second(),
          "polls/s",
          Peer{"httplib hello world, a thread each", best_peer.per_second()},
          Goal{Goal::Kind::kRatioAtLeast, 1.0, /*binding=*/false},
          fmt::format("p50 {} us, p99 {} us; peer {} and {} us", best.p50.count(), best.p99.count(),
                      best_peer.p50.count(), best_peer.p99.count())};
}

}  // namespace

Rows measure_polls(const std::filesystem::path& directory, const Extent& extent) {
  ServiceUnderTest service(directory / "service");
  service.register_devices(kDevices);
  return {measure(service, 64, extent), measure(service, 256, extent)};
}

}  // namespace ota::bench
