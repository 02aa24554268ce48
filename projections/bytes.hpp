// Numbers and texts to bytes and back, for the keys and the small rows of the views.
//
// Big endian, so that bytes sort as numbers do. Texts carry their length, so that no name can reach
// into the next field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "domain/words.hpp"

namespace ota::projections {

class BytesOut {
 public:
  BytesOut() { bytes_.reserve(kUsual); }
  BytesOut& u8(std::uint8_t v) { return number(v, 1); }
  BytesOut& u32(std::uint32_t v) { return number(v, 4); }
  BytesOut& u64(std::uint64_t v) { return number(v, 8); }
  // Earlier times sort first, also those before 1970.
  BytesOut& time(domain::Time t) {
    return u64(static_cast<std::uint64_t>(t.time_since_epoch().count()) ^ kSignBit);
  }
  BytesOut& text(std::string_view v) { return u32(static_cast<std::uint32_t>(v.size())).raw(v); }
  BytesOut& raw(std::string_view v) {
    bytes_.append(v);
    return *this;
  }
  std::string take() { return std::move(bytes_); }

  static constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

 private:
  BytesOut& number(std::uint64_t v, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
      bytes_.push_back(static_cast<char>(v >> shift));
    }
    return *this;
  }
  static constexpr std::size_t kUsual = 40;  // most keys and small rows: one allocation
  std::string bytes_;
};

// Reads what BytesOut wrote. Past the end everything is zero or empty, and complete() is false.
class BytesIn {
 public:
  explicit BytesIn(std::string_view bytes) : left_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  domain::Time time() {
    return domain::Time(domain::Duration(static_cast<std::int64_t>(u64() ^ BytesOut::kSignBit)));
  }
  std::string_view text() { return raw(u32()); }
  std::string_view raw(std::size_t size) {
    if (size > left_.size()) {
      short_ = true;
      size = 0;
    }
    const auto taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  std::string_view rest() { return raw(left_.size()); }
  // Everything was there, and nothing is left.
  bool complete() const { return !short_ && left_.empty(); }

 private:
  std::uint64_t number(std::size_t size) {
    std::uint64_t v = 0;
    for (const char c : raw(size)) v = v << 8 | static_cast<unsigned char>(c);
    return v;
  }
  std::string_view left_;
  bool short_ = false;
};

}  // namespace ota::projections
