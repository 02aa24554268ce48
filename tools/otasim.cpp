// otasim: a simulated fleet of devices in one process, for tests, benchmarks and demonstrations.
//
// The devices speak the device protocol (hawkBit DDI v1) over HTTP, or MQTT, and know nothing else of
// the service. See tools/otasim/ for the parts: device (its life), update_run (its work on one action),
// fate (what will go wrong), net/ (the connections), fleet (when it ends), journal and summary (what
// came of it).
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "tools/otasim/fleet.hpp"
#include "tools/otasim/options.hpp"
#include "tools/otasim/report_file.hpp"
#include "tools/otasim/summary.hpp"
#include "tools/otasim/world.hpp"

namespace ota::sim {
namespace {

// Files beside the connections: journal, epoll, signals, standard streams, name resolution.
constexpr rlim_t kOtherFiles = 64;

void allow_open_files(std::size_t sockets_max) {
  const rlim_t wanted = sockets_max + kOtherFiles;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  if (limit.rlim_max < wanted)
    throw std::runtime_error(
        fmt::format("{} open files are needed for --connections-max, --half-open-max and --mqtt, "
                    "the limit is {} "
                    "(ulimit -Hn)",
                    wanted, limit.rlim_max));
  limit.rlim_cur = wanted;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) throw std::runtime_error("setrlimit failed");
}

HttpSettings http_settings(const Options& options) {
  HttpSettings settings;
  settings.server = options.origin;
  settings.connections_max = options.connections_max;
  settings.timeout = options.timeout;
  settings.connect_timeout = options.connect_timeout;
  settings.tls = {options.ca_file, options.insecure};
  settings.faults = options.faults.network;
  return settings;
}

std::unique_ptr<MqttNetwork> mqtt_network(EventLoop& loop, const Options& options) {
  if (!options.mqtt_broker) return nullptr;
  MqttSettings settings;
  settings.broker = *options.mqtt_broker;
  settings.ca_file = options.mqtt_ca_file;
  settings.insecure = options.insecure;
  settings.publish_qos = options.mqtt_qos;
  settings.keep_alive = options.mqtt_keep_alive;
  settings.timeout = options.timeout;
  settings.half_open_max = options.faults.network.half_open_max;
  return std::make_unique<MqttNetwork>(loop, settings);
}

// With MQTT each device has a connection of its own; and half-open ones there, too.
std::size_t sockets_max(const Options& options) {
  const std::size_t half_open = options.faults.network.half_open_max;
  const std::size_t mqtt = options.mqtt_broker ? options.devices + half_open : 0;
  return options.connections_max + half_open + mqtt;
}

Summary summarise(const Fleet& fleet, const World& world) {
  Summary summary;
  const StopReason reason =
      world.loop.was_interrupted() ? StopReason::kSignal : fleet.stop_reason();
  summary.stopped_by = to_text(reason);
  summary.wall_time = fleet.running_for();
  summary.devices = fleet.devices().size();
  for (const Device& device : fleet.devices()) {
    if (!device.profile().online) continue;
    ++summary.online;
    ++summary.devices_by_version[device.version()];
    if (device.profile().over_mqtt) ++summary.over_mqtt;
    if (device.is_busy()) ++summary.busy_at_end;
    for (const Attempt& attempt : device.record().attempts()) {
      if (attempt.reads > 0) ++summary.attempts;
      if (attempt.installs > 0) ++summary.attempts_installed;
      if (!attempt.acked_end.empty()) ++summary.ends_acked;
    }
  }
  summary.requests = world.http.requests_done();
  summary.requests_broken = world.http.requests_broken();
  summary.unauthorized = world.http.unauthorized();
  summary.tls_handshakes = world.http.tls_handshakes();
  summary.tls_resumed = world.http.tls_resumed();
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    summary.network_faults[i] = world.http.faults(kind);
    if (world.mqtt != nullptr) summary.network_faults[i] += world.mqtt->faults(kind);
  }
  summary.connections = world.http.connections_opened();
  const bool goal_missed = !world.options.stop_when_version.empty() &&
                           reason != StopReason::kSignal &&
                           !fleet.all_run_version_or_failed(std::chrono::milliseconds{0});
  summary.problems = find_problems(world.stats, goal_missed);
  return summary;
}

int run(const Options& options) {
  allow_open_files(sockets_max(options));
  const Choices choices{options.seed};
  const Credentials credentials{options.gateway_token, options.target_tokens_file};
  Journal journal{options.journal_file};
  Stats stats;
  EventLoop loop;
  HttpClient http{loop, http_settings(options), choices};
  const auto mqtt = mqtt_network(loop, options);
  World world{options, choices, credentials, loop, http, mqtt.get(), journal, stats};
  Fleet fleet{world};
  fleet.start();
  if (mqtt) {
    TwoSources both{http, *mqtt};
    loop.run(both);
  } else {
    loop.run(http);
  }

  if (options.progress) fmt::print(stderr, "\n");
  const Summary summary = summarise(fleet, world);
  fmt::print("{}", summary_text(summary, stats));
  if (!options.summary_file.empty()) {
    std::ofstream file{options.summary_file, std::ios::trunc};
    file << summary_json(summary, stats) << std::flush;
    if (!file)
      throw std::runtime_error(fmt::format("cannot write --summary-json {}", options.summary_file));
  }
  if (!options.report_file.empty()) write_report(options.report_file, fleet);
  return summary.problems.empty() ? 0 : 1;
}

}  // namespace
}  // namespace ota::sim

int main(int argc, char** argv) {
  const ota::sim::CommandLine command = ota::sim::read_command_line(argc, argv);
  if (!command.options) return command.exit_code;
  try {
    return ota::sim::run(*command.options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "otasim: {}\n", error.what());
  }
  return 1;
}
