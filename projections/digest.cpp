// The hash: two lanes of 64 bits, each fed every word of every key and value (with their lengths,
// so that no two sequences of rows read alike) by xor, multiplication with an odd number and a
// shift that brings high bits down. The lanes begin and multiply differently. Enough that views
// which differ have the same digest once in 2^128, as long as nobody tries.
#include "projections/digest.hpp"

#include <fmt/format.h>

#include <cstring>

namespace ota::projections {

void RowsDigest::bytes(std::string_view bytes) {
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

void RowsDigest::add(Table table, std::string_view rest, std::string_view value) {
  key_.assign(1, static_cast<char>(table));
  key_.append(rest);
  bytes(key_);
  bytes(value);
}

std::string RowsDigest::hex() const { return fmt::format("{:016x}{:016x}", a_ ^ b_ >> 31, b_ ^ a_ << 17); }

std::string digest_of(const Reader& reader) {
  RowsDigest digest;
  for (int letter = 1; letter < 128; ++letter) {  // a table lives in one family
    const auto table = static_cast<Table>(letter);
    for (Range range(reader, key_in(table).take()); range.valid(); range.next()) {
      digest.add(table, range.rest(), range.value());
    }
  }
  return digest.hex();
}

}  // namespace ota::projections
