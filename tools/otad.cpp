// otad: the service. Opens the log, the views and the firmware store, then the door; stops on SIGINT or SIGTERM, and
// reads its certificate again on SIGHUP.
//
//   otad [--config FILE] [--SETTING VALUE ...]       otad --help lists every setting
//
// Exit codes: 0 stopped as asked, 1 could not start, 2 bad usage, 70 the log could not be written (fail stop).
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/service.hpp"
#include "eventstore/restore_place.hpp"
#include "gateways/artifact_files.hpp"
#include "gateways/fetch/url_fetcher.hpp"
#include "gateways/mqtt/mqtt_devices.hpp"
#include "gateways/nats/bus.hpp"
#include "http/api.hpp"
#include "http/ddi_downloads.hpp"
#include "http/ddi_messages.hpp"
#include "http/front_door.hpp"
#include "http/live_events.hpp"
#include "tools/heap.hpp"
#include "tools/otad/config.hpp"
#include "tools/otad/exposure.hpp"
#include "tools/otad/log_lines.hpp"
#include "tools/otad/secret_file.hpp"
#include "tools/otad/signal_wait.hpp"

namespace {

using ota::tools::Config;

constexpr std::uint64_t kSweepAgeSeconds = 24 * 3'600;    // decision 34
constexpr std::chrono::hours kSweepEvery{24};

void print_help() {
  fmt::print("otad: the over-the-air update service\n\n  otad [--config FILE] [--SETTING VALUE ...]\n\n"
             "A setting may also stand in the file ([ddi] sleep = \"5m\") or the environment (OTA_DDI_SLEEP=5m);\n"
             "flags win over the environment, the environment over the file.\n\n");
  for (const auto& s : ota::tools::setting_help()) {
    fmt::print("  --{:<24} {} [{}]\n", s.name, s.meaning, s.fallback.empty() ? "none" : s.fallback);
  }
}

// Exits on bad usage.
ota::tools::ConfigSource parse_flags(int argc, char** argv) {
  ota::tools::ConfigSource source;
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i];
    if (flag == "--help" || flag == "-h") {
      print_help();
      std::exit(0);  // NOLINT(concurrency-mt-unsafe)
    }
    if (flag == "--version") {
      fmt::print("otad {}\n", OTA_VERSION);
      std::exit(0);  // NOLINT(concurrency-mt-unsafe)
    }
    if (!flag.starts_with("--")) {
      fmt::print(stderr, "otad: \"{}\" is not a flag; see otad --help\n", flag);
      std::exit(2);  // NOLINT(concurrency-mt-unsafe)
    }
    flag.erase(0, 2);
    std::string value;
    if (const auto equals = flag.find('='); equals != std::string::npos) {
      value = flag.substr(equals + 1);
      flag.erase(equals);
    } else if (++i < argc) {
      value = argv[i];
    } else {
      fmt::print(stderr, "otad: --{} needs a value\n", flag);
      std::exit(2);  // NOLINT(concurrency-mt-unsafe)
    }
    if (flag == "config") {
      source.file = value;
    } else {
      source.flags.emplace_back(flag, value);
    }
  }
  return source;
}

void write_port(const std::optional<std::filesystem::path>& file, int port) {
  if (!file) return;
  const auto temporary = file->string() + ".new";
  std::ofstream(temporary) << port << '\n';
  std::filesystem::rename(temporary, *file);
}

ota::http::ApiOptions api_options_of(const Config& config) {
  ota::http::ApiOptions options;
  options.tenant = config.tenant;
  options.extra_formats = config.extra_formats;
  options.version = OTA_VERSION;
  options.signature_keys = {config.signature_key_files, config.require_signature};
  options.secret = ota::tools::secret_of(config.data_directory / "keys" / "secret", ota::http::Secrets::kBytes);
  options.device_auth = config.device_auth;
  options.device_rates = config.device_rates;
  options.poll_pace = config.poll_pace;
  options.client_attribute = config.client_attribute;
  options.client_of_model = config.client_of_model;
  options.late_feedback_gone = config.late_feedback_gone;
  options.record_audit_reads = config.record_audit_reads;
  options.redirect_url = config.redirect_url;
  options.store_key = config.store_key;
  options.blocked_addresses = config.blocked_addresses;
  return options;
}

ota::http::FrontDoorOptions door_options_of(const Config& config) {
  ota::http::FrontDoorOptions options;
  options.address = config.address;
  options.port = config.port;
  options.devices_only = config.devices_only;
  options.handler_threads = config.handler_threads;
  options.trusted_proxies = config.trusted_proxies;
  options.download_rates = config.download_rates;
  if (config.tls_port) options.tls = {config.tls_address, *config.tls_port, config.tls_devices_only, config.tls};
  return options;
}

void tell_who_gets_in(const Config& config, const ota::http::FrontDoor& door) {
  if (config.tls_port) {
    spdlog::info("TLS on {}:{}, for {}{}", config.tls_address, door.tls_port(), config.tls_devices_only ? "devices" : "everybody",
                 config.tls.client_authority_file.empty() ? "" : ", who may show certificates");
  }
  for (const auto& warning : ota::tools::exposure_of(config)) spdlog::warn("{}", warning);
}

ota::http::DependencyHealth bus_health(const ota::gateways::Bus& bus) {
  const auto status = bus.status();
  return {"nats", status.connected, {{"cursor", std::to_string(status.cursor)},
                                     {"behind", std::to_string(status.behind)},
                                     {"published", std::to_string(status.published)},
                                     {"received", std::to_string(status.received)},
                                     {"malformed", std::to_string(status.malformed)},
                                     {"last_error", status.last_error}}};
}

ota::http::DependencyHealth mqtt_health(const ota::gateways::MqttDevices& mqtt) {
  const auto status = mqtt.status();
  return {"mqtt", status.connected, {{"devices", std::to_string(status.devices)},
                                     {"published", std::to_string(status.published)},
                                     {"waiting", std::to_string(status.waiting)},
                                     {"received", std::to_string(status.received)},
                                     {"malformed", std::to_string(status.malformed)},
                                     {"refused", std::to_string(status.refused)},
                                     {"last_error", status.last_error}}};
}

// Devices over MQTT get their bytes where all others do, by links that are good without credentials.
ota::gateways::MqttHooks mqtt_hooks(const Config& config, ota::http::Api& api) {
  ota::gateways::MqttHooks hooks;
  hooks.url_of = [&config, &api](const ota::domain::DeviceId& device, const ota::domain::Firmware& firmware) {
    if (!firmware.content_here) return firmware.record.file_url;
    ota::http::ddi::Links links;
    links.origin = config.public_url;
    links.path = ota::http::ddi::device_path(config.tenant, device.value);
    links.sign = [&api](std::string_view path) { return api.auth.signed_query(path, api.service.now()); };
    return ota::http::ddi::artifact_link(links, firmware);
  };
  hooks.on_seen = [&api](ota::domain::Ordinal device) { api.last_seen.note(device, api.service.now(), ""); };
  return hooks;
}

// A source that fails is its owner's trouble: shown, and no reason to call the service unhealthy.
ota::http::DependencyHealth fetcher_health(const ota::gateways::UrlFetcher& fetcher) {
  const auto summary = fetcher.summary();
  return {"firmware_sources", true, {{"running", std::to_string(summary.running)},
                                     {"waiting", std::to_string(summary.waiting)},
                                     {"fetched", std::to_string(summary.brought)},
                                     {"last_error", summary.last_error}}};
}

// Temporaries and bytes that no firmware refers to (decision 34). While the views are broken nobody
// knows what that is.
void sweep(ota::actors::ArtifactStore& artifacts, const ota::actors::Service& service) {
  if (!service.views().broken().empty()) return;
  const auto swept = artifacts.sweep(
      kSweepAgeSeconds, [&](const auto& sha256) { return service.views().refers_to(sha256); });
  if (swept.temporaries_removed + swept.orphans_removed == 0) return;
  spdlog::info("swept {} unfinished uploads and {} unreferenced artifacts, {} bytes",
               swept.temporaries_removed, swept.orphans_removed, swept.bytes_freed);
}

// Ends a gateway before the service that its threads use.
template <class Gateway>
class StopAtEnd {
 public:
  explicit StopAtEnd(Gateway* gateway) : gateway_(gateway) {}
  ~StopAtEnd() {
    if (gateway_) gateway_->stop();
  }
  StopAtEnd(const StopAtEnd&) = delete;
  StopAtEnd& operator=(const StopAtEnd&) = delete;

 private:
  Gateway* gateway_;
};

void serve(const Config& config, const sigset_t& signals) {
  ota::eventstore::refuse_half_restored(config.data_directory);  // before anything is made there
  auto artifacts = ota::gateways::open_artifact_files(config.data_directory / "artifacts");
  std::unique_ptr<ota::gateways::Bus> bus;
  std::unique_ptr<ota::gateways::UrlFetcher> fetcher;
  ota::actors::ServiceOptions options;
  if (!config.nats_url.empty()) {
    ota::gateways::BusOptions bus_options;
    bus_options.url = config.nats_url;
    bus_options.ca_file = config.nats_ca_file;
    bus_options.device_deleted_subject = config.nats_device_deleted;
    bus_options.user_deleted_subject = config.nats_user_deleted;
    bus_options.cursor_directory = config.data_directory / "bus";
    bus = std::make_unique<ota::gateways::Bus>(std::move(bus_options));
    options.tails.push_back(&bus->tail());
  }
  if (config.fetch_firmware) {
    fetcher = std::make_unique<ota::gateways::UrlFetcher>(*artifacts);
    options.tails.push_back(&fetcher->tail());
  }
  std::unique_ptr<ota::gateways::MqttDevices> mqtt;
  if (!config.mqtt.host.empty()) {
    mqtt = std::make_unique<ota::gateways::MqttDevices>(config.mqtt);
    options.tails.push_back(&mqtt->tail());
  }
  ota::http::LiveEvents live_events;
  options.tails.push_back(&live_events);
  options.data_directory = config.data_directory;
  options.key_directory = config.data_directory / "keys";
  options.disk.keep_free = config.keep_free;
  options.verify_every = config.verify_every;
  options.backup_directory = config.backup_directory;
  options.backup_every = config.backup_every;
  options.backups_kept = config.backups_kept;
  options.replace_lost_log_key = config.replace_lost_log_key;
  options.settings = config.settings;
  options.scheduler_threads = config.scheduler_threads;
  options.waiting_at_stall_max = config.handler_threads / 2;
  options.progress = [](std::uint64_t done, std::uint64_t of) {
    spdlog::info("bringing the views up to date: {} of {} events", done, of);
  };
  const auto service = ota::actors::Service::open(std::move(options));

  const StopAtEnd bus_stop(bus.get());
  const StopAtEnd fetcher_stop(fetcher.get());
  sweep(*artifacts, *service);
  ota::tools::give_back_free_memory();  // what bringing the views up to date took

  auto api_options = api_options_of(config);
  api_options.fetcher = fetcher.get();
  api_options.live_events = &live_events;
  api_options.neighbours = [&] {
    std::vector<ota::http::DependencyHealth> neighbours;
    if (bus) neighbours.push_back(bus_health(*bus));
    if (fetcher) neighbours.push_back(fetcher_health(*fetcher));
    if (mqtt) neighbours.push_back(mqtt_health(*mqtt));
    return neighbours;
  };
  ota::http::Api api(*service, *artifacts, std::move(api_options));
  const auto seen_file = config.data_directory / "last_seen";
  api.last_seen.take_up(seen_file, service->log().head().value);
  ota::http::Router router;
  api.add_to(router);
  auto door_options = door_options_of(config);
  door_options.on_refused = [&](const ota::http::RequestContext& context) { ota::http::ddi::note_refused(context, api); };
  door_options.endless.news = live_events.bell();
  ota::http::FrontDoor door(door_options, [&](ota::http::RequestContext& context) { router.handle(context); });
  door.start();
  api.port = door.port();
  if (bus) bus->start(*service);
  if (fetcher) fetcher->start(*service);
  const StopAtEnd mqtt_stop(mqtt.get());  // its threads use the door's ways to links, too
  if (mqtt) mqtt->start(*service, mqtt_hooks(config, api));
  write_port(config.port_file, door.port());
  write_port(config.tls_port_file, door.tls_port());
  spdlog::info("otad {} serves http://{}:{} from {}; log position {}", OTA_VERSION, config.address, door.port(),
               config.data_directory.string(), service->log().head().value);
  tell_who_gets_in(config, door);

  const auto reload = [&] {
    if (!config.tls_port) return;
    try {
      door.reload_certificate();
      spdlog::info("the certificate was read again");
    } catch (const std::exception& fault) {
      spdlog::error("the certificate stays as it was: {}", fault.what());
    }
  };
  const int signal = ota::tools::wait_for_signal(signals, kSweepEvery, [&] {
    try {
      sweep(*artifacts, *service);
    } catch (const std::exception& fault) {  // another day
      spdlog::error("the daily sweep failed: {}", fault.what());
    }
  }, reload);
  spdlog::info("stopping on signal {}", signal);
  door.stop();
  try {
    api.last_seen.keep(seen_file, service->log().head().value);
  } catch (const std::exception& fault) {  // no reason not to end well
    spdlog::error("when devices were here last is lost: {}", fault.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Every thread inherits the mask; the main thread alone waits for these.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  try {
    const auto config = ota::tools::load_config(parse_flags(argc, argv));
    ota::tools::log_json_lines(config.log_level);
    serve(config, signals);
    spdlog::info("stopped");
    return 0;
  } catch (const ota::tools::ConfigError& fault) {
    fmt::print(stderr, "otad: {}; see otad --help\n", fault.what());
    return 2;
  } catch (const std::exception& fault) {
    fmt::print(stderr, "otad: {}\n", fault.what());
    return 1;
  }
}
