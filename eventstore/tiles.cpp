#include "eventstore/tiles.hpp"

#include <fmt/format.h>

#include <utility>

#include "eventstore/assert.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/log.hpp"

namespace ota::eventstore {
namespace {

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

TileWriter::TileWriter(const Database& database) : family_(database.family(Family::kTiles)) {
  std::vector<TileLevels::Level> levels;
  const auto continue_with = [&](std::uint8_t level, std::uint64_t count) {
    auto found = count % limits::kTileLeaves == 0 ? TileRows() : read_tile(database, count / limits::kTileLeaves, level);
    rows_.push_back({found.hashes.size() / kHashBytes, std::move(found.rows)});
    levels.push_back({count / limits::kTileLeaves, std::move(found.hashes)});
  };
  std::uint64_t below = count_leaves(database);
  continue_with(kLeafLevel, below);
  for (std::uint8_t level = 1; below >= limits::kTileLeaves; ++level) {
    const std::uint64_t full = below / limits::kTileLeaves;
    below = count_hashes(database, level);
    if (below == 0) {
      make_upper_levels(database);
      return;
    }
    OTA_ASSERT(below == full);  // looked at when the log was opened
    continue_with(level, below);
  }
  levels_ = TileLevels(std::move(levels));
}

void TileWriter::make_upper_levels(const Database& database) {
  rocksdb::WriteBatch batch;
  const auto put_upper = [&](std::size_t level, std::uint64_t tile, std::string_view hashes, const Hash&) {
    if (level != kLeafLevel) put_tile(level, tile, hashes, batch);
  };
  rows_.resize(1);  // what is stored of the leaves stays as it is
  const std::uint64_t leaves = count_leaves(database);
  for (std::uint64_t tile = 0; tile * limits::kTileLeaves < leaves; ++tile) {
    const auto hashes = read_tile(database, tile).hashes;
    if (hashes.size() != kTileBytes && (tile + 1) * limits::kTileLeaves <= leaves) {
      throw LogError(fmt::format("tile {} of the proof tree is not full", tile));
    }
    for (std::size_t i = 0; i < hashes.size() / kHashBytes; ++i) levels_.add(hash_at(hashes, i), put_upper);
  }
  end_group(batch);
  check(database.db().Write(durable_write(), &batch), "complete the proof tree");
}

TileWriter::Rows& TileWriter::rows_of(std::size_t level) {
  if (level >= rows_.size()) rows_.resize(level + 1);
  return rows_[level];
}

void TileWriter::add(const Hash& leaf, rocksdb::WriteBatch& batch) {
  levels_.add(leaf, [&](std::size_t level, std::uint64_t tile, std::string_view hashes, const Hash&) {
    put_tile(level, tile, hashes, batch);
  });
}

void TileWriter::put_tile(std::size_t level, std::uint64_t tile, std::string_view hashes, rocksdb::WriteBatch& batch) {
  const auto key = [&](std::uint8_t first) { return TileKey{static_cast<std::uint8_t>(level), tile, first}.bytes(); };
  OTA_ASSERT(batch.Put(family_, key(0), slice(hashes)).ok());
  for (const std::uint8_t first : rows_of(level).begins) {
    if (first != 0) OTA_ASSERT(batch.Delete(family_, key(first)).ok());
  }
  rows_of(level) = {};
}

void TileWriter::end_group(rocksdb::WriteBatch& batch) {
  for (std::size_t at = 0; at < levels_.levels().size(); ++at) {
    const auto& level = levels_.levels()[at];
    auto& rows = rows_of(at);
    if (level.count() == rows.hashes) continue;
    const auto first = static_cast<std::uint8_t>(rows.hashes);
    const std::string_view added = std::string_view(level.hashes).substr(rows.hashes * kHashBytes);
    OTA_ASSERT(batch.Put(family_, TileKey{static_cast<std::uint8_t>(at), level.tile, first}.bytes(), slice(added)).ok());
    rows.begins.push_back(first);
    rows.hashes = level.count();
  }
}

}  // namespace ota::eventstore
