#include "tools/benchmarks/ask_peer.hpp"

#include <caf/all.hpp>
#include <stdexcept>
#include <vector>

namespace ota::bench {
namespace {

caf::behavior echo() {
  return {[](std::uint64_t number) { return number; }};
}

void ask(caf::actor_system& system, const caf::actor& actor, const KeepGoing& keep_going) {
  const caf::scoped_actor self(system);
  bool failed = false;
  for (std::uint64_t number = 0; keep_going(); ++number) {
    self->request(actor, caf::infinite, number)
        .receive([&](std::uint64_t answer) { failed = failed || answer != number; },
                 [&](const caf::error&) { failed = true; });
  }
  if (failed) throw std::runtime_error("a bare CAF request failed");
}

}  // namespace

double bare_requests_per_second(const RoundTrips& load) {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{2});
  config.set("scheduler.max-throughput", std::size_t{64});
  caf::actor_system system(config);
  std::vector<caf::actor> actors;
  for (std::size_t i = 0; i < load.threads; ++i) actors.push_back(system.spawn(echo));
  return round_trips_per_second(load, [&](std::size_t thread, const KeepGoing& keep_going) {
    ask(system, actors[thread], keep_going);
  });
}

}  // namespace ota::bench
