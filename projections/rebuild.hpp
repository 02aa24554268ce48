// How views are built once more from the log while they are used.
//
//   builder's thread    fold 0 .. head, again 0 .. head, until little is missing
//   applying thread     group, group, [fold what is missing; show what was built], group, ...
//
// What is shown changes between two groups and at one position, so no reader sees less than before. Queries that have begun
// read the old rows to their end, and what polls read stays where it is and is filled with what was built. On disk the old rows
// count until the new ones are shown; a stop before leaves them, and what was half built goes at the next start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "eventstore/log.hpp"
#include "projections/comparison.hpp"

namespace ota::projections {

// How far it is: events done, of so many. False breaks it off.
using RebuildProgress = std::function<bool(std::uint64_t done, std::uint64_t of)>;

struct RebuildOptions {
  // Runs `work` on the thread that applies, between two groups, and returns when it has run; passes on what it throws.
  std::function<void(const std::function<void()>& work)> between_groups;
  RebuildProgress go_on;
};

// The same with the views that a stopped service has left in `directory`. They are folded as the service did, at the position
// that they have. Throws std::runtime_error with a sentence for people: a service has them open, or there is nothing that this
// version can read.
std::optional<Comparison> verify_at_rest(const std::filesystem::path& directory, const eventstore::Log& log,
                                         const RebuildProgress& go_on);
// Up to the head. False: it was broken off, and nothing has changed.
bool rebuild_at_rest(const std::filesystem::path& directory, const eventstore::Log& log, const RebuildProgress& go_on);

}  // namespace ota::projections
