#include "tools/benchmarks/lived_log.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "eventstore/database.hpp"
#include "eventstore/directory.hpp"
#include "tools/benchmarks/lived_fleet.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/stopwatch.hpp"

namespace ota::bench {
namespace {

constexpr std::uint64_t kStages = 100;      // of the progress that is shown
constexpr std::chrono::hours kLongestLife{24 * 90};

domain::Time now_in_life() {
  return std::chrono::time_point_cast<domain::Duration>(std::chrono::system_clock::now());
}

std::uint64_t property(const eventstore::Database& database, const std::string& name) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < eventstore::kFamilyNames.size(); ++i) {
    std::uint64_t value = 0;
    database.db().GetIntProperty(database.family(static_cast<eventstore::Family>(i)), name, &value);
    sum += value;
  }
  return sum;
}

void wait_until_settled(const eventstore::Database& database) {
  using Properties = rocksdb::DB::Properties;
  constexpr std::chrono::milliseconds kLookEvery{200};
  constexpr int kQuietLooks = 5;            // one job begins the next
  for (int quiet = 0; quiet < kQuietLooks;) {
    std::this_thread::sleep_for(kLookEvery);
    std::uint64_t running = property(database, Properties::kCompactionPending) + property(database, Properties::kMemTableFlushPending);
    for (const auto& name : {Properties::kNumRunningCompactions, Properties::kNumRunningFlushes}) {
      running += property(database, name);
    }
    quiet = running == 0 ? quiet + 1 : 0;
  }
}

}  // namespace

LivedLog make_lived_log(const std::filesystem::path& data_directory, std::uint64_t events) {
  const Stopwatch stopwatch;
  LivedLog made;
  made.devices = static_cast<std::uint32_t>(events / kEventsADevice);
  const auto present = now_in_life();
  const auto begin = present - kLongestLife;
  LogPen pen(data_directory, begin);
  LivedFleet fleet(pen, made.devices, begin);
  for (std::uint64_t stage = 0; stage < kStages; ++stage) {
    show_progress("a log of " + std::to_string(events) + " events, percent", stage, kStages);
    fleet.live_until(events * (stage + 1) / kStages);
    if (fleet.now() > present) throw std::runtime_error("the fleet lives on into the future");
  }
  pen.finish();
  made.events = pen.position().value;
  made.closed_campaign = fleet.closed_campaign();
  made.updating = fleet.updating();
  made.seconds = stopwatch.seconds();
  return made;
}

LogOnDisk measure_settled_log(const std::filesystem::path& log_directory) {
  LogOnDisk disk;
  {
    const auto database = eventstore::Database::open(log_directory, std::make_shared<eventstore::Head>(), /*env=*/nullptr);
    wait_until_settled(*database);
    for (std::size_t i = 0; i < eventstore::kFamilyNames.size(); ++i) {
      std::uint64_t bytes = 0;
      database->db().GetIntProperty(database->family(static_cast<eventstore::Family>(i)),
                                    rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
      disk.families.emplace_back(eventstore::kFamilyNames[i], bytes);
    }
  }
  std::sort(disk.families.begin(), disk.families.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  disk.bytes = eventstore::directory_bytes(log_directory);
  return disk;
}

}  // namespace ota::bench
