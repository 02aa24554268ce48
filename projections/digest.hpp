// A digest of all rows: equal for equal rows, however they are laid out on disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "projections/reader.hpp"

namespace ota::projections {

// The digest as it grows, row by row, in key order.
class RowsDigest {
 public:
  // `rest`: of the key, behind its table.
  void add(Table table, std::string_view rest, std::string_view value);
  std::string hex() const;

 private:
  void bytes(std::string_view bytes);
  void word(std::uint64_t w) {
    a_ = (a_ ^ w) * 0x9e3779b97f4a7c15ULL;
    a_ ^= a_ >> 32;
    b_ = (b_ ^ w) * 0xc2b2ae3d27d4eb4fULL;
    b_ ^= b_ >> 29;
  }
  std::uint64_t a_ = 0x243f6a8885a308d3ULL;
  std::uint64_t b_ = 0x13198a2e03707344ULL;
  std::string key_;
};

// 32 hex digits over every row of both families in key order. Not cryptographic: it finds
// differences, not forgeries. `reader` of one moment.
std::string digest_of(const Reader& reader);

}  // namespace ota::projections
