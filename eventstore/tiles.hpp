// The proof tree (RFC 9162) as it is stored: tiles of 256 hashes in the family `tiles`.
//
//   key    level (1 byte, leaves are 0) | tile (8 bytes big endian) | first hash in the row (1 byte)
//   value  n x 32 bytes
//
// The event at position p is leaf p - 1, in tile (p - 1) / 256 of level 0. The root of a full tile is a hash of the level
// above. Every group adds one row with its hashes to each level that grew, in its own batch, so that the tree is as durable
// as the events; when a tile is full, one row with all 256 replaces them. A log of 10 M events has three levels.
#pragma once

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/database.hpp"
#include "eventstore/merkle.hpp"
#include "eventstore/sha256.hpp"
#include "eventstore/tile_levels.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

// How many hashes are stored of a level. Throws LogError on damaged rows, as all here.
std::uint64_t count_hashes(const Database& database, std::uint8_t level);
inline std::uint64_t count_leaves(const Database& database) { return count_hashes(database, 0); }
// The leaf of one event; empty if there is none.
std::optional<Hash> read_leaf(const Database& database, Position position);

// A tile that is not full, or not yet replaced: its hashes, and where its rows begin.
struct TileRows {
  std::string hashes;
  std::vector<std::uint8_t> rows;
};
// Reads the rows of a tile, which must follow one another without a hole.
TileRows read_tile(const Database& database, std::uint64_t tile, std::uint8_t level = 0);

// The complete subtrees of the stored tree, for merkle.hpp. One thread; remembers the tile of each level that it read last.
class StoredTree {
 public:
  explicit StoredTree(const Database& database) : database_(database) {}
  // Throws LogError if the tree does not reach so far.
  Hash subtree(unsigned height, std::uint64_t index);

 private:
  struct Tile {
    std::uint64_t number = 0;
    std::string hashes;
  };
  const Database& database_;
  std::map<std::uint8_t, Tile> last_;
  Sha256 sha_;
};

// Puts the hashes of committed groups into their batches. The writer's thread only.
class TileWriter {
 public:
  // Continues behind what is stored. Stores first what an earlier version did not: all above the leaves.
  explicit TileWriter(const Database& database);

  void add(const Hash& leaf, rocksdb::WriteBatch& batch);
  // Call once a group, after its last leaf.
  void end_group(rocksdb::WriteBatch& batch);
  // The tree of all leaves so far.
  merkle::Tree tree() { return levels_.tree(); }

 private:
  // What batches hold already of the tile that is being filled.
  struct Rows {
    std::size_t hashes = 0;
    std::vector<std::uint8_t> begins;
  };
  Rows& rows_of(std::size_t level);
  void make_upper_levels(const Database& database);
  // One row in the place of those that a full tile has.
  void put_tile(std::size_t level, std::uint64_t tile, std::string_view hashes, rocksdb::WriteBatch& batch);

  rocksdb::ColumnFamilyHandle* family_;
  TileLevels levels_;
  std::vector<Rows> rows_;            // of each level
};

}  // namespace ota::eventstore
