// The proof tree while it grows, in memory: of each level the tile that is being filled. Everything that is complete hangs
// below the hashes of the level above.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/limits.hpp"
#include "eventstore/merkle.hpp"
#include "eventstore/sha256.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

inline constexpr std::size_t kHashBytes = sizeof(Hash);
inline constexpr std::size_t kTileBytes = limits::kTileLeaves * kHashBytes;
inline constexpr unsigned kTileHeight = 8;   // of the tree over a full tile
static_assert(limits::kTileLeaves == std::size_t{1} << kTileHeight);

inline std::string_view view_of(const Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }
Hash hash_at(std::string_view hashes, std::size_t index);
// The root over a power of two of hashes.
Hash root_over(Sha256& sha, std::string_view hashes);

// One thread.
class TileLevels {
 public:
  // The tile of a level that is being filled.
  struct Level {
    std::uint64_t tile = 0;
    std::string hashes;                 // never full

    std::size_t count() const { return hashes.size() / kHashBytes; }
  };
  // A tile is full: its number, its hashes, and the root over them, which is the next hash of the level above.
  using Full = std::function<void(std::size_t level, std::uint64_t tile, std::string_view hashes, const Hash& root)>;

  TileLevels() : levels_(1) {}
  explicit TileLevels(std::vector<Level> levels) : levels_(std::move(levels)) {}

  void add(const Hash& leaf, const Full& on_full) { add(0, leaf, on_full); }
  const std::vector<Level>& levels() const { return levels_; }
  std::uint64_t size() const { return levels_.front().tile * limits::kTileLeaves + levels_.front().count(); }
  // The tree of all leaves so far.
  merkle::Tree tree();

 private:
  void add(std::size_t level, const Hash& hash, const Full& on_full);

  std::vector<Level> levels_;           // from the leaves up
  Sha256 sha_;
};

}  // namespace ota::eventstore
