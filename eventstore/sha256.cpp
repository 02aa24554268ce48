#include "eventstore/sha256.hpp"

#include <cstring>

#include "eventstore/assert.hpp"
#include "eventstore/bytes.hpp"

namespace ota::eventstore {

Sha256::Sha256()
    : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
  OTA_ASSERT(algorithm_ != nullptr && context_ != nullptr);
}

Hash Sha256::hash(std::string_view bytes) {
  Hash out;
  unsigned int size = 0;
  const bool done = EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1 &&
                    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinal_ex(context_.get(), out.data(), &size) == 1;
  OTA_ASSERT(done && size == out.size());
  return out;
}

Hash Sha256::leaf(Timestamp time, const Hash& body) {
  char block[1 + 8 + 32];
  block[0] = 0x00;
  store_be64(block + 1, static_cast<std::uint64_t>(time.time_since_epoch().count()));
  std::memcpy(block + 9, body.data(), body.size());
  return hash({block, sizeof block});
}

Hash leaf_of_record(Sha256& sha, std::string_view record) {
  OTA_ASSERT(record.size() >= 8);
  const Timestamp time{
      std::chrono::microseconds(static_cast<std::int64_t>(load_be64(record.data())))};
  return sha.leaf(time, sha.hash(record.substr(8)));
}

}  // namespace ota::eventstore
