// The log of a fleet that has been updated for weeks (lived_fleet.hpp), and what it takes on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "domain/ids.hpp"
#include "tools/benchmarks/device_plans.hpp"

namespace ota::bench {

struct LivedLog {
  std::uint64_t events = 0;
  std::uint32_t devices = 0;
  std::optional<domain::CampaignId> closed_campaign;  // half of the devices were its targets; the newest that has closed
  std::vector<ReportsPlan::Reporting> updating;                 // its devices in the middle of an attempt
  double seconds = 0;                     // that its making took
};

// A device for every so many events: with 10,000,000 each campaign is one of 100,000 devices.
inline constexpr std::uint64_t kEventsADevice = 50;

// Makes the log of a service, with its key, in the new directory `data_directory`. Throws std::runtime_error.
LivedLog make_lived_log(const std::filesystem::path& data_directory, std::uint64_t events);

struct LogOnDisk {
  std::uint64_t bytes = 0;                // of all files
  std::vector<std::pair<std::string, std::uint64_t>> families;  // of the tables of each, largest first
};

// Waits until nothing more is moved by itself in a log that nobody has open, and measures it.
LogOnDisk measure_settled_log(const std::filesystem::path& log_directory);

}  // namespace ota::bench
