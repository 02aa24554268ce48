#include "eventstore/tile_levels.hpp"

#include <cstring>
#include <utility>

#include "eventstore/assert.hpp"

namespace ota::eventstore {

Hash hash_at(std::string_view hashes, std::size_t index) {
  Hash hash;
  OTA_ASSERT((index + 1) * kHashBytes <= hashes.size());
  std::memcpy(hash.data(), hashes.data() + index * kHashBytes, kHashBytes);
  return hash;
}

Hash root_over(Sha256& sha, std::string_view hashes) {
  std::vector<Hash> level(hashes.size() / kHashBytes);
  std::memcpy(level.data(), hashes.data(), hashes.size());
  for (std::size_t count = level.size(); count > 1; count /= 2) {
    for (std::size_t i = 0; i < count / 2; ++i) level[i] = merkle::node(sha, level[2 * i], level[2 * i + 1]);
  }
  return level.front();
}

void TileLevels::add(std::size_t at, const Hash& hash, const Full& on_full) {
  if (at == levels_.size()) levels_.emplace_back();
  auto& level = levels_[at];
  level.hashes.append(view_of(hash));
  if (level.hashes.size() < kTileBytes) return;
  const Hash root = root_over(sha_, level.hashes);
  on_full(at, level.tile, level.hashes, root);
  level = {level.tile + 1, {}};
  add(at + 1, root, on_full);
}

merkle::Tree TileLevels::tree() {
  // Its largest complete subtrees are all in the tiles that are being filled.
  const auto subtree = [this](unsigned height, std::uint64_t index) {
    const auto& level = levels_.at(height / kTileHeight);
    const std::uint64_t count = std::uint64_t{1} << height % kTileHeight;
    OTA_ASSERT(index * count / limits::kTileLeaves == level.tile);
    const auto first = index * count % limits::kTileLeaves;
    return root_over(sha_, std::string_view(level.hashes).substr(first * kHashBytes, count * kHashBytes));
  };
  Sha256 sha;
  return {size(), merkle::root(sha, size(), subtree)};
}

}  // namespace ota::eventstore
