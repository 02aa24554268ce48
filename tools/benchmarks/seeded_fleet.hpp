// A fleet that is known already: its registrations, written into a log before a service opens it.
//
// Through the journal, but past the actors and their door: what it costs to register devices is not
// what the rows measure that need a million of them.
#pragma once

#include <cstddef>
#include <filesystem>

namespace ota::bench {

// The model of all devices, and the version that they run.
inline constexpr const char* kSeededModel = "SF-100";
inline constexpr const char* kSeededVersion = "1.0.0";

// Registers devices 0 to count - 1 (device_plans.hpp), with the ordinals 0 to count - 1, in the new
// log of a service whose data directory this will be. Throws std::runtime_error.
void write_fleet(const std::filesystem::path& data_directory, std::size_t count);

}  // namespace ota::bench
