// The hash in front of the keys of `streams`, `tags` and `snapshots`. It spreads them and is their
// bloom prefix.
//
// FNV-1a with 64 bits over the name, then the finaliser of MurmurHash3 so that the leading bits are
// mixed too. FOR EVER: keys of every log depend on it. Names that collide are told apart by the
// name behind the hash.
#pragma once

#include <cstdint>
#include <string_view>

namespace ota::eventstore {

inline constexpr std::uint64_t hash64(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 0x00000100000001b3;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

}  // namespace ota::eventstore
