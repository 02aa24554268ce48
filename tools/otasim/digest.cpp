#include "tools/otasim/digest.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <new>
#include <stdexcept>

namespace ota::sim {
namespace {

// OpenSSL refuses only for want of memory or of the algorithm: nothing that a caller could handle.
void must(int result) {
  if (result != 1) throw std::runtime_error("OpenSSL digest failed");
}

}  // namespace

void StreamingDigest::Free::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }

StreamingDigest::Context StreamingDigest::fresh(const EVP_MD* kind) {
  Context context{EVP_MD_CTX_new()};
  if (!context) throw std::bad_alloc();
  must(EVP_DigestInit_ex(context.get(), kind, nullptr));
  return context;
}

StreamingDigest::Context StreamingDigest::copy(const Context& from) {
  Context context{EVP_MD_CTX_new()};
  if (!context) throw std::bad_alloc();
  must(EVP_MD_CTX_copy_ex(context.get(), from.get()));
  return context;
}

StreamingDigest::StreamingDigest() : sha256_(fresh(EVP_sha256())), sha1_(fresh(EVP_sha1())) {}

StreamingDigest::StreamingDigest(const StreamingDigest& other)
    : sha256_(copy(other.sha256_)), sha1_(copy(other.sha1_)), bytes_(other.bytes_) {}

StreamingDigest& StreamingDigest::operator=(const StreamingDigest& other) {
  if (this != &other) *this = StreamingDigest(other);
  return *this;
}

void StreamingDigest::update(std::string_view bytes) {
  must(EVP_DigestUpdate(sha256_.get(), bytes.data(), bytes.size()));
  must(EVP_DigestUpdate(sha1_.get(), bytes.data(), bytes.size()));
  bytes_ += static_cast<std::int64_t>(bytes.size());
}

std::string StreamingDigest::hex(const Context& context) {
  const Context last = copy(context);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  must(EVP_DigestFinal_ex(last.get(), digest.data(), &length));
  std::string text;
  for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

Hashes StreamingDigest::hashes() const { return {hex(sha256_), hex(sha1_)}; }

}  // namespace ota::sim
