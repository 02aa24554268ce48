// SHA-256 and SHA-1 of a download while it streams by. Copyable: a copy is what a device has safely
// in its flash.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ota::sim {

struct Hashes {
  std::string sha256;  // lower-case hex
  std::string sha1;
  bool operator==(const Hashes&) const = default;
};

class StreamingDigest {
 public:
  StreamingDigest();
  StreamingDigest(const StreamingDigest& other);
  StreamingDigest& operator=(const StreamingDigest& other);
  StreamingDigest(StreamingDigest&&) noexcept = default;
  StreamingDigest& operator=(StreamingDigest&&) noexcept = default;
  ~StreamingDigest() = default;

  void update(std::string_view bytes);

  // Answers how many bytes were taken.
  std::int64_t bytes() const { return bytes_; }

  // Answers the hashes of what was taken so far; more may follow.
  Hashes hashes() const;

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  using Context = std::unique_ptr<EVP_MD_CTX, Free>;
  static Context fresh(const EVP_MD* kind);
  static Context copy(const Context& from);
  static std::string hex(const Context& context);

  Context sha256_;
  Context sha1_;
  std::int64_t bytes_ = 0;
};

}  // namespace ota::sim
