// otad's settings: defaults, then the file, then the environment, then flags; the last one wins.
//
// One table names every setting once: "ddi.sleep" in the file is [ddi] sleep, OTA_DDI_SLEEP in the environment and
// --ddi.sleep on the command line. What is unknown or out of range is refused with its name and value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "domain/settings.hpp"
#include "gateways/mqtt/mqtt_devices.hpp"
#include "http/device_auth_options.hpp"
#include "http/device_limits.hpp"
#include "http/ip_networks.hpp"
#include "http/poll_pace.hpp"
#include "http/presigned_url.hpp"
#include "http/throttle.hpp"
#include "http/tls.hpp"

namespace ota::tools {

struct Config {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8216;                       // 0: a free one
  bool devices_only = false;                       // http.serves
  http::IpNetworks trusted_proxies;
  std::optional<std::uint16_t> tls_port;           // absent: no TLS
  std::string tls_address = "0.0.0.0";
  std::optional<std::filesystem::path> tls_port_file;
  http::TlsOptions tls;
  bool client_certificates_required = false;
  bool tls_devices_only = true;                    // tls.serves
  http::DeviceAuthOptions device_auth;
  http::DeviceRates device_rates;
  http::PollPaceOptions poll_pace{.polls_per_s = 2'000, .jitter_percent = 10};
  http::TransferRates download_rates;
  bool late_feedback_gone = false;
  bool record_audit_reads = false;
  std::string redirect_url;                        // downloads.redirect_url
  http::StoreKey store_key;                        // downloads.store_*
  http::IpNetworks blocked_addresses;              // ddi.blocked_addresses
  std::string client_attribute = "ddi_client";
  std::map<std::string, std::string> client_of_model;
  std::filesystem::path data_directory = "ota-data";
  std::string log_level = "info";
  std::string tenant = "DEFAULT";                  // ddi.tenant
  domain::Settings settings;
  std::vector<std::string> extra_formats;          // firmware.extra_formats, "swu,raucb"
  bool fetch_firmware = true;                      // firmware.fetch
  std::vector<std::filesystem::path> signature_key_files;
  bool require_signature = false;
  bool replace_lost_log_key = false;               // log.replace_lost_key
  std::chrono::milliseconds verify_every{std::chrono::hours(24)};   // log.verify_every; 0: when somebody asks
  std::uint64_t keep_free = 256'000'000;           // log.keep_free
  std::filesystem::path backup_directory;          // backup.directory; empty: no backups
  std::chrono::milliseconds backup_every{0};       // backup.every; 0: when somebody asks
  std::size_t backups_kept = 7;                    // backup.keep
  std::size_t handler_threads = 128;
  std::size_t scheduler_threads = 2;
  std::string nats_url;                            // empty: no bus
  std::string nats_ca_file;                        // empty: the system's authorities
  std::string nats_device_deleted = "device_service.device.deleted";
  std::string nats_user_deleted = "account_service.user.deleted";
  gateways::MqttOptions mqtt;                      // without a host: no MQTT
  std::string public_url;                          // ddi.public_url, without a slash at its end
  std::optional<std::filesystem::path> port_file;  // where the bound port is written once the door is open
};

struct ConfigSource {
  std::optional<std::filesystem::path> file;
  std::vector<std::pair<std::string, std::string>> flags;   // "ddi.sleep" -> "1s"
};

// A setting that is unknown or cannot be: bad usage.
struct ConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws ConfigError with a sentence that names the setting, the value and where it came from.
Config load_config(const ConfigSource& source);

// Every setting with its default and meaning, for --help.
struct SettingHelp {
  std::string name;
  std::string fallback;
  std::string meaning;
};
std::vector<SettingHelp> setting_help();

}  // namespace ota::tools
