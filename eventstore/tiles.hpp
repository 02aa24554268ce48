// The leaves of the proof tree (RFC 9162) as they are stored: tiles of 256 leaf hashes in the
// family `tiles`.
//
//   key    level (1 byte, leaves are 0) | tile (8 bytes big endian) | first leaf in the row (1
//   byte) value  n x 32 bytes
//
// The event at position p is leaf p - 1, in tile (p - 1) / 256. Every group adds one row with its
// leaves, in its own batch, so that leaves are as durable as events; when a tile is full, one row
// with all 256 replaces them.
#pragma once

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/database.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

// How many leaves are stored. Throws LogError on damaged rows, as all here.
std::uint64_t count_leaves(const Database& database);
// The leaf of one event; empty if there is none.
std::optional<Hash> read_leaf(const Database& database, Position position);

// A tile that is not full, or not yet replaced: its leaves, and where its rows begin.
struct TileRows {
  std::string leaves;
  std::vector<std::uint8_t> rows;
};
// Reads the rows of a tile, which must follow one another without a hole.
TileRows read_tile(const Database& database, std::uint64_t tile);

// Puts the leaves of committed groups into their batches. The writer's thread only.
class TileWriter {
 public:
  // Continues behind what is stored.
  explicit TileWriter(const Database& database);

  void add(const Hash& leaf, rocksdb::WriteBatch& batch);
  // Call once a group, after its last leaf.
  void end_group(rocksdb::WriteBatch& batch);

 private:
  std::string key(std::size_t first) const;

  rocksdb::ColumnFamilyHandle* family_;
  std::uint64_t tile_ = 0;
  std::string leaves_;              // of the current tile
  std::size_t leaves_in_rows_ = 0;  // of these, in batches already
  std::vector<std::uint8_t> rows_;  // where those rows begin
};

}  // namespace ota::eventstore
