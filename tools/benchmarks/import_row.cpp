// The import's row: a CSV file of devices that nobody knows, from its first byte to the answer, which comes when all of
// them are durable and visible.
//
// Each round starts a new service on an empty directory. Of the memory the worst round counts: what the service keeps of a
// million devices is in it, so it is told beside the row and no bound.
#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tools/benchmarks/device_plans.hpp"
#include "tools/benchmarks/disk.hpp"
#include "tools/benchmarks/memory_watch.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/service_under_test.hpp"
#include "tools/benchmarks/stopwatch.hpp"

namespace ota::bench {
namespace {

constexpr double kDevicesPerSecondMin = 50'000;
constexpr double kMebibyte = 1024 * 1024;

std::string file_of(std::size_t devices) {
  std::string csv =
      "device_id,device_model,hardware_version,firmware_version,groups,attribute.site\n";
  for (std::size_t device = 0; device < devices; ++device) {
    csv += fmt::format("{},SF-100,1.2,1.0.0,fleet-{},site-{}\n", device_name(device), device % 16,
                       device % 100);
  }
  return csv;
}

double import_once(const ServiceUnderTest& service, const std::string& csv, std::size_t devices) {
  constexpr time_t kTimeoutS = 300;
  httplib::Client client("127.0.0.1", service.port());
  client.set_read_timeout(kTimeoutS);
  client.set_write_timeout(kTimeoutS);
  const Stopwatch stopwatch;
  const auto result = client.Post("/api/v1/ota/devices/import", csv, "text/csv");
  const double seconds = stopwatch.seconds();
  if (!result) throw std::runtime_error("the import: " + httplib::to_string(result.error()));
  const auto report = nlohmann::json::parse(result->body, nullptr, false);
  if (result->status != 200 || report.value("registered", std::size_t{0}) != devices) {
    throw std::runtime_error(
        fmt::format("the import: status {}: {}", result->status, result->body));
  }
  return seconds;
}

}  // namespace

Rows measure_import(const std::filesystem::path& directory, const Extent& extent) {
  const std::size_t devices = extent.quick ? 100'000 : 1'000'000;
  const std::string work = fmt::format("{} fresh devices imported over HTTP", devices);
  const std::string csv = file_of(devices);
  double seconds = 1e9;
  double growth_mib = 0;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    const auto data = directory / "service";
    settle_disk(directory);
    {
      const ServiceUnderTest service(data);
      const MemoryWatch memory(service.pid());
      seconds = std::min(seconds, import_once(service, csv, devices));
      growth_mib = std::max(growth_mib, static_cast<double>(memory.growth_bytes()) / kMebibyte);
    }
    std::filesystem::remove_all(data);
  }
  return {{work,
           static_cast<double>(devices) / seconds,
           "devices/s",
           {},
           Goal{Goal::Kind::kValueAtLeast, kDevicesPerSecondMin, /*binding=*/true},
           fmt::format("CSV of {:.0f} MiB, all new, to the answer; {:.1f} s; peak memory {:.0f} "
                       "MiB above before",
                       static_cast<double>(csv.size()) / kMebibyte, seconds, growth_mib)}};
}

}  // namespace ota::bench
