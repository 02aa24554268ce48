// The slow downloads' rows: polls while two hundred devices on thin lines download. Each round measures first without
// the downloads, then with them.
#include <fmt/format.h>

#include "tools/benchmarks/poll_load.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/service_under_test.hpp"
#include "tools/benchmarks/slow_readers.hpp"

namespace ota::bench {
namespace {

constexpr std::size_t kDownloads = 200;
constexpr std::size_t kFirmwareBytes = 64 * 1024 * 1024;  // ten minutes' work at their pace
constexpr std::size_t kConnections = 64;

}  // namespace

Rows measure_slow_downloads(const std::filesystem::path& directory, const Extent& extent) {
  const std::string work =
      fmt::format("polls, {} connections, beside {} slow downloads", kConnections, kDownloads);
  ServiceUnderTest service(directory / "service");
  service.register_devices(kDownloads + kPollingDevices);
  service.start_campaign(kDownloads, kFirmwareBytes);
  SlowReading reading;
  reading.port = service.port();
  reading.paths = service.begin_downloads(kDownloads);
  RepeatPlan polling(poll_requests(kDownloads));
  PollsBeside polls;
  double pace = 0;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    polls.add_alone(run_for(extent, service.port(), kConnections, polling));
    const SlowReaders slow(reading);
    polls.add_beside(run_for(extent, service.port(), kConnections, polling));
    pace = slow.bytes_per_s_each();
  }
  return polls.rows(work, "the same without the downloads",
                    fmt::format("{:.0f} kB/s each, none has ended", pace / 1'000));
}

}  // namespace ota::bench
