#include "tools/otasim/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <vector>

namespace ota::sim {
namespace {

constexpr int kUsageError = 2;

// What CLI11 fills and Options holds in another type.
struct Raw {
  std::string model = "SF-100";
  std::string hardware = "1.0";
  std::vector<std::string> attributes;
  std::int64_t install_ms = 200;
  std::int64_t reboot_ms = 100;
  std::string reboot;
  std::string mqtt;
  std::int64_t mqtt_keep_alive_s = 60;
  double ramp_up_s = 0;
  double sleep_max_s = 0;
  double timeout_s = 30;
  double connect_timeout_s = 30;
  double stall_max_s = 1;
  double failed_after_s = 10;
  double stop_when_idle_s = 0;
  double duration_s = 0;
};

const std::map<std::string, ClientMix> kClients{{"plain", ClientMix::kPlain},
                                                {"swupdate", ClientMix::kSwupdate},
                                                {"rauc", ClientMix::kRauc},
                                                {"zephyr", ClientMix::kZephyr},
                                                {"mixed", ClientMix::kMixed}};

std::chrono::milliseconds seconds(double value) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(value * 1000.0)};
}

void add_fleet(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("--devices", options.devices, "Number of devices")
      ->check(CLI::Range(std::size_t{1}, kDevicesMax))
      ->capture_default_str();
  app.add_option("--first", options.first, "Number of the first device")->capture_default_str();
  app.add_option("--prefix", options.prefix, "Device id = prefix + number with at least 5 digits")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of every random choice")->capture_default_str();
  app.add_option("--model", raw.model, "Attribute device_model")->capture_default_str();
  app.add_option("--hardware", raw.hardware, "Attribute hardware_version")->capture_default_str();
  app.add_option("--initial-version", options.initial_version,
                 "Attribute firmware_version before the first update")
      ->capture_default_str();
  app.add_option("--attribute", raw.attributes, "Further attribute, key=value; may be repeated");
  app.add_option("--install-ms", raw.install_ms, "Duration of an install")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  auto* one = app.add_option("--reboot-ms", raw.reboot_ms, "Duration of a reboot")
                  ->check(CLI::NonNegativeNumber)
                  ->capture_default_str();
  app.add_option("--reboot", raw.reboot,
                 "Duration of a reboot, MIN-MAX in seconds: no connection at all meanwhile")
      ->excludes(one);
  app.add_option(
         "--client", options.clients,
         "Behave as plain, swupdate, rauc, zephyr, or mixed: each device as one of the last "
         "three")
      ->transform(CLI::CheckedTransformer(kClients, CLI::ignore_case));
}

void add_server(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("--server", options.server, "Address of the service")
      ->envname("OTA_SERVER")
      ->capture_default_str();
  app.add_option("--tenant", options.tenant, "Tenant of the device protocol")
      ->capture_default_str();
  app.add_option("--gateway-token", options.gateway_token,
                 "Sent as Authorization: GatewayToken (not to addresses outside --server)")
      ->envname("OTA_GATEWAY_TOKEN");
  app.add_option("--target-tokens", options.target_tokens_file,
                 "File with a line 'device_id token' for each device that has its own token; sent "
                 "as Authorization: TargetToken")
      ->check(CLI::ExistingFile);
  app.add_option("--ca,--cacert", options.ca_file, "Certificates (PEM) to trust for https")
      ->check(CLI::ExistingFile);
  app.add_flag("--insecure", options.insecure, "Do not check the server's certificate");
  auto* own = app.add_option("--client-certificates", options.client_certificates_dir,
                             "Directory with a <device id>.pem (certificate, chain and key) for "
                             "each device, shown to a server that asks for one")
                  ->check(CLI::ExistingDirectory);
  app.add_option("--client-certificate", options.client_certificate_file,
                 "One such file for all devices")
      ->check(CLI::ExistingFile)
      ->excludes(own);
  app.add_option("--connections-max", options.connections_max,
                 "Open connections at most: devices share them when they have more to say")
      ->check(CLI::Range(std::size_t{1}, kConnectionsMax))
      ->capture_default_str();
  app.add_option("--max-sleep", raw.sleep_max_s, "Cap of the server's polling sleep, seconds")
      ->check(CLI::PositiveNumber);
  app.add_option("--ramp-up", raw.ramp_up_s, "Spread the first polls over so many seconds")
      ->check(CLI::NonNegativeNumber);
}

void add_mqtt(CLI::App& app, Options& options, Raw& raw) {
  // The library's bounds.
  const CLI::Range keep_alive{std::int64_t{5}, std::int64_t{65'535}};
  auto* broker =
      app.add_option("--mqtt", raw.mqtt,
                     "Speak MQTT instead, with the broker HOST:PORT, mqtt://HOST:PORT or "
                     "mqtts://HOST:PORT (TLS). A device's user is its id, its password "
                     "its token of --target-tokens; downloads are HTTP");
  app.add_option("--mqtt-ca", options.mqtt_ca_file,
                 "Certificates (PEM) to trust there (default: as for https)")
      ->check(CLI::ExistingFile)
      ->needs(broker);
  app.add_option("--mqtt-share", options.mqtt_share,
                 "Share of the fleet that speaks MQTT; the rest speaks DDI")
      ->check(CLI::Range{0.0, 1.0})
      ->needs(broker)
      ->capture_default_str();
  app.add_option("--mqtt-qos", options.mqtt_qos,
                 "QoS of what devices say: with 0 the broker acknowledges nothing, and a device waits for the service's answer alone")
      ->check(CLI::Range(0, 1))
      ->needs(broker)
      ->capture_default_str();
  app.add_option("--mqtt-keep-alive", raw.mqtt_keep_alive_s,
                 "Seconds after which a silent device pings")
      ->check(keep_alive)
      ->needs(broker)
      ->capture_default_str();
}

void add_faults(CLI::App& app, FaultOptions& faults) {
  const CLI::Range share{0.0, 1.0};
  app.add_option("--failure-rate", faults.failure_rate, "Probability that an install fails")
      ->check(share);
  app.add_option("--fail-devices", faults.fail_devices,
                 "Exactly so many of the devices that poll fail every install");
  app.add_option("--fail-code", faults.fail_code,
                 "Status code of failed installs (default: varies)")
      ->check(CLI::PositiveNumber);
  app.add_option("--offline-share", faults.offline_share, "Share of devices that never poll")
      ->check(share);
  app.add_option("--slow-share", faults.slow_share, "Share of devices with throttled downloads")
      ->check(share);
  app.add_option("--slow-bytes-per-s", faults.slow_bytes_per_s, "Their throttle")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--duplicate-reports", faults.duplicate_reports,
                 "Probability that an acknowledged report is sent once more")
      ->check(share);
  app.add_option("--late-reports", faults.late_reports,
                 "Probability that an earlier report of an action is sent again after a later one")
      ->check(share);
  app.add_option("--power-cut", faults.power_cut,
                 "Probability that power fails once during an action")
      ->check(share);
}

void add_network(CLI::App& app, NetworkFaults& network, Raw& raw) {
  const CLI::Range share{0.0, 1.0};
  app.add_option(
         "--loss", network.loss,
         "Probability that a request is lost, or (half of them) its answer: the device waits "
         "for --timeout")
      ->check(share);
  app.add_option("--stall", network.stall,
                 "Probability that nothing moves for a while in a request")
      ->check(share);
  app.add_option("--stall-max", raw.stall_max_s, "How long, seconds: a tenth of it to all of it")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option(
         "--reset", network.reset,
         "Probability that the connection is reset in the middle of a request, an answer or "
         "a download")
      ->check(share);
  app.add_option("--half-open", network.half_open,
                 "Probability that the device forgets the connection, of which the server hears "
                 "nothing, and goes on with a new one")
      ->check(share);
  app.add_option("--half-open-max", network.half_open_max,
                 "Forgotten connections at most; then the oldest are closed")
      ->check(CLI::Range(std::size_t{0}, kConnectionsMax))
      ->capture_default_str();
  app.add_option("--timeout", raw.timeout_s,
                 "Seconds that a device waits for an answer, or for the next bytes of a download")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--connect-timeout", raw.connect_timeout_s,
                 "Seconds that it waits for a connection over HTTP, with TLS until it is agreed on")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

void add_run(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("--journal", options.journal_file, "Append every fact to this file, JSON Lines");
  app.add_option("--summary-json", options.summary_file, "Write the summary to this file");
  app.add_option("--report", options.report_file,
                 "Write what every device did to this file at the end, JSON Lines");
  app.add_flag("--progress", options.progress, "Show a live line on stderr");
  app.add_option("--stop-when-version", options.stop_when_version,
                 "End when every device that polls runs this version or has finally failed; "
                 "ending otherwise is then exit code 1");
  app.add_option("--failed-after", raw.failed_after_s,
                 "A failed device has finally failed, one with a success to report waits in vain to be asked "
                 "for it, after so many seconds")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--stop-when-idle", raw.stop_when_idle_s,
                 "End when for so many seconds nothing was offered, no device was busy and every "
                 "device reached the server")
      ->check(CLI::PositiveNumber);
  app.add_option("--duration", raw.duration_s, "End after so many seconds")
      ->check(CLI::PositiveNumber);
}

void complete(Options& options, const Raw& raw) {
  options.attributes["device_model"] = raw.model;
  options.attributes["hardware_version"] = raw.hardware;
  for (const std::string& pair : raw.attributes) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      throw CLI::ValidationError("--attribute", fmt::format("'{}' is not key=value", pair));
    options.attributes[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  while (options.server.ends_with('/')) options.server.pop_back();
  const auto server = parse_url(options.server);
  if (!server)
    throw CLI::ValidationError(
        "--server", fmt::format("'{}' is no address http://host or https://host", options.server));
  options.origin = server->origin;
  if (!raw.mqtt.empty()) {
    options.mqtt_broker = parse_broker(raw.mqtt);
    if (!options.mqtt_broker)
      throw CLI::ValidationError(
          "--mqtt",
          fmt::format("'{}' is not HOST:PORT, mqtt://HOST:PORT or mqtts://HOST:PORT", raw.mqtt));
  }
  if (options.mqtt_ca_file.empty()) options.mqtt_ca_file = options.ca_file;
  options.mqtt_keep_alive = std::chrono::seconds{raw.mqtt_keep_alive_s};
  if (options.prefix.find_first_not_of(
          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") != std::string::npos)
    throw CLI::ValidationError(
        "--prefix", fmt::format("'{}' has characters outside A-Z a-z 0-9 _ . -", options.prefix));
  options.install = std::chrono::milliseconds{raw.install_ms};
  options.reboot_min = options.reboot_max = std::chrono::milliseconds{raw.reboot_ms};
  if (!raw.reboot.empty()) {
    const auto span = parse_span(raw.reboot);
    if (!span)
      throw CLI::ValidationError("--reboot",
                                 fmt::format("'{}' is not MIN-MAX in seconds", raw.reboot));
    options.reboot_min = span->min;
    options.reboot_max = span->max;
  }
  options.ramp_up = seconds(raw.ramp_up_s);
  options.sleep_max = seconds(raw.sleep_max_s);
  options.timeout = seconds(raw.timeout_s);
  options.connect_timeout = seconds(raw.connect_timeout_s);
  NetworkFaults& network = options.faults.network;
  network.stall_max = seconds(raw.stall_max_s);
  if (network.loss + network.stall + network.reset + network.half_open > 1)
    throw CLI::ValidationError("--loss", "together with --stall, --reset and --half-open above 1");
  options.failed_after = seconds(raw.failed_after_s);
  if (raw.stop_when_idle_s > 0) options.stop_when_idle = seconds(raw.stop_when_idle_s);
  if (raw.duration_s > 0) options.duration = seconds(raw.duration_s);
}

}  // namespace

std::optional<Span> parse_span(std::string_view text) {
  constexpr double kSecondsMax = 86'400;
  const auto number = [](std::string_view part) -> std::optional<std::chrono::milliseconds> {
    double value = 0;
    const char* end = part.data() + part.size();
    const auto [stop, error] = std::from_chars(part.data(), end, value, std::chars_format::fixed);
    if (error != std::errc{} || stop != end || !(value >= 0 && value <= kSecondsMax))
      return std::nullopt;
    return seconds(value);
  };
  const auto dash = text.find('-');
  const auto min = number(text.substr(0, dash));
  const auto max = dash == std::string_view::npos ? min : number(text.substr(dash + 1));
  if (!min || !max || *max < *min) return std::nullopt;
  return Span{*min, *max};
}

std::optional<Origin> parse_broker(std::string_view text) {
  const bool tls = text.starts_with("mqtts://");
  const bool has_scheme = tls || text.starts_with("mqtt://");
  if (has_scheme) text.remove_prefix(text.find("//") + 2);
  const auto colon = text.rfind(':');
  const auto bracket = text.rfind(']');  // of an IPv6 address
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (!has_port && !has_scheme) return std::nullopt;
  const char* usual_port = tls ? ":8883" : ":1883";
  const auto url = parse_url(fmt::format("http://{}{}", text, has_port ? "" : usual_port));
  if (!url || url->target != "/") return std::nullopt;
  Origin broker = url->origin;
  broker.tls = tls;
  return broker;
}

CommandLine read_command_line(int argc, char** argv) {
  Options options;
  Raw raw;
  CLI::App app{
      "A simulated fleet of devices that speak the device protocol (hawkBit DDI v1), or MQTT.\n"
      "Exit code: 0 fine, 1 a hash mismatch, a violation of the protocol or a missed goal, "
      "2 usage.",
      "otasim"};
  app.set_version_flag("--version", OTA_VERSION);
  add_server(app, options, raw);
  add_mqtt(app, options, raw);
  add_fleet(app, options, raw);
  add_faults(app, options.faults);
  add_network(app, options.faults.network, raw);
  add_run(app, options, raw);
  try {
    app.parse(argc, argv);
    complete(options, raw);
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, app.exit(error) == 0 ? 0 : kUsageError};
  }
  return {std::move(options), 0};
}

}  // namespace ota::sim
