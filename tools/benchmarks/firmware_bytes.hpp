// The bytes of a firmware of any size, made as fast as they can be sent: no two pieces are alike, and
// each begins with its own offset, so that whoever reads one can tell where it stood.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>

namespace ota::bench {

class FirmwareBytes {
 public:
  static constexpr std::size_t kPieceBytes = 256 * 1024;

  explicit FirmwareBytes(std::size_t size) : size_(size), piece_(kPieceBytes, '\0') {
    std::minstd_rand random(7);
    for (char& byte : piece_) byte = static_cast<char>(random() >> 8 & 0xff);
  }

  // The next bytes of the file, at most `most` of them; empty at its end.
  std::string_view take(std::size_t most) {
    const std::size_t at = taken_ % kPieceBytes;
    if (at == 0) std::memcpy(piece_.data(), &taken_, sizeof taken_);
    const std::size_t count = std::min({most, kPieceBytes - at, size_ - taken_});
    taken_ += count;
    return std::string_view(piece_).substr(at, count);
  }

  // What a piece of a firmware begins with says about where it stands.
  static std::uint64_t offset_in(std::string_view piece) {
    std::uint64_t offset = 0;
    std::memcpy(&offset, piece.data(), std::min(piece.size(), sizeof offset));
    return offset;
  }

 private:
  const std::size_t size_;
  std::string piece_;
  std::size_t taken_ = 0;
};

}  // namespace ota::bench
