// The campaign's rows: from the request to create it to the first device that is offered the update,
// on a million of the devices that are known already.
//
// Over HTTP, since that is how it is asked for: with a filter that they match, and with a list of
// their ids. After each round the campaign is cancelled, so that the next one stands alone. Of
// the log and of the memory the worst round counts: they are bounds.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "tools/benchmarks/device_plans.hpp"
#include "tools/benchmarks/disk.hpp"
#include "tools/benchmarks/memory_watch.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/seeded_fleet.hpp"
#include "tools/benchmarks/service_under_test.hpp"
#include "tools/benchmarks/stopwatch.hpp"

namespace ota::bench {
namespace {

constexpr double kMebibyte = 1024 * 1024;
constexpr double kFilterSecondsMax = 1;
constexpr double kListSecondsMax = 5;
constexpr double kLogMaxMib = 2;
constexpr double kMemoryMaxMib = 64;

struct Creation {
  double seconds = 1e9;  // to the first offer
  double log_mib = 0;
  double memory_mib = 0;
};

// The log's write-ahead files: whatever is committed goes through them, with all its index rows.
std::map<std::filesystem::path, std::uint64_t> files_of(const std::filesystem::path& log) {
  std::map<std::filesystem::path, std::uint64_t> bytes;
  for (const auto& entry : std::filesystem::directory_iterator(log)) {
    if (entry.path().extension() == ".log") bytes[entry.path()] = entry.file_size();
  }
  return bytes;
}

std::uint64_t bytes_since(const std::map<std::filesystem::path, std::uint64_t>& before,
                          const std::filesystem::path& log) {
  std::uint64_t grown = 0;
  for (const auto& [file, bytes] : files_of(log)) {
    const auto known = before.find(file);
    grown += bytes - (known == before.end() ? 0 : known->second);
  }
  return grown;
}

nlohmann::json policy(const std::string& firmware) {
  return {{"name", "bench"},
          {"firmware_id", firmware},
          {"deployment_strategy", "immediate"},
          {"max_concurrent_updates", 1'000}};
}

std::string body_with_filter(const std::string& firmware) {
  auto body = policy(firmware);
  body["target_filters"] = {{"device_model", kSeededModel}};
  return body.dump();
}

std::string body_with_list(const std::string& firmware, std::size_t devices) {
  auto body = policy(firmware);
  auto& targets = body["target_devices"] = nlohmann::json::array();
  for (std::size_t device = 0; device < devices; ++device) {
    if (is_seeded_model(device)) targets.push_back(device_name(device));
  }
  return body.dump();
}

// `first`: a device that was never granted anything.
Creation create_once(ServiceUnderTest& service, const std::filesystem::path& log,
                     const std::string& body, std::size_t first) {
  settle_disk(log);
  const auto log_before = files_of(log);
  const MemoryWatch memory(service.pid());
  const Stopwatch stopwatch;
  const auto campaign = service.create_campaign(body);
  service.command(campaign, "start");
  StepsPlan asking(first, /*count=*/1, /*connections=*/1, {Step::kPoll, Step::kDeployment});
  run_load({.port = service.port(), .connections = 1}, asking);
  const double seconds = stopwatch.seconds();
  const Creation creation{seconds, static_cast<double>(bytes_since(log_before, log)) / kMebibyte,
                          static_cast<double>(memory.growth_bytes()) / kMebibyte};
  service.command(campaign, "cancel");
  return creation;
}

struct Series {
  ServiceUnderTest& service;
  const std::filesystem::path log;
  const Extent& extent;
  std::size_t next_device = 0;

  Creation run(const std::string& work, const std::string& body) {
    Creation found;
    for (std::size_t round = 0; round < extent.rounds(); ++round) {
      show_progress(work, round, extent.rounds());
      const auto once = create_once(service, log, body, next_device++);
      found.seconds = std::min(found.seconds, once.seconds);
      found.log_mib = std::max(found.log_mib, once.log_mib);
      found.memory_mib = std::max(found.memory_mib, once.memory_mib);
    }
    return found;
  }
};

Row row_of(std::string work, double value, std::string unit, double bound, std::string note) {
  return {std::move(work), value,          std::move(unit),
          {},              Goal{Goal::Kind::kValueAtMost, bound, /*binding=*/true},
          std::move(note)};
}

}  // namespace

Rows measure_campaign(const std::filesystem::path& directory, const Extent& extent) {
  const std::size_t targets = extent.quick ? 50'000 : 1'000'000;
  const std::size_t devices = fleet_with(targets);
  const auto of = fmt::format("campaign on {} of {} known devices", targets, devices);
  const auto data = directory / "campaign";
  show_progress(of, 0, extent.rounds());
  write_fleet(data, devices);
  ServiceUnderTest service(data);
  const auto firmware = service.upload_firmware();
  Series series{service, data / "log", extent};
  const auto filtered = series.run(of + " by filter", body_with_filter(firmware));
  const auto list = body_with_list(firmware, devices);
  const auto listed = series.run(of + " by list", list);
  constexpr const char* kWorst = "the worst round";
  return {row_of(of + " by filter, to the first offer", filtered.seconds, "s", kFilterSecondsMax,
                 "POST campaign, POST start, poll and deploymentBase of one device"),
          row_of(of + " by filter, log", filtered.log_mib, "MiB", kLogMaxMib,
                 std::string("bytes written ahead; ") + kWorst),
          row_of(of + " by filter, memory above before", filtered.memory_mib, "MiB", kMemoryMaxMib,
                 std::string("peak RssAnon, sampled every 10 ms; ") + kWorst),
          row_of(of + " by ids in the body, to the first offer", listed.seconds, "s",
                 kListSecondsMax,
                 fmt::format("a body of {:.1f} MiB; log {:.2f} MiB, peak memory {:.0f} MiB above before",
                             static_cast<double>(list.size()) / kMebibyte, listed.log_mib,
                             listed.memory_mib))};
}

}  // namespace ota::bench
