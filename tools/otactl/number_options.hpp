// Numbers of the command line. What is not one is refused with the option's name, the value and what is wanted: CLI11 alone takes
// -1 for the greatest number there is and 010 for eight, and speaks of a range to 1797693...
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace ota::ctl {

inline constexpr std::uint64_t kNumberMax = INT64_MAX;  // what the service takes
inline constexpr double kAnyTime = std::numeric_limits<double>::infinity();

// Counted: positions, limits, ids. In decimal digits alone.
CLI::Option* take_whole(CLI::Option* option, std::uint64_t least, std::uint64_t most = kNumberMax);

// Seconds, also parts of them.
CLI::Option* take_seconds(CLI::Option* option, double least, double most = kAnyTime);

}  // namespace ota::ctl
