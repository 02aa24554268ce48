// The hash: two lanes of 64 bits, each fed every word of every key and value (with their lengths,
// so that no two sequences of rows read alike) by xor, multiplication with an odd number and a
// shift that brings high bits down. The lanes begin and multiply differently. Enough that views
// which differ have the same digest once in 2^128, as long as nobody tries.
#include "projections/digest.hpp"

#include <fmt/format.h>

#include <cstring>

namespace ota::projections {
namespace {

class Hash128 {
 public:
  void add(std::string_view bytes) {
    word(bytes.size());
    for (; bytes.size() >= sizeof(std::uint64_t); bytes.remove_prefix(sizeof(std::uint64_t))) {
      std::uint64_t w = 0;
      std::memcpy(&w, bytes.data(), sizeof(w));
      word(w);
    }
    if (bytes.empty()) return;
    std::uint64_t tail = 0;
    std::memcpy(&tail, bytes.data(), bytes.size());
    word(tail);
  }
  std::string hex() const { return fmt::format("{:016x}{:016x}", a_ ^ b_ >> 31, b_ ^ a_ << 17); }

 private:
  void word(std::uint64_t w) {
    a_ = (a_ ^ w) * 0x9e3779b97f4a7c15ULL;
    a_ ^= a_ >> 32;
    b_ = (b_ ^ w) * 0xc2b2ae3d27d4eb4fULL;
    b_ ^= b_ >> 29;
  }
  std::uint64_t a_ = 0x243f6a8885a308d3ULL;
  std::uint64_t b_ = 0x13198a2e03707344ULL;
};

}  // namespace

std::string digest_of(const Reader& reader) {
  Hash128 hash;
  for (int letter = 1; letter < 128; ++letter) {  // a table lives in one family
    const auto table = static_cast<Table>(letter);
    for (Range range(reader, key_in(table).take()); range.valid(); range.next()) {
      hash.add(key_in(table).raw(range.rest()).take());
      hash.add(range.value());
    }
  }
  return hash.hex();
}

}  // namespace ota::projections
