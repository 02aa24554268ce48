#include "eventstore/recovery.hpp"

#include <fmt/format.h>

#include "eventstore/keys.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/log.hpp"
#include "eventstore/record.hpp"
#include "eventstore/sha256.hpp"
#include "eventstore/tiles.hpp"

namespace ota::eventstore {
namespace {

// The position where `events` stands; 0 if nowhere.
Position position_at(const rocksdb::Iterator& events) {
  check(events.status(), "read its events");
  if (!events.Valid()) return {};
  if (events.key().size() != kPositionBytes) throw LogError("an event has a damaged key");
  return {load_be64(events.key().data())};
}

// Visits the events of the last tile and returns the time of the newest.
Timestamp compare_with_tree(const Database& database, Position head) {
  const std::uint64_t tile = (head.value - 1) / limits::kTileLeaves;
  const std::string leaves = read_tile(database, tile).hashes;
  Position position{tile * limits::kTileLeaves + 1};
  const auto events = database.iterate(Family::kLog);
  events->Seek(log_key(position));
  RecordedEvent event;
  Sha256 sha;
  for (std::size_t offset = 0; offset < leaves.size(); offset += sizeof(Hash), ++position.value) {
    if (position_at(*events) != position) {
      throw LogError(fmt::format("event {} is missing", position.value), position);
    }
    const std::string_view record = view(events->value());
    if (const auto fault = decode_record(record, event)) {
      throw LogError(fmt::format("event {} has a damaged {} at byte {}", position.value,
                                 fault->what, fault->offset),
                     position);
    }
    const Hash leaf = leaf_of_record(sha, record);
    if (leaves.compare(offset, leaf.size(), reinterpret_cast<const char*>(leaf.data()),
                       leaf.size()) != 0) {
      throw LogError(
          fmt::format("event {} is not the one that the proof tree holds", position.value),
          position);
    }
    if (position == head) {
      rocksdb::PinnableSlice row;
      if (!database.get(Family::kStreams, name_key(event.stream, head), row) ||
          view(row) != record) {
        throw LogError(fmt::format("event {} is not in the index of its stream", head.value), head);
      }
    }
    events->Next();
  }
  return event.time;
}

// Every full tile has its root above it. Levels that an earlier version did not store are made later.
void check_levels(const Database& database, std::uint64_t leaves) {
  std::uint64_t below = leaves;
  for (std::uint8_t level = 1; below >= limits::kTileLeaves; ++level) {
    const std::uint64_t full = below / limits::kTileLeaves;
    below = count_hashes(database, level);
    if (below == 0) return;
    if (below != full) {
      throw LogError(fmt::format("its proof tree has {} full tiles of level {}, but {} hashes above them", full, level - 1, below));
    }
  }
}

}  // namespace

Recovered recover_head(const Database& database) {
  const auto events = database.iterate(Family::kLog);
  events->SeekToLast();
  const Position head = position_at(*events);
  const std::uint64_t leaves = count_leaves(database);
  if (leaves != head.value) {
    throw LogError(fmt::format("its newest event is {}, but its proof tree has {} leaves",
                               head.value, leaves));
  }
  if (head.value == 0) return {};
  check_levels(database, leaves);
  events->SeekToFirst();
  if (position_at(*events).value != 1) throw LogError("event 1 is missing", {1});
  return {head, compare_with_tree(database, head)};
}

}  // namespace ota::eventstore
