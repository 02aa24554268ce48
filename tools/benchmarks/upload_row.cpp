// The upload's rows: the largest firmware there may be, through HTTP into the artifact store.
//
// Each round starts a new service, so that no round profits from memory that an earlier one left
// allocated. Of the memory the worst round counts, not the best: it is a bound.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "tools/benchmarks/disk.hpp"
#include "tools/benchmarks/firmware_bytes.hpp"
#include "tools/benchmarks/memory_watch.hpp"
#include "tools/benchmarks/process.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/service_under_test.hpp"
#include "tools/benchmarks/stopwatch.hpp"

namespace ota::bench {
namespace {

constexpr std::size_t kFileBytes = 524'288'000;
constexpr double kMebibyte = 1024 * 1024;
constexpr double kGrowthMaxMib = 32;

double send_file(ServiceUnderTest& service) {
  const Stopwatch stopwatch;
  service.upload_firmware(kFileBytes);
  return stopwatch.seconds();
}

// What a shell would do: keep the bytes, take the three checksums beside, make them durable.
double pipe_through_tee(const std::filesystem::path& file) {
  const std::string script =
      "{ tee >(md5sum) >(sha1sum) >(sha256sum) >\"$1\"; } | cat >/dev/null && sync \"$1\"";
  FirmwareBytes source(kFileBytes);
  const Stopwatch stopwatch;
  Process shell({"bash", "-c", script, "bash", file.string()});
  for (std::string_view piece = source.take(kFileBytes); !piece.empty();
       piece = source.take(kFileBytes)) {
    shell.write(piece);
  }
  if (shell.finish() != 0) throw std::runtime_error("the upload's peer failed: bash, tee, md5sum");
  const double seconds = stopwatch.seconds();
  if (std::filesystem::file_size(file) != kFileBytes) {
    throw std::runtime_error("the upload's peer did not keep all bytes");
  }
  return seconds;
}

}  // namespace

Rows measure_upload(const std::filesystem::path& directory, const Extent& extent) {
  const std::string work = "upload of 500 MiB";
  double seconds = 1e9;
  double peer_seconds = 1e9;
  double growth_mib = 0;
  for (std::size_t round = 0; round < extent.rounds(); ++round) {
    show_progress(work, round, extent.rounds());
    const auto service_directory = directory / "service";
    settle_disk(directory);
    {
      ServiceUnderTest service(service_directory);
      const MemoryWatch memory(service.pid());
      seconds = std::min(seconds, send_file(service));
      growth_mib = std::max(growth_mib, static_cast<double>(memory.growth_bytes()) / kMebibyte);
    }
    std::filesystem::remove_all(service_directory);
    settle_disk(directory);
    const auto file = directory / "tee.bin";
    peer_seconds = std::min(peer_seconds, pipe_through_tee(file));
    std::filesystem::remove(file);
  }
  const double file_mib = static_cast<double>(kFileBytes) / kMebibyte;
  return {{work + ", memory above before",
           growth_mib,
           "MiB",
           {},
           Goal{Goal::Kind::kValueAtMost, kGrowthMaxMib, /*binding=*/true},
           "peak RssAnon of the service, sampled every 10 ms; the worst round"},
          {work + ", speed", file_mib / seconds, "MiB/s",
           Peer{"tee into md5sum, sha1sum, sha256sum, sync", file_mib / peer_seconds},
           Goal{Goal::Kind::kRatioAtLeast, 0.5, /*binding=*/false},
           fmt::format("{:.1f} s, to the 201", seconds)}};
}

}  // namespace ota::bench
