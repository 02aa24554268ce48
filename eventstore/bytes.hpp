// Bytes in and out: big endian numbers (they sort as keys) and varints (7 bits a byte, lowest
// first).
//
// Every varint has one form only, the shortest; the reader refuses others, so that equal things
// have equal bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ota::eventstore {

inline void store_be64(char* out, std::uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(out, &value, sizeof value);
}
inline std::uint64_t load_be64(const char* in) {
  std::uint64_t value = 0;
  std::memcpy(&value, in, sizeof value);
  return __builtin_bswap64(value);
}
inline void append_be64(std::string& out, std::uint64_t value) {
  char bytes[8];
  store_be64(bytes, value);
  out.append(bytes, sizeof bytes);
}

inline constexpr std::size_t varint_bytes(std::uint64_t value) {
  std::size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}
// Writes varint_bytes(value) bytes; returns where they end.
inline char* store_varint(char* out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>((value & 0x7f) | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}
inline char* store_bytes(char* out, std::string_view bytes) {
  std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

// Reads from the front of bytes that may be damaged: every verb returns false instead of reading
// beyond the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : all_(bytes.size()), rest_(bytes) {}

  bool byte(std::uint8_t& out) {
    if (rest_.empty()) return false;
    out = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return true;
  }
  bool be64(std::uint64_t& out) {
    if (rest_.size() < 8) return false;
    out = load_be64(rest_.data());
    rest_.remove_prefix(8);
    return true;
  }
  bool varint(std::uint64_t& out) {
    out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      std::uint8_t next = 0;
      if (!byte(next)) return false;
      if (shift == 63 && next > 1) return false;  // more than 64 bits
      out |= static_cast<std::uint64_t>(next & 0x7f) << shift;
      if (next < 0x80) return next != 0 || shift == 0;  // a last byte of 0 is not the shortest form
    }
    return false;
  }
  bool bytes(std::size_t count, std::string_view& out) {
    if (rest_.size() < count) return false;
    out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return true;
  }
  template <std::size_t N>
  bool bytes(std::array<std::uint8_t, N>& out) {
    std::string_view found;
    if (!bytes(N, found)) return false;
    std::memcpy(out.data(), found.data(), N);
    return true;
  }
  // A varint and as many bytes.
  bool counted(std::string_view& out) {
    std::uint64_t count = 0;
    return varint(count) && count <= rest_.size() && bytes(static_cast<std::size_t>(count), out);
  }

  bool at_end() const { return rest_.empty(); }
  std::size_t offset() const { return all_ - rest_.size(); }

 private:
  std::size_t all_;
  std::string_view rest_;
};

}  // namespace ota::eventstore
