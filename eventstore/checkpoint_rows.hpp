// The checkpoints that the log keeps of itself, in the family `meta`.
//
//   key    "checkpoint", size of the tree (8 bytes big endian)
//   value  the signed note (checkpoint.hpp)
//
// Some are given up as the log grows (checkpoint_writer.hpp): a consistency proof needs the tree alone, so who holds one that
// is no longer here loses nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "eventstore/database.hpp"

namespace ota::eventstore {

struct CheckpointRow {
  std::uint64_t size = 0;
  std::string note;
};

std::string checkpoint_key(std::uint64_t size);
// The newest of a tree of at most that size. Throws LogError if the database cannot tell, as all here.
std::optional<CheckpointRow> read_checkpoint(const Database& database, std::uint64_t size_at_most = UINT64_MAX);
// Visits those of larger trees than `size`, the smallest first, until it is told to stop.
void read_checkpoints(const Database& database, std::uint64_t size, const std::function<bool(const CheckpointRow&)>& visit,
                      const rocksdb::Snapshot* at = nullptr);

}  // namespace ota::eventstore
