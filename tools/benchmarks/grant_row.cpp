// The grants' rows: how many devices a second a campaign lets begin and end, what that takes of
// memory, and what happens when its devices fail.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "tools/benchmarks/abort_in_log.hpp"
#include "tools/benchmarks/disk.hpp"
#include "tools/benchmarks/memory_watch.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rollout_load.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/seeded_fleet.hpp"
#include "tools/heap.hpp"

namespace ota::bench {
namespace {

constexpr double kMebibyte = 1024 * 1024;
constexpr double kGrantsPerSecondMin = 6'000;
constexpr double kMemoryMaxMib = 256;
constexpr double kDecisionMaxMs = 5;
constexpr std::uint32_t kJudgedAt = 2'000;    // devices that have finished when the first verdict is due
constexpr std::size_t kAskedOn = 5'000;           // devices that ask behind the end
constexpr std::size_t kDevicesPerSecond = 25'000;  // more than can be granted

std::unique_ptr<actors::Service> open_service(const std::filesystem::path& data) {
  actors::ServiceOptions options;
  options.data_directory = data;
  return actors::Service::open(std::move(options));
}

Rows measure_rate(const std::filesystem::path& directory, const Extent& extent) {
  const std::string work = "grants with their terminal report, at the actors' door";
  const auto data = directory / "granting";
  const auto devices =
      static_cast<std::size_t>(extent.seconds() * static_cast<double>(extent.rounds())) *
      kDevicesPerSecond;
  write_fleet(data, devices);
  const auto service = open_service(data);
  const auto campaign = begin_campaign(*service, add_firmware(*service), /*judged_at=*/0);
  RolloutLoad load(*service, campaign, 0, devices);
  Asking asking;
  asking.seconds = extent.seconds();
  tools::give_back_free_memory();
  const MemoryWatch memory(getpid());
  double best = 0;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    settle_disk(directory);
    best = std::max(best, load.run(asking));
  }
  return {{work,
           best,
           "grants/s",
           {},
           Goal{Goal::Kind::kValueAtLeast, kGrantsPerSecondMin, /*binding=*/true},
           fmt::format("immediate, max_concurrent 1,000, {} threads, {} devices; the design wants "
                       "to be at 10,000",
                       asking.threads, devices)},
          {"memory of granting, above idle",
           static_cast<double>(memory.growth_bytes()) / kMebibyte,
           "MiB",
           {},
           Goal{Goal::Kind::kValueAtMost, kMemoryMaxMib, /*binding=*/true},
           fmt::format("peak RssAnon over {} grants, the asking threads' included", load.granted())}};
}

// What campaigns left behind them whose first verdict that may be is one to roll back: half of the devices fail.
struct Aborts {
  std::vector<AbortInLog> found;  // the quickest first
  std::uint64_t grants_before = 0;
  std::uint64_t grants_behind = 0;
  std::uint64_t events_between = 0;  // the most

  double median_ms() const { return ms(found[found.size() / 2]); }
  double worst_ms() const { return ms(found.back()); }

 private:
  static double ms(const AbortInLog& each) { return static_cast<double>(each.took.count()) / 1e3; }
};

Aborts abort_campaigns(const std::filesystem::path& data, std::size_t times, std::optional<double> per_second) {
  const std::string work = "campaigns that roll themselves back";
  constexpr std::size_t kDevicesEach = 20'000;
  write_fleet(data, kDevicesEach * times);
  const auto service = open_service(data);
  const auto firmware = add_firmware(*service);
  Aborts aborts;
  for (std::size_t n = 0; n < times; ++n) {
    show_progress(work, n, times);
    const auto campaign = begin_campaign(*service, firmware, kJudgedAt);
    RolloutLoad load(*service, campaign, n * kDevicesEach, kDevicesEach);
    Asking asking;
    asking.per_second = per_second;
    asking.failing_every = 2;
    load.run_until_closed(asking, kAskedOn);
    const auto found = find_abort(service->log(), campaign);
    aborts.grants_before += found.grants_before;
    aborts.grants_behind += found.grants_behind;
    aborts.events_between = std::max(aborts.events_between, found.events_between);
    aborts.found.push_back(found);
  }
  std::sort(aborts.found.begin(), aborts.found.end(),
            [](const AbortInLog& a, const AbortInLog& b) { return a.took < b.took; });
  return aborts;
}

// Under full load the time is that of the queue which the asking threads keep filled: with twice as many of them it is
// twice as long. Hence the goal is for half of the greatest rate, as that of the reads.
Rows measure_abort(const std::filesystem::path& directory, const Extent& extent, double greatest) {
  const std::size_t times = extent.quick ? 1 : 5;
  const auto half = abort_campaigns(directory / "failing", times, greatest / 2);
  const auto full = abort_campaigns(directory / "failing_fast", times, {});
  const auto note = [](const Aborts& aborts, std::string_view load) {
    return fmt::format("stamps of the two records, {}; the median of {}, worst {:.1f} ms; at most {} events of the campaign between",
                       load, aborts.found.size(), aborts.worst_ms(), aborts.events_between);
  };
  return {{"grants behind the event that ends a campaign",
           static_cast<double>(half.grants_behind + full.grants_behind),
           "grants",
           {},
           Goal{Goal::Kind::kValueAtMost, 0, /*binding=*/true},
           fmt::format("counted in the log, of {} campaigns, {} grants before", 2 * times,
                       half.grants_before + full.grants_before)},
          {"from the deciding report to that event",
           half.median_ms(),
           "ms",
           {},
           Goal{Goal::Kind::kValueAtMost, kDecisionMaxMs, /*binding=*/true},
           note(half, fmt::format("at {:.0f} grants/s, half of the greatest rate", greatest / 2))},
          {"the same as fast as it can grant",
           full.median_ms(),
           "ms",
           {},
           Goal{Goal::Kind::kValueAtMost, kDecisionMaxMs, /*binding=*/false},
           note(full, fmt::format("{} threads that never pause", Asking().threads))}};
}

}  // namespace

Rows measure_grants(const std::filesystem::path& directory, const Extent& extent) {
  Rows rows = measure_rate(directory, extent);
  const Rows abort = measure_abort(directory, extent, rows.front().value);
  rows.insert(rows.end(), abort.begin(), abort.end());
  return rows;
}

}  // namespace ota::bench
