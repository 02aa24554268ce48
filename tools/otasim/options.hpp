// What the simulated fleet is and how badly it behaves: the command line as plain data.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tools/otasim/client_style.hpp"
#include "tools/otasim/net/bad_network.hpp"
#include "tools/otasim/net/url.hpp"

namespace ota::sim {

// Shares and probabilities are numbers in [0, 1].
struct FaultOptions {
  double failure_rate = 0;       // of an install, drawn for every action
  std::size_t fail_devices = 0;  // so many devices fail always
  int fail_code = 0;             // 0: one of a few, by choice
  double offline_share = 0;
  double slow_share = 0;
  std::int64_t slow_bytes_per_s = 50'000;
  double duplicate_reports = 0;
  double late_reports = 0;
  double power_cut = 0;
  NetworkFaults network;
};

struct Options {
  std::string server = "http://127.0.0.1:8216";
  Origin origin;                      // of server
  std::optional<Origin> mqtt_broker;  // tls: over TLS; none: nobody speaks MQTT
  std::string mqtt_ca_file;           // empty: as for https
  double mqtt_share = 1;              // of the fleet
  int mqtt_qos = 1;                   // of what devices say
  std::chrono::seconds mqtt_keep_alive{60};
  std::string tenant = "DEFAULT";
  std::string gateway_token;  // of those without their own; empty: they send no credentials
  std::string target_tokens_file;
  std::string ca_file;
  bool insecure = false;
  std::string client_certificates_dir;  // with a <device_id>.pem for each device
  std::string client_certificate_file;  // one for all

  std::size_t devices = 10;
  std::size_t first = 1;  // number of the first device
  std::string prefix = "sim-";
  std::uint64_t seed = 1;
  ClientMix clients = ClientMix::kPlain;
  std::string initial_version = "1.0.0";
  std::map<std::string, std::string> attributes;  // device_model, hardware_version, and others

  FaultOptions faults;
  std::chrono::milliseconds install{200};
  std::chrono::milliseconds reboot_min{100};
  std::chrono::milliseconds reboot_max{100};
  std::chrono::milliseconds ramp_up{0};    // first polls are spread over this
  std::chrono::milliseconds sleep_max{0};  // 0: as the server says
  std::size_t connections_max = 256;
  std::chrono::milliseconds timeout{30'000};
  std::chrono::milliseconds connect_timeout{30'000};

  std::string journal_file;
  std::string summary_file;
  std::string report_file;
  bool progress = false;

  std::string stop_when_version;  // empty: no such goal
  std::chrono::milliseconds failed_after{10'000};
  std::optional<std::chrono::milliseconds> stop_when_idle;
  std::optional<std::chrono::milliseconds> duration;
};

// The most devices of one process: their timers and queues are sized for it.
inline constexpr std::size_t kDevicesMax = 100'000;
inline constexpr std::size_t kConnectionsMax = 20'000;

// Reads "MIN-MAX" or one number, seconds, as milliseconds; empty: it is neither. Pure.
struct Span {
  std::chrono::milliseconds min{0};
  std::chrono::milliseconds max{0};
};
std::optional<Span> parse_span(std::string_view text);

// Reads "host:port", "mqtt://host" or "mqtts://host", the latter two with a port or without; empty: it
// is none of them. Pure.
std::optional<Origin> parse_broker(std::string_view text);

// Reads the command line. Answers the options, or the exit code after help, version or a usage
// error were printed.
struct CommandLine {
  std::optional<Options> options;
  int exit_code = 0;
};
CommandLine read_command_line(int argc, char** argv);

}  // namespace ota::sim
