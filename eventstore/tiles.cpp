#include "eventstore/tiles.hpp"

#include <fmt/format.h>

#include <cstring>

#include "eventstore/assert.hpp"
#include "eventstore/keys.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/log.hpp"

namespace ota::eventstore {
namespace {

constexpr std::size_t kLeafBytes = sizeof(Hash);
constexpr std::size_t kTileBytes = limits::kTileLeaves * kLeafBytes;

struct Row {
  TileKey key;
  std::size_t leaves;
};
// Reads where `rows` stands; empty behind the last leaf row.
std::optional<Row> row_at(const rocksdb::Iterator& rows) {
  check(rows.status(), "read the proof tree");
  if (!rows.Valid()) return std::nullopt;
  const auto key = TileKey::parse(view(rows.key()));
  if (!key) throw LogError("the proof tree has a row with a damaged key");
  if (key->level != kLeafLevel) return std::nullopt;
  const std::size_t bytes = rows.value().size();
  if (bytes == 0 || bytes % kLeafBytes != 0 || key->first * kLeafBytes + bytes > kTileBytes) {
    throw LogError(fmt::format("the proof tree has a damaged row: tile {}, leaf {}, {} bytes",
                               key->tile, key->first, bytes));
  }
  return Row{*key, bytes / kLeafBytes};
}

}  // namespace

std::uint64_t count_leaves(const Database& database) {
  const auto rows = database.iterate(Family::kTiles);
  rows->SeekForPrev(TileKey{kLeafLevel, UINT64_MAX, UINT8_MAX}.bytes());
  const auto last = row_at(*rows);
  if (!last) return 0;
  return last->key.tile * limits::kTileLeaves + last->key.first + last->leaves;
}

std::optional<Hash> read_leaf(const Database& database, Position position) {
  if (position.value == 0) return std::nullopt;
  const std::uint64_t tile = (position.value - 1) / limits::kTileLeaves;
  const auto leaf = static_cast<std::uint8_t>((position.value - 1) % limits::kTileLeaves);
  const auto rows = database.iterate(Family::kTiles);
  rows->SeekForPrev(TileKey{kLeafLevel, tile, leaf}.bytes());
  const auto row = row_at(*rows);
  if (!row || row->key.tile != tile || row->key.first + row->leaves <= leaf) return std::nullopt;
  Hash hash;
  const std::size_t offset = std::size_t{leaf} - row->key.first;
  std::memcpy(hash.data(), rows->value().data() + offset * kLeafBytes, kLeafBytes);
  return hash;
}

TileRows read_tile(const Database& database, std::uint64_t tile) {
  TileRows found;
  const auto rows = database.iterate(Family::kTiles);
  for (rows->Seek(TileKey{kLeafLevel, tile, 0}.bytes());; rows->Next()) {
    const auto row = row_at(*rows);
    if (!row || row->key.tile != tile) return found;
    if (row->key.first * kLeafBytes != found.leaves.size()) {
      throw LogError(fmt::format("the proof tree lacks leaves of tile {} before leaf {}", tile,
                                 row->key.first));
    }
    found.leaves.append(view(rows->value()));
    found.rows.push_back(row->key.first);
  }
}

TileWriter::TileWriter(const Database& database) : family_(database.family(Family::kTiles)) {
  const std::uint64_t leaves = count_leaves(database);
  tile_ = leaves / limits::kTileLeaves;
  if (leaves % limits::kTileLeaves == 0) return;
  TileRows found = read_tile(database, tile_);
  leaves_ = std::move(found.leaves);
  rows_ = std::move(found.rows);
  leaves_in_rows_ = leaves_.size() / kLeafBytes;
}

std::string TileWriter::key(std::size_t first) const {
  return TileKey{kLeafLevel, tile_, static_cast<std::uint8_t>(first)}.bytes();
}

void TileWriter::add(const Hash& leaf, rocksdb::WriteBatch& batch) {
  leaves_.append(reinterpret_cast<const char*>(leaf.data()), leaf.size());
  if (leaves_.size() < kTileBytes) return;
  OTA_ASSERT(batch.Put(family_, key(0), leaves_).ok());
  for (const std::uint8_t first : rows_) {
    if (first != 0) OTA_ASSERT(batch.Delete(family_, key(first)).ok());
  }
  ++tile_;
  leaves_.clear();
  leaves_in_rows_ = 0;
  rows_.clear();
}

void TileWriter::end_group(rocksdb::WriteBatch& batch) {
  const std::size_t leaves = leaves_.size() / kLeafBytes;
  if (leaves == leaves_in_rows_) return;
  const std::string_view added = std::string_view(leaves_).substr(leaves_in_rows_ * kLeafBytes);
  OTA_ASSERT(batch.Put(family_, key(leaves_in_rows_), slice(added)).ok());
  rows_.push_back(static_cast<std::uint8_t>(leaves_in_rows_));
  leaves_in_rows_ = leaves;
}

}  // namespace ota::eventstore
