#include "tools/benchmarks/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

namespace ota::bench {
namespace {

// Words for several measurements.
const std::map<std::string, std::vector<std::string>> kGroups{
    {"front-door", {"poll", "report", "download", "slow"}}, {"log", {"long-log", "journal", "postgres"}}};

std::vector<std::string> group_names() {
  std::vector<std::string> names;
  for (const auto& [name, members] : kGroups) names.push_back(name);
  return names;
}

}  // namespace

bool Options::wants(const std::string& what) const {
  return only.empty() || std::find(only.begin(), only.end(), what) != only.end();
}

CommandLine read_command_line(int argc, char** argv, const std::vector<std::string>& measurements) {
  constexpr int kUsageError = 2;
  CommandLine line;
  Options& options = line.options;
  CLI::App app{
      "Measures the service beside peers that do comparable work in the same run; of three rounds "
      "the best counts, but of memory and of delays the worst.\n"
      "Exit code: 0 fine, 1 a goal was missed (with --check), 2 usage, 70 a measurement failed.",
      "bench"};
  app.set_version_flag("--version", OTA_VERSION);
  app.add_flag("--check", options.check, "Exit 1 if a goal that is not in brackets is missed");
  app.add_flag("--quick", options.extent.quick, "One short round of each: to see that it works");
  app.add_option("--only", options.only, "Only these, separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember(measurements));
  std::vector<std::string> groups;
  app.add_option("group", groups, "Only the measurements of a group")
      ->check(CLI::IsMember(group_names()));
  app.add_flag("--json", options.json, "Print one JSON object instead of a table");
  try {
    app.parse(argc, argv);
    for (const std::string& group : groups) {
      const auto& members = kGroups.at(group);
      options.only.insert(options.only.end(), members.begin(), members.end());
    }
    line.run = true;
  } catch (const CLI::ParseError& error) {
    line.exit_code = app.exit(error) == 0 ? 0 : kUsageError;
  }
  return line;
}

}  // namespace ota::bench
