// The reports' rows: a 200 is an event on disk.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "tools/benchmarks/device_plans.hpp"
#include "tools/benchmarks/disk.hpp"
#include "tools/benchmarks/load.hpp"
#include "tools/benchmarks/processor_time.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/report_load.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/service_under_test.hpp"
#include "tools/benchmarks/synced_puts.hpp"

namespace ota::bench {
namespace {

constexpr std::size_t kConnections = 64;
constexpr std::size_t kManyConnections = 256;

Row measure_durable_reports(const std::filesystem::path& directory, std::size_t connections,
                            const Extent& extent) {
  const std::string work = fmt::format("durable reports, {} connections", connections);
  std::filesystem::create_directory(directory);
  ReportingService service(directory / "reporting", connections);
  LoadResult best;
  ReportCost best_cost;
  double best_peer = 0;
  double peer_us = 0;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    settle_disk(directory);
    ReportCost cost;
    const LoadResult result = service.run(extent, cost);
    if (result.per_second() > best.per_second()) {
      best = result;
      best_cost = cost;
    }
    settle_disk(directory);
    const auto peer_directory = directory / "puts";
    const double before = processor_seconds_of(getpid());
    const double puts = synced_puts_per_second(peer_directory, {.seconds = extent.seconds()});
    if (puts > best_peer) {
      best_peer = puts;
      peer_us = 1e6 * (processor_seconds_of(getpid()) - before) / (puts * extent.seconds());
    }
    std::filesystem::remove_all(peer_directory);
  }
  return {work,
          best.per_second(),
          "reports/s",
          Peer{"RocksDB's own synced puts, 64 threads", best_peer},
          // What the service takes shows where a fleet reports; of 64 each waits for its own commit, and groups are small.
          Goal{Goal::Kind::kRatioAtLeast, 0.5, /*binding=*/connections == kManyConnections},
          fmt::format("p50 {} us, p99 {} us; processor {:.0f} us each, sender {:.0f}, peer {:.0f}",
                      best.p50.count(), best.p99.count(), best_cost.service_us, best_cost.sender_us, peer_us)};
}

// Every device from its poll to its last report. Each round takes devices that were not updated
// before.
Row measure_whole_updates(const std::filesystem::path& directory, const Extent& extent) {
  const std::string work = fmt::format("whole device updates, {} connections", kConnections);
  const std::size_t devices_each = extent.quick ? 1'000 : 5'000;
  ServiceUnderTest service(directory / "updating");
  const std::size_t devices = devices_each * extent.rounds();
  service.register_devices(devices);
  service.start_campaign(devices);
  double best = 0;
  const std::uint64_t events_before = service.log_position();
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    settle_disk(directory);
    StepsPlan plan(round * devices_each, devices_each, kConnections,
                   {Step::kPoll, Step::kDeployment, Step::kDownloaded, Step::kClosed});
    const LoadResult result = run_load({.port = service.port(), .connections = kConnections}, plan);
    best = std::max(best, static_cast<double>(devices_each) / result.seconds);
  }
  const double events_each =
      static_cast<double>(service.log_position() - events_before) / static_cast<double>(devices);
  return {work,
          best,
          "updates/s",
          {},
          Goal{Goal::Kind::kValueAtLeast, 1'500, /*binding=*/false},
          fmt::format("poll, deployment, two reports: {:.1f} durable events each", events_each)};
}

}  // namespace

Rows measure_reports(const std::filesystem::path& directory, const Extent& extent) {
  Rows rows;
  for (const std::size_t connections : {kConnections, kManyConnections}) {
    rows.push_back(measure_durable_reports(directory / std::to_string(connections), connections, extent));
  }
  rows.push_back(measure_whole_updates(directory, extent));
  return rows;
}

}  // namespace ota::bench
