// The asks' rows: from a thread through shard and entity and back, without a write. What is left of
// a command when disk and HTTP are taken away.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "actors/service.hpp"
#include "tools/benchmarks/ask_peer.hpp"
#include "tools/benchmarks/device_plans.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/round_trips.hpp"
#include "tools/benchmarks/rows.hpp"

namespace ota::bench {
namespace {

constexpr std::size_t kDevicesPerThread = 64;
constexpr std::size_t kThreadsMax = 16;

// Says what the device has said before.
domain::ChangeAttributes same_attributes() {
  domain::ChangeAttributes change;
  change.values = {{"device_model", "SF-100"}, {"firmware_version", "1.0.0"}};
  change.by_device = true;
  return change;
}

bool tell(actors::Service& service, std::size_t device) {
  const auto answer = service.device({device_name(device)}, same_attributes(), {});
  if (!answer) throw std::runtime_error("an ask failed: " + answer.error().message);
  return answer.value().wrote;
}

void ask_for_ever(actors::Service& service, std::size_t thread, const KeepGoing& keep_going) {
  for (std::size_t n = 0; keep_going(); ++n) {
    if (tell(service, thread * kDevicesPerThread + n % kDevicesPerThread)) {
      throw std::runtime_error("an ask that should change nothing has written");
    }
  }
}

Row measure(actors::Service& service, std::size_t threads, const Extent& extent) {
  const std::string work =
      fmt::format("asks that change nothing, {} thread{}", threads, threads == 1 ? "" : "s");
  const RoundTrips load{threads, extent.seconds()};
  double best = 0;
  double best_peer = 0;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    best = std::max(best, round_trips_per_second(
                              load, [&service](std::size_t thread, const KeepGoing& keep_going) {
                                ask_for_ever(service, thread, keep_going);
                              }));
    best_peer = std::max(best_peer, bare_requests_per_second(load));
  }
  return {work,
          best,
          "asks/s",
          Peer{"a bare CAF request", best_peer},
          {},
          fmt::format("{:.1f} us each in a thread", 1e6 * static_cast<double>(threads) / best)};
}

}  // namespace

Rows measure_asks(const std::filesystem::path& directory, const Extent& extent) {
  actors::ServiceOptions options;
  options.data_directory = directory / "asked";
  const auto service = actors::Service::open(std::move(options));
  for (std::size_t device = 0; device < kThreadsMax * kDevicesPerThread; ++device) {
    if (!service->poll({device_name(device)}, {})) {
      throw std::runtime_error("a device could not be registered");
    }
    tell(*service, device);
  }
  return {measure(*service, 1, extent), measure(*service, kThreadsMax, extent)};
}

}  // namespace ota::bench
