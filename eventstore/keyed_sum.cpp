#include "eventstore/keyed_sum.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "eventstore/assert.hpp"
#include "eventstore/bytes.hpp"

namespace ota::eventstore {
namespace {

constexpr std::size_t kSumBytes = 16;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

KeyedSum::Key KeyedSum::random_key() {
  Key key{};
  OTA_ASSERT(RAND_bytes(key.data(), static_cast<int>(key.size())) == 1);
  return key;
}

KeyedSum::KeyedSum(const Key& key) : key_(key) {
  EVP_MAC* algorithm = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
  OTA_ASSERT(algorithm != nullptr);
  context_.reset(EVP_MAC_CTX_new(algorithm));
  EVP_MAC_free(algorithm);  // the context holds it
  std::size_t size = kSumBytes;
  const std::array<OSSL_PARAM, 2> parameters{OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};
  OTA_ASSERT(context_ && EVP_MAC_init(context_.get(), key.data(), key.size(), parameters.data()) == 1);
}

void KeyedSum::add(Position position, std::string_view bytes) {
  char place[8];
  store_be64(place, position.value);
  std::array<unsigned char, kSumBytes> hash;
  std::size_t size = 0;
  // With the key again: without one OpenSSL 3.0 goes on where it was.
  const bool done = EVP_MAC_init(context_.get(), key_.data(), key_.size(), nullptr) == 1 &&
                    EVP_MAC_update(context_.get(), bytes_of({place, sizeof place}), sizeof place) == 1 &&
                    EVP_MAC_update(context_.get(), bytes_of(bytes), bytes.size()) == 1 &&
                    EVP_MAC_final(context_.get(), hash.data(), &size, hash.size()) == 1;
  OTA_ASSERT(done && size == hash.size());
  const auto* text = reinterpret_cast<const char*>(hash.data());
  const std::uint64_t low = load_be64(text);
  low_ += low;
  high_ += load_be64(text + 8) + (low_ < low ? 1 : 0);
  ++rows_;
}

}  // namespace ota::eventstore
