// A fingerprint of many rows that does not depend on their order: the sum of a keyed hash over each (SipHash, 128 bits).
//
// Two sets of rows with the same sum are the same but for one chance in 2^100, since the key is drawn anew for each
// comparison: rows cannot be made to fit it beforehand. So an index is compared with the log that it was made from in the order
// in which each is stored, without a read for every row.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "eventstore/types.hpp"

namespace ota::eventstore {

class KeyedSum {
 public:
  using Key = std::array<std::uint8_t, 16>;
  static Key random_key();

  explicit KeyedSum(const Key& key);
  // A row that belongs to an event.
  void add(Position position, std::string_view bytes);
  bool operator==(const KeyedSum& other) const { return rows_ == other.rows_ && low_ == other.low_ && high_ == other.high_; }
  std::uint64_t rows() const { return rows_; }

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  };
  Key key_;
  std::unique_ptr<EVP_MAC_CTX, Free> context_;
  std::uint64_t rows_ = 0;
  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
};

}  // namespace ota::eventstore
