#include "tools/otasim/fleet.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <utility>
#include <vector>

namespace ota::sim {
namespace {

constexpr std::chrono::milliseconds kTick{50};
constexpr std::chrono::milliseconds kShowOnTerminal{250};
constexpr std::chrono::milliseconds kShowInFile{5000};

// Throws when the device's file is missing: a fleet that is refused for it would tell less.
std::string certificate_of(const Options& options, const std::string& device) {
  if (options.client_certificates_dir.empty()) return options.client_certificate_file;
  std::string path = options.client_certificates_dir + "/" + device + ".pem";
  if (::access(path.c_str(), R_OK) != 0)
    throw std::runtime_error(fmt::format("--client-certificates: cannot read {}", path));
  return path;
}

DeviceProfile profile_of(World& world, const std::string& id, bool over_mqtt) {
  const Options& options = world.options;
  DeviceProfile profile;
  profile.id = id;
  profile.url = fmt::format("{}/{}/controller/v1/{}", options.server, options.tenant, id);
  profile.over_mqtt = over_mqtt;
  if (over_mqtt) profile.mqtt_password = world.credentials.token_of(id);
  if (!over_mqtt) profile.client = choose_client(options.clients, world.choices, id);
  CallerFields fields = caller_fields(profile.client);
  // Over MQTT a download's link is good by itself.
  if (!over_mqtt) fields.authorization = world.credentials.header_of(id);
  profile.caller = world.http.add_caller({id, std::move(fields), certificate_of(options, id)});
  return profile;
}

std::size_t share_of(double share, std::size_t count) {
  return static_cast<std::size_t>(std::llround(share * static_cast<double>(count)));
}

}  // namespace

std::string_view to_text(StopReason reason) {
  switch (reason) {
    case StopReason::kNone:
      return "not ended";
    case StopReason::kVersion:
      return "version reached";
    case StopReason::kIdle:
      return "idle";
    case StopReason::kDuration:
      return "duration over";
    case StopReason::kSignal:
      return "interrupted";
  }
  return "";
}

std::string device_id(std::string_view prefix, std::size_t number) {
  return fmt::format("{}{:05}", prefix, number);
}

Fleet::Fleet(World& world) : world_(world), on_terminal_(::isatty(STDERR_FILENO) != 0) {
  const Options& options = world.options;
  const FaultOptions& faults = options.faults;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < options.devices; ++i)
    ids.push_back(device_id(options.prefix, options.first + i));
  const std::vector<bool> everyone(ids.size(), true);
  const auto offline =
      world.choices.pick(ids, everyone, share_of(faults.offline_share, ids.size()), "offline");
  const auto slow =
      world.choices.pick(ids, everyone, share_of(faults.slow_share, ids.size()), "slow");
  std::vector<bool> online = offline;
  online.flip();
  const auto failing = world.choices.pick(ids, online, faults.fail_devices, "always-fails");
  const double mqtt_share = options.mqtt_broker ? options.mqtt_share : 0;
  const auto mqtt = world.choices.pick(ids, everyone, share_of(mqtt_share, ids.size()), "mqtt");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    DeviceProfile profile = profile_of(world, ids[i], mqtt[i]);
    profile.online = online[i];
    profile.slow = slow[i];
    profile.always_fails = failing[i];
    devices_.emplace_back(world, std::move(profile));
  }
}

void Fleet::start() {
  started_ = EventLoop::now();
  shown_ = started_;
  world_.stats.last_offer = started_;
  for (Device& device : devices_) {
    if (!device.profile().online) continue;
    const double spread = world_.choices.fraction(device.profile().id, "", "ramp-up");
    device.boot(std::chrono::milliseconds{
        static_cast<std::int64_t>(spread * static_cast<double>(world_.options.ramp_up.count()))});
  }
  tick_ = world_.after(kTick, [this] { tick(); });
}

std::chrono::milliseconds Fleet::running_for() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(EventLoop::now() - started_);
}

void Fleet::stop(StopReason reason) {
  reason_ = reason;
  world_.loop.stop();
}

void Fleet::tick() {
  tick_ = world_.after(kTick, [this] { tick(); });
  const TimePoint now = EventLoop::now();
  const Options& options = world_.options;
  if (options.progress) show_progress(now);
  if (!options.stop_when_version.empty() && all_run_version_or_failed(options.failed_after))
    return stop(StopReason::kVersion);
  if (options.stop_when_idle && all_idle(now)) return stop(StopReason::kIdle);
  if (options.duration && now - started_ >= *options.duration) stop(StopReason::kDuration);
}

bool Fleet::all_run_version_or_failed(std::chrono::milliseconds failed_for) const {
  const TimePoint now = EventLoop::now();
  for (const Device& device : devices_) {
    if (!device.profile().online) continue;
    if (device.is_busy() || device.is_to_report(now, failed_for)) return false;
    if (device.version() == world_.options.stop_when_version) continue;
    const auto failed_at = device.failed_at();
    if (!failed_at || now - *failed_at < failed_for) return false;
  }
  return true;
}

// A device that cannot reach the server may be offered something as soon as it can: that is not
// idle.
bool Fleet::all_idle(TimePoint now) const {
  const auto idle_for = *world_.options.stop_when_idle;
  if (now - world_.stats.last_offer < idle_for) return false;
  for (const Device& device : devices_) {
    if (!device.profile().online) continue;
    if (device.is_busy() || device.is_to_report(now, idle_for) || !device.reaches_server()) return false;
  }
  return true;
}

void Fleet::show_progress(TimePoint now) {
  const auto since = now - shown_;
  if (since < (on_terminal_ ? kShowOnTerminal : kShowInFile)) return;
  std::array<std::size_t, 5> phases{};
  for (const Device& device : devices_)
    if (const auto phase = device.phase()) ++phases[static_cast<std::size_t>(*phase)];
  const auto in = [&phases](Phase phase) { return phases[static_cast<std::size_t>(phase)]; };
  const std::uint64_t requests = world_.http.requests_done();
  const double seconds = std::chrono::duration<double>(since).count();
  const Stats& stats = world_.stats;
  const std::string line = fmt::format(
      "{:5.1f} s  updated {}  failed {}  downloading {}  holding {}  installing {}  rebooting {}  "
      "reporting {}  {:.0f} requests/s  in flight {}  queued {}",
      std::chrono::duration<double>(now - started_).count(), stats.ended(RunEnd::kSucceeded),
      stats.ended(RunEnd::kFailed), in(Phase::kDownloading), in(Phase::kHolding),
      in(Phase::kInstalling), in(Phase::kRebooting), in(Phase::kReporting),
      static_cast<double>(requests - requests_shown_) / seconds, world_.http.in_flight(),
      world_.http.queued());
  fmt::print(stderr, "{}{}{}", on_terminal_ ? "\r" : "", line, on_terminal_ ? "\x1b[K" : "\n");
  std::fflush(stderr);
  shown_ = now;
  requests_shown_ = requests;
}

}  // namespace ota::sim
