// Deletes all snapshots of a log: they save time and nothing else, and nothing proves them. What is folded from the log anew is
// what the log says.
#pragma once

#include <cstdint>
#include <filesystem>

namespace ota::eventstore {

// How many there were. No other process may have the log open. Throws std::runtime_error with a sentence for people.
std::uint64_t drop_snapshots(const std::filesystem::path& directory);

}  // namespace ota::eventstore
