// Deletes all snapshots of a log: they save time and nothing else, and nothing proves them. What is folded from the log anew is
// what the log says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace ota::eventstore {

struct DroppedSnapshots {
  std::uint64_t count = 0;
  std::string torn_tail;  // what was cut off of the log when it was opened (Log::torn_tail); empty: nothing
};

// No other process may have the log open. Throws std::runtime_error with a sentence for people, also if the log is not all there.
DroppedSnapshots drop_snapshots(const std::filesystem::path& directory);

}  // namespace ota::eventstore
