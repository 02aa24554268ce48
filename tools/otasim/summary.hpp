// What came of a run: as a table for people, as JSON for scripts, and as an exit code.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/otasim/net/bad_network.hpp"
#include "tools/otasim/stats.hpp"

namespace ota::sim {

struct Summary {
  std::string stopped_by;
  std::chrono::milliseconds wall_time{0};
  std::size_t devices = 0;
  std::size_t online = 0;
  std::map<std::string, std::size_t> devices_by_version;  // online ones
  std::size_t over_mqtt = 0;                              // of the online ones
  std::size_t busy_at_end = 0;
  std::size_t attempts = 0;  // started: deploymentBase was answered 200
  std::size_t attempts_installed = 0;
  std::size_t ends_acked = 0;  // final reports
  std::uint64_t requests = 0;
  std::uint64_t requests_broken = 0;
  std::uint64_t unauthorized = 0;  // answers 401
  std::uint64_t connections = 0;
  std::uint64_t tls_handshakes = 0;
  std::uint64_t tls_resumed = 0;                            // of them
  std::array<std::uint64_t, kFaultKinds> network_faults{};  // by FaultKind
  std::vector<std::string> problems;  // why the exit code is 1; empty: it is 0
};

// Lists what makes a run a failed one: wrong bytes, violations, refused reports, a goal that was
// not reached.
std::vector<std::string> find_problems(const Stats& stats, bool goal_missed);

std::string summary_text(const Summary& summary, const Stats& stats);
std::string summary_json(const Summary& summary, const Stats& stats);

}  // namespace ota::sim
