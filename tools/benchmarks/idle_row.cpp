// The idle connections' rows: polls while ten thousand other devices keep their connections open.
//
// Each round measures first without them, then opens them, each polls once, and measures again; they are asked once
// more afterwards: one that was closed meanwhile would have cost nothing.
#include <fmt/format.h>

#include "tools/benchmarks/idle_connections.hpp"
#include "tools/benchmarks/poll_load.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/service_under_test.hpp"

namespace ota::bench {
namespace {

constexpr std::size_t kIdle = 10'000;
constexpr std::size_t kConnections = 256;

}  // namespace

Rows measure_idle(const std::filesystem::path& directory, const Extent& extent) {
  const std::string work = fmt::format("polls, {} connections, beside {} idle ones", kConnections, kIdle);
  ServiceUnderTest service(directory / "service");
  service.register_devices(2 * kPollingDevices);
  const auto others = poll_requests(kPollingDevices);
  RepeatPlan polling(poll_requests());
  PollsBeside polls;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    polls.add_alone(run_for(extent, service.port(), kConnections, polling));
    IdleConnections idle(service.port(), kIdle, others);
    polls.add_beside(run_for(extent, service.port(), kConnections, polling));
    idle.ask_again();
  }
  return polls.rows(work, "the same without the idle ones", "all are still open afterwards");
}

}  // namespace ota::bench
