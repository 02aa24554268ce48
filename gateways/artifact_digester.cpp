#include "gateways/artifact_digester.hpp"

#include <cassert>

namespace ota::gateways {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{16}
                                    << 10;  // stays in the first-level cache for all three

template <std::size_t N>
void end(EVP_MD_CTX* context, std::array<std::uint8_t, N>& digest) {
  unsigned length = 0;
  const int ok = EVP_DigestFinal_ex(context, digest.data(), &length);
  assert(ok == 1 && length == N);
}

}  // namespace

ArtifactDigester::Context ArtifactDigester::begin(const EVP_MD* algorithm) {
  Context context(EVP_MD_CTX_new());
  // A provider in FIPS mode has no MD5; the devices' protocol needs it, so say so early.
  if (!context || EVP_DigestInit_ex(context.get(), algorithm, nullptr) != 1) {
    throw actors::ArtifactError("OpenSSL cannot compute MD5, SHA-1 and SHA-256 here");
  }
  return context;
}

ArtifactDigester::ArtifactDigester()
    : md5_(begin(EVP_md5())), sha1_(begin(EVP_sha1())), sha256_(begin(EVP_sha256())) {}

void ArtifactDigester::update(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPieceBytes);
    for (const Context* context : {&md5_, &sha1_, &sha256_}) {
      const int ok = EVP_DigestUpdate(context->get(), piece.data(), piece.size());
      assert(ok == 1);
    }
    bytes.remove_prefix(piece.size());
  }
}

actors::ArtifactDigests ArtifactDigester::finish() {
  actors::ArtifactDigests digests;
  end(md5_.get(), digests.md5);
  end(sha1_.get(), digests.sha1);
  end(sha256_.get(), digests.sha256);
  digests.size = size_;
  return digests;
}

}  // namespace ota::gateways
