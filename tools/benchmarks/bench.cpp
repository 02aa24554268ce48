// bench: how fast the service is, each figure beside a peer that does comparable work in the same
// run.
//
//   tools/bench [front-door] [--check] [--quick] [--only journal,ask,...] [--json]
//
// Exit codes: 0 fine, 1 a goal was missed (with --check), 2 bad usage, 70 a measurement failed.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>

#include "tools/benchmarks/options.hpp"
#include "tools/benchmarks/progress.hpp"
#include "tools/benchmarks/roles.hpp"
#include "tools/benchmarks/rows.hpp"
#include "tools/benchmarks/workspace.hpp"

namespace {

using namespace ota::bench;

constexpr int kGoalMissed = 1;

struct Measurement {
  const char* name;
  Rows (*measure)(const std::filesystem::path&, const Extent&);
};
constexpr std::array<Measurement, 13> kMeasurements{{{"journal", measure_journal},
                                                     {"ask", measure_asks},
                                                     {"poll", measure_polls},
                                                     {"report", measure_reports},
                                                     {"postgres", measure_postgres},
                                                     {"download", measure_downloads},
                                                     {"slow", measure_slow_downloads},
                                                     {"campaign", measure_campaign},
                                                     {"grant", measure_grants},
                                                     {"reads", measure_reads},
                                                     {"upload", measure_upload},
                                                     {"import", measure_import},
                                                     {"long-log", measure_long_log}}};

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const Measurement& each : kMeasurements) all.emplace_back(each.name);
  return all;
}

// Appends its figures to `rows`; false, with a line on stderr, if there are none.
bool measure(const Measurement& what, const std::filesystem::path& directory, const Extent& extent,
             Rows& rows) {
  try {
    std::filesystem::create_directory(directory);
    const Rows measured = what.measure(directory, extent);
    rows.insert(rows.end(), measured.begin(), measured.end());
    std::filesystem::remove_all(directory);
    return true;
  } catch (const std::exception& fault) {
    end_progress();
    fmt::print(stderr, "bench: {}: {}\n", what.name, fault.what());
    return false;
  }
}

int measure_all(const Options& options, const std::filesystem::path& directory) {
  signal(SIGPIPE, SIG_IGN);
  const Machine machine = this_machine(directory);
  Rows rows;
  bool failed = false;
  for (const Measurement& each : kMeasurements) {
    if (!options.wants(each.name)) continue;
    failed = !measure(each, directory / each.name, options.extent, rows) || failed;
  }
  end_progress();
  fmt::print("{}", options.json ? as_json(machine, rows) : as_table(machine, rows));
  if (failed) return kMeasurementFailed;
  const bool missed =
      std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.is_miss(); });
  return options.check && missed ? kGoalMissed : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto played = play_role(argc, argv)) return *played;
  const CommandLine line = read_command_line(argc, argv, names());
  if (!line.run) return line.exit_code;
  try {
    return run_in_workspace([&line](const std::filesystem::path& directory) {
      return measure_all(line.options, directory);
    });
  } catch (const std::exception& fault) {
    fmt::print(stderr, "bench: {}\n", fault.what());
    return kMeasurementFailed;
  }
}
