// SHA-256 by OpenSSL, and the leaves of the proof tree made of it.
//
// leaf = SHA-256(0x00 || time, 8 bytes big endian || SHA-256(body)): the body is hashed by whoever
// appends, so that the writer hashes 41 bytes an event. 0x00 marks a leaf, as in RFC 9162.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string_view>

#include "eventstore/types.hpp"

namespace ota::eventstore {

// One hash after the other with one context. Not for two threads at once.
class Sha256 {
 public:
  Sha256();
  Hash hash(std::string_view bytes);
  Hash leaf(Timestamp time, const Hash& body);

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
  };
  std::unique_ptr<EVP_MD, Free> algorithm_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// The leaf of a record as it is stored (time || body).
Hash leaf_of_record(Sha256& sha, std::string_view record);

}  // namespace ota::eventstore
