// A state's bytes: version (1), checksum of the rest (4, little endian), a message of states.proto.
//
// The checksum is what tells a damaged state from another one: protobuf itself reads most garbage
// as something.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "domain/bitmap.hpp"
#include "domain/codec/convert.hpp"

namespace ota::domain::codec {

// Raise it when a message or the fold of an event changes: what an older version kept is not folded on.
inline constexpr char kStateVersion = 5;
inline constexpr std::size_t kStateHeaderBytes = 1 + sizeof(std::uint32_t);

// Finds accidents, not attacks.
std::uint32_t checksum(std::string_view bytes);

template <class Message>
std::string frame(const Message& message) {
  const std::size_t size = message.ByteSizeLong();
  std::string bytes(kStateHeaderBytes + size, '\0');
  bytes[0] = kStateVersion;
  auto* body = reinterpret_cast<std::uint8_t*>(bytes.data() + kStateHeaderBytes);
  message.SerializeWithCachedSizesToArray(body);
  const std::uint32_t sum = checksum(std::string_view(bytes).substr(kStateHeaderBytes));
  for (std::size_t i = 0; i < sizeof(sum); ++i) bytes[1 + i] = static_cast<char>(sum >> (8 * i));
  return bytes;
}

template <class Message>
bool unframe(std::string_view bytes, Message& message) {
  if (bytes.size() < kStateHeaderBytes || bytes[0] != kStateVersion) return false;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < sizeof(sum); ++i) {
    sum |= std::uint32_t{static_cast<unsigned char>(bytes[1 + i])} << (8 * i);
  }
  bytes.remove_prefix(kStateHeaderBytes);
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return false;
  return checksum(bytes) == sum &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

inline std::string set_bytes(const Bitmap& set) { return set.isEmpty() ? std::string() : to_bytes(set); }

inline std::optional<Time> optional_time(bool has, std::int64_t us) {
  return has ? std::optional<Time>(time_of(us)) : std::nullopt;
}

}  // namespace ota::domain::codec
