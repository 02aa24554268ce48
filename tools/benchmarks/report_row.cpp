// The reports' rows: a 200 is an event on disk.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "tools/benchmarks/device_plans.hpp"
#include "tools/benchmarks/disk.hpp"
#include "tools/benchmarks/load.hpp"
#include "tools/benchmarks/processor_time.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/service_under_test.hpp"
#include "tools/benchmarks/synced_puts.hpp"

namespace ota::bench {
namespace {

constexpr std::size_t kConnections = 64;
constexpr std::size_t kManyConnections = 256;
constexpr std::size_t kReporting = 1'000;  // a campaign's max_concurrent_updates

// What a report keeps the processors busy for: in the service, and beside it in whoever sends it.
struct Cost {
  double service_us = 0;
  double sender_us = 0;
};

LoadResult run_reports(ServiceUnderTest& service, std::size_t connections, const Extent& extent,
                       ReportsPlan& plan, Cost& cost) {
  const std::uint64_t events_before = service.log_position();
  const std::uint64_t reports_before = plan.reports();
  LoadOptions options;
  options.port = service.port();
  options.connections = connections;
  options.warm_up = std::chrono::duration<double>(extent.warm_up_seconds());
  options.duration = std::chrono::duration<double>(extent.seconds());
  const double service_before = processor_seconds_of(service.pid());
  const double sender_before = processor_seconds_of(getpid());
  const LoadResult result = run_load(options, plan);
  const auto each_us = [&](double seconds) {
    return 1e6 * seconds / static_cast<double>(plan.reports() - reports_before);
  };
  cost = {each_us(processor_seconds_of(service.pid()) - service_before),
          each_us(processor_seconds_of(getpid()) - sender_before)};
  const std::uint64_t events = service.log_position() - events_before;
  const std::uint64_t reports = plan.reports() - reports_before;
  if (events != reports) {
    throw std::runtime_error(
        fmt::format("{} reports were answered 200, {} events were written", reports, events));
  }
  return result;
}

Row measure_durable_reports(const std::filesystem::path& directory, std::size_t connections,
                            const Extent& extent) {
  const std::string work = fmt::format("durable reports, {} connections", connections);
  std::filesystem::create_directory(directory);
  ServiceUnderTest service(directory / "reporting");
  service.register_devices(kReporting);
  service.start_campaign(kReporting);
  StepsPlan starting(0, kReporting, kConnections, {Step::kPoll, Step::kDeployment});
  run_load({.port = service.port(), .connections = kConnections}, starting);
  ReportsPlan reporting(starting.actions(), connections);
  LoadResult best;
  Cost best_cost;
  double best_peer = 0;
  double peer_us = 0;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    settle_disk(directory);
    Cost cost;
    const LoadResult result = run_reports(service, connections, extent, reporting, cost);
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
