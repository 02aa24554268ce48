// The reads' rows: what an operator waits for who watches a campaign while it runs.
//
// Devices are granted at half the rate that this machine reached a moment before, through the actors'
// door of the service that also answers the reads over HTTP. Reads are sent at fixed times, whatever
// became of the earlier ones, and their time counts from when they were due: a service that stands
// still is not asked less often.
#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tools/benchmarks/disk.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rollout_load.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/seeded_fleet.hpp"
#include "tools/benchmarks/served_service.hpp"

namespace ota::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::size_t kDevices = 200'000;
constexpr double kP99MaxMs = 20;
// Each path is read by so many people, each so often.
constexpr std::size_t kReaders = 4;
constexpr std::chrono::milliseconds kReadEvery{20};

// Reads one path until `stop`; answers how long each read took.
std::vector<Milliseconds> read_on(int port, const std::string& path, std::size_t reader,
                                  const std::atomic<bool>& stop) {
  httplib::Client client("127.0.0.1", port);
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  std::vector<Milliseconds> took;
  auto due = Clock::now() + reader * kReadEvery / kReaders;
  for (; !stop; due += kReadEvery) {
    std::this_thread::sleep_until(due);
    const auto answer = client.Get(path);
    if (!answer || answer->status != 200) {
      throw std::runtime_error(fmt::format(
          "GET {}: {}", path,
          answer ? fmt::format("status {}: {}", answer->status, answer->body)
                 : httplib::to_string(answer.error())));
    }
    took.push_back(Clock::now() - due);
  }
  return took;
}

Milliseconds percentile(std::vector<Milliseconds>& times, std::size_t percent) {
  if (times.empty()) throw std::runtime_error("nothing was read");
  const auto at = static_cast<std::ptrdiff_t>((times.size() - 1) * percent / 100);
  std::nth_element(times.begin(), times.begin() + at, times.end());
  return times[static_cast<std::size_t>(at)];
}

struct Watched {
  std::string path;
  Milliseconds p50 = Milliseconds::max();
  Milliseconds p99 = Milliseconds::max();
  std::size_t reads = 0;
};

// All that read one path; they end with this value.
class Readers {
 public:
  Readers(int port, const std::string& path) {
    for (std::size_t reader = 0; reader < kReaders; ++reader) {
      readers_.push_back(std::async(std::launch::async, [this, port, path, reader] {
        return read_on(port, path, reader, stop_);
      }));
    }
  }
  ~Readers() { stop_ = true; }
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  // Ends the round; keeps it if its p99 is the lowest.
  void finish(Watched& watched) {
    stop_ = true;
    std::vector<Milliseconds> all;
    for (auto& reader : readers_) {
      const auto took = reader.get();
      all.insert(all.end(), took.begin(), took.end());
    }
    const auto p99 = percentile(all, 99);
    if (p99 >= watched.p99) return;
    watched.p99 = p99;
    watched.p50 = percentile(all, 50);
    watched.reads = all.size();
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::future<std::vector<Milliseconds>>> readers_;  // go before stop_
};

}  // namespace

Rows measure_reads(const std::filesystem::path& directory, const Extent& extent) {
  const std::string work = "reads while granting";
  const auto data = directory / "read";
  write_fleet(data, kDevices);
  ServedService served(data);
  auto& service = served.service();
  const auto campaign = begin_campaign(service, add_firmware(service), /*judged_at=*/0);
  RolloutLoad load(service, campaign, 0, kDevices);
  Asking asking;
  asking.seconds = extent.seconds() / 2;
  const double greatest = load.run(asking);
  asking.per_second = greatest / 2;
  asking.seconds = extent.seconds();
  Watched campaign_read{"/api/v1/ota/campaigns/" + domain::to_text(campaign)};
  Watched statistics_read{"/api/v1/ota/stats"};
  double rate = 0;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    settle_disk(directory);
    Readers of_campaign(served.port(), campaign_read.path);
    Readers of_statistics(served.port(), statistics_read.path);
    rate = load.run(asking);
    of_campaign.finish(campaign_read);
    of_statistics.finish(statistics_read);
  }
  const auto row_of = [&](const char* name, const Watched& of) {
    return Row{fmt::format("{} at half the greatest rate of grants, p99", name),
               of.p99.count(),
               "ms",
               {},
               Goal{Goal::Kind::kValueAtMost, kP99MaxMs, /*binding=*/true},
               fmt::format("{} devices, {:.0f} grants/s of {:.0f}; {} reads, p50 {:.2f} ms", kDevices,
                           rate, greatest, of.reads, of.p50.count())};
  };
  return {row_of("GET /campaigns/{id}", campaign_read), row_of("GET /stats", statistics_read)};
}

}  // namespace ota::bench
