// A fleet that is known already: its registrations, written into a log before a service opens it.
//
// Through the journal, but past the actors and their door: what it costs to register devices is not
// what the rows measure that need a million of them.
#pragma once

#include <cstddef>
#include <filesystem>

namespace ota::bench {

// The model of the devices, and the version that they run.
inline constexpr const char* kSeededModel = "SF-100";
// Every so many-th device is of another model: a campaign's targets then have holes, as those of a
// fleet have, and do not shrink to a few numbers in the log.
inline constexpr std::size_t kOtherModelEvery = 21;
constexpr bool is_seeded_model(std::size_t device) {
  return device % kOtherModelEvery != kOtherModelEvery - 1;
}
// How many devices there must be for so many of the model.
constexpr std::size_t fleet_with(std::size_t of_the_model) {
  return of_the_model * kOtherModelEvery / (kOtherModelEvery - 1);
}
inline constexpr const char* kSeededVersion = "1.0.0";

// Registers devices 0 to count - 1 (device_plans.hpp), with the ordinals 0 to count - 1, in the new
// log of a service whose data directory this will be. Throws std::runtime_error.
void write_fleet(const std::filesystem::path& data_directory, std::size_t count);

}  // namespace ota::bench
