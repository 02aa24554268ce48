// The keys of the column families. FOR EVER.
//
//   log                        position                       8 bytes big endian
//   streams, tags, snapshots   hash64(name) | name | position 8 bytes, name, 8 bytes, both numbers big endian
//   commands                   command id                     16 bytes
//   tiles                      level | tile | first leaf      1 byte, 8 bytes big endian, 1 byte
//
// The rows of a name are neighbours in position order. Names of other lengths may stand between
// them when their hashes collide: a reader compares name and length, and skips what is not its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "eventstore/bytes.hpp"
#include "eventstore/hash64.hpp"
#include "eventstore/types.hpp"

namespace ota::eventstore {

inline constexpr std::size_t kPositionBytes = 8;
inline constexpr std::size_t kNameHashBytes = 8;

inline std::string log_key(Position position) {
  std::string key;
  append_be64(key, position.value);
  return key;
}

inline constexpr std::size_t name_key_bytes(std::string_view name) {
  return kNameHashBytes + name.size() + kPositionBytes;
}
// Writes name_key_bytes(name) bytes.
inline void store_name_key(char* out, std::string_view name, Position position) {
  store_be64(out, hash64(name));
  out = store_bytes(out + kNameHashBytes, name);
  store_be64(out, position.value);
}
inline std::string name_key(std::string_view name, Position position) {
  std::string key(name_key_bytes(name), '\0');
  store_name_key(key.data(), name, position);
  return key;
}
// The position in a key, if it is one of `name` (the hash is not compared: equal names have equal
// hashes).
inline std::optional<Position> position_in(std::string_view key, std::string_view name) {
  if (key.size() != name_key_bytes(name) || key.substr(kNameHashBytes, name.size()) != name) {
    return std::nullopt;
  }
  return Position{load_be64(key.data() + kNameHashBytes + name.size())};
}

inline constexpr std::uint8_t kLeafLevel = 0;

// Where hashes of the proof tree are. Level 0 are the leaves: the event at position p is leaf p - 1. Hash number i of the
// level above is the root of tile i of the level below.
struct TileKey {
  std::uint8_t level = kLeafLevel;
  std::uint64_t tile = 0;
  std::uint8_t first = 0;  // the first hash of the row, within the tile

  std::string bytes() const {
    std::string key(1, static_cast<char>(level));
    append_be64(key, tile);
    key.push_back(static_cast<char>(first));
    return key;
  }
  static std::optional<TileKey> parse(std::string_view key) {
    if (key.size() != 10) return std::nullopt;
    return TileKey{static_cast<std::uint8_t>(key[0]), load_be64(key.data() + 1),
                   static_cast<std::uint8_t>(key[9])};
  }
};

}  // namespace ota::eventstore
