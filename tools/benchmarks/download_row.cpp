// The downloads' rows: devices that fetch a firmware of 256 MiB as fast as they can, over loopback, beside nginx, which
// sends the very same file.
//
// A device has its download from its deployment, and everything is looked at that decides whether it may have the bytes.
// Of every answer the size and the first bytes are checked.
#include <fmt/format.h>

#include <stdexcept>

#include "tools/benchmarks/download_plan.hpp"
#include "tools/benchmarks/firmware_bytes.hpp"
#include "tools/benchmarks/nginx_peer.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/service_under_test.hpp"

namespace ota::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileBytes = 256 * 1024 * 1024;
constexpr std::size_t kRangeBytes = 1024 * 1024;
constexpr std::size_t kDevices = 16;  // a connection each
constexpr double kMebibyte = 1024 * 1024;
static_assert(kRangeBytes % FirmwareBytes::kPieceBytes == 0);

// Where the service keeps the firmware: the one file of its size.
fs::path stored_file(const fs::path& artifacts) {
  for (const auto& entry : fs::recursive_directory_iterator(artifacts)) {
    if (entry.is_regular_file() && entry.file_size() == kFileBytes) return entry.path();
  }
  throw std::runtime_error("the firmware is not in " + artifacts.string());
}

double run_once(int port, const Extent& extent, const std::vector<std::string>& paths,
                std::size_t range_bytes) {
  DownloadPlan plan(paths, kFileBytes, range_bytes);
  LoadOptions options = plan.options(port);
  options.warm_up = std::chrono::duration<double>(extent.warm_up_seconds());
  options.duration = std::chrono::duration<double>(extent.seconds());
  const LoadResult result = run_load(options, plan);
  return static_cast<double>(result.body_bytes) / kMebibyte / result.seconds;
}

Row measure(const ServiceUnderTest& service, const NginxPeer& nginx, const Extent& extent,
            const std::vector<std::string>& paths, std::size_t range_bytes) {
  const bool whole = range_bytes == kFileBytes;
  const std::string work =
      fmt::format("downloads, {}, {} connections", whole ? "whole" : "ranges of 1 MiB", kDevices);
  const std::vector<std::string> same(kDevices, "/firmware.bin");
  double best = 0;
  double best_peer = 0;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    best = std::max(best, run_once(service.port(), extent, paths, range_bytes));
    best_peer = std::max(best_peer, run_once(nginx.port(), extent, same, range_bytes));
  }
  return {work,
          best,
          "MiB/s",
          Peer{"nginx, sendfile of the same file", best_peer},
          Goal{Goal::Kind::kRatioAtLeast, 0.5, /*binding=*/true},
          fmt::format("{:.0f} requests/s of a file of {:.0f} MiB",
                      best * kMebibyte / static_cast<double>(range_bytes),
                      static_cast<double>(kFileBytes) / kMebibyte)};
}

}  // namespace

Rows measure_downloads(const fs::path& directory, const Extent& extent) {
  ServiceUnderTest service(directory / "service");
  service.register_devices(kDevices);
  service.start_campaign(kDevices, kFileBytes);
  const auto paths = service.begin_downloads(kDevices);
  NginxPeer nginx(directory / "nginx");
  nginx.add_file("firmware.bin", stored_file(directory / "service" / "artifacts"));
  return {measure(service, nginx, extent, paths, kRangeBytes),
          measure(service, nginx, extent, paths, kFileBytes)};
}

}  // namespace ota::bench
