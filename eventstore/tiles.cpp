#include "eventstore/tiles.hpp"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "eventstore/assert.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/log.hpp"
#include "eventstore/merkle.hpp"

namespace ota::eventstore {
namespace {

constexpr std::size_t kHashBytes = sizeof(Hash);
constexpr std::size_t kTileBytes = limits::kTileLeaves * kHashBytes;
constexpr unsigned kTileHeight = 8;   // of the tree over a full tile
static_assert(limits::kTileLeaves == std::size_t{1} << kTileHeight);

Hash hash_at(std::string_view hashes, std::size_t index) {
  Hash hash;
  OTA_ASSERT((index + 1) * kHashBytes <= hashes.size());
  std::memcpy(hash.data(), hashes.data() + index * kHashBytes, kHashBytes);
  return hash;
}

// The root over a power of two of hashes.
Hash root_over(Sha256& sha, std::string_view hashes) {
  std::vector<Hash> level(hashes.size() / kHashBytes);
  std::memcpy(level.data(), hashes.data(), hashes.size());
  for (std::size_t count = level.size(); count > 1; count /= 2) {
    for (std::size_t i = 0; i < count / 2; ++i) level[i] = merkle::node(sha, level[2 * i], level[2 * i + 1]);
  }
  return level.front();
}

struct Row {
  TileKey key;
  std::size_t hashes;
};
// Reads where `rows` stands; empty behind the last row of the level.
std::optional<Row> row_at(const rocksdb::Iterator& rows, std::uint8_t level) {
  check(rows.status(), "read the proof tree");
  if (!rows.Valid()) return std::nullopt;
  const auto key = TileKey::parse(view(rows.key()));
  if (!key) throw LogError("the proof tree has a row with a damaged key");
  if (key->level != level) return std::nullopt;
  const std::size_t bytes = rows.value().size();
  if (bytes == 0 || bytes % kHashBytes != 0 || key->first * kHashBytes + bytes > kTileBytes) {
    throw LogError(fmt::format("the proof tree has a damaged row: level {}, tile {}, hash {}, {} bytes", level, key->tile,
                               key->first, bytes));
  }
  return Row{*key, bytes / kHashBytes};
}

}  // namespace

std::uint64_t count_hashes(const Database& database, std::uint8_t level) {
  const auto rows = database.iterate(Family::kTiles);
  rows->SeekForPrev(TileKey{level, UINT64_MAX, UINT8_MAX}.bytes());
  const auto last = row_at(*rows, level);
  if (!last) return 0;
  return last->key.tile * limits::kTileLeaves + last->key.first + last->hashes;
}

std::optional<Hash> read_leaf(const Database& database, Position position) {
  if (position.value == 0) return std::nullopt;
  const std::uint64_t tile = (position.value - 1) / limits::kTileLeaves;
  const auto leaf = static_cast<std::uint8_t>((position.value - 1) % limits::kTileLeaves);
  const auto rows = database.iterate(Family::kTiles);
  rows->SeekForPrev(TileKey{kLeafLevel, tile, leaf}.bytes());
  const auto row = row_at(*rows, kLeafLevel);
  if (!row || row->key.tile != tile || row->key.first + row->hashes <= leaf) return std::nullopt;
  return hash_at(view(rows->value()), std::size_t{leaf} - row->key.first);
}

TileRows read_tile(const Database& database, std::uint64_t tile, std::uint8_t level) {
  TileRows found;
  const auto rows = database.iterate(Family::kTiles);
  for (rows->Seek(TileKey{level, tile, 0}.bytes());; rows->Next()) {
    const auto row = row_at(*rows, level);
    if (!row || row->key.tile != tile) return found;
    if (row->key.first * kHashBytes != found.hashes.size()) {
      throw LogError(
          fmt::format("the proof tree lacks hashes of level {}, tile {} before hash {}", level, tile, row->key.first));
    }
    found.hashes.append(view(rows->value()));
    found.rows.push_back(row->key.first);
  }
}

// ---- StoredTree ------------------------------------------------------------------------------------------------------

Hash StoredTree::subtree(unsigned height, std::uint64_t index) {
  const auto level = static_cast<std::uint8_t>(height / kTileHeight);
  const std::uint64_t count = std::uint64_t{1} << height % kTileHeight;
  const std::uint64_t tile = index * count / limits::kTileLeaves;
  const std::size_t first = index * count % limits::kTileLeaves;
  const std::size_t end = (first + count) * kHashBytes;
  auto& last = last_[level];
  if (last.number != tile || last.hashes.size() < end) last = {tile, read_tile(database_, tile, level).hashes};
  if (last.hashes.size() < end) {
    throw LogError(fmt::format("the proof tree lacks hashes of level {}, tile {} behind hash {}", level, tile,
                               last.hashes.size() / kHashBytes));
  }
  return root_over(sha_, std::string_view(last.hashes).substr(first * kHashBytes, count * kHashBytes));
}

// ---- TileWriter ------------------------------------------------------------------------------------------------------

TileWriter::Level TileWriter::continued(const Database& database, std::uint8_t level) {
  const std::uint64_t count = count_hashes(database, level);
  Level now;
  now.tile = count / limits::kTileLeaves;
  if (count % limits::kTileLeaves == 0) return now;
  TileRows found = read_tile(database, now.tile, level);
  now.hashes = std::move(found.hashes);
  now.rows = std::move(found.rows);
  now.hashes_in_rows = now.hashes.size() / kHashBytes;
  return now;
}

TileWriter::TileWriter(const Database& database) : family_(database.family(Family::kTiles)) {
  std::uint64_t below = count_leaves(database);
  levels_.push_back(continued(database, kLeafLevel));
  for (std::uint8_t level = 1; below >= limits::kTileLeaves; ++level) {
    const std::uint64_t full = below / limits::kTileLeaves;
    below = count_hashes(database, level);
    if (below == 0) {
      make_upper_levels(database);
      return;
    }
    OTA_ASSERT(below == full);  // looked at when the log was opened
    levels_.push_back(continued(database, level));
  }
}

void TileWriter::make_upper_levels(const Database& database) {
  levels_.resize(1);
  rocksdb::WriteBatch batch;
  for (std::uint64_t tile = 0; tile < levels_.front().tile; ++tile) {
    const auto leaves = read_tile(database, tile).hashes;
    if (leaves.size() != kTileBytes) throw LogError(fmt::format("tile {} of the proof tree is not full", tile));
    add(kLeafLevel + 1, root_over(sha_, leaves), batch);
  }
  end_group(batch);
  check(database.db().Write(durable_write(), &batch), "complete the proof tree");
}

void TileWriter::add(const Hash& leaf, rocksdb::WriteBatch& batch) { add(kLeafLevel, leaf, batch); }

void TileWriter::add(std::size_t at, const Hash& hash, rocksdb::WriteBatch& batch) {
  if (at == levels_.size()) levels_.emplace_back();
  auto& level = levels_[at];
  level.hashes.append(reinterpret_cast<const char*>(hash.data()), hash.size());
  if (level.hashes.size() < kTileBytes) return;
  const auto key = [&](std::uint8_t first) { return TileKey{static_cast<std::uint8_t>(at), level.tile, first}.bytes(); };
  OTA_ASSERT(batch.Put(family_, key(0), level.hashes).ok());
  for (const std::uint8_t first : level.rows) {
    if (first != 0) OTA_ASSERT(batch.Delete(family_, key(first)).ok());
  }
  const Hash root = root_over(sha_, level.hashes);
  level = {.tile = level.tile + 1, .hashes = {}, .hashes_in_rows = 0, .rows = {}};
  add(at + 1, root, batch);
}

void TileWriter::end_group(rocksdb::WriteBatch& batch) {
  for (std::size_t at = 0; at < levels_.size(); ++at) {
    auto& level = levels_[at];
    const std::size_t hashes = level.hashes.size() / kHashBytes;
    if (hashes == level.hashes_in_rows) continue;
    const auto first = static_cast<std::uint8_t>(level.hashes_in_rows);
    const std::string_view added = std::string_view(level.hashes).substr(level.hashes_in_rows * kHashBytes);
    OTA_ASSERT(batch.Put(family_, TileKey{static_cast<std::uint8_t>(at), level.tile, first}.bytes(), slice(added)).ok());
    level.rows.push_back(first);
    level.hashes_in_rows = hashes;
  }
}

}  // namespace ota::eventstore
