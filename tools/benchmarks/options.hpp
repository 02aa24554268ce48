// The command line of bench.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ota::bench {

// How much is measured: the rows take their sizes from it.
struct Extent {
  bool quick = false;
  std::size_t rounds() const { return quick ? 1 : 3; }  // the best counts
  double seconds() const { return quick ? 1.0 : 3.0; }  // of a row that is measured by time
  double warm_up_seconds() const { return quick ? 0.2 : 0.5; }
};

struct Options {
  Extent extent;
  bool check = false;
  bool json = false;
  std::vector<std::string> only;  // of the measurements; empty: all

  bool wants(const std::string& what) const;
};

struct CommandLine {
  bool run = false;
  int exit_code = 0;  // where there is nothing to run: help, or bad usage
  Options options;
};

// `measurements` are the names that there are.
CommandLine read_command_line(int argc, char** argv, const std::vector<std::string>& measurements);

}  // namespace ota::bench
