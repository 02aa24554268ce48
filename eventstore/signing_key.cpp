#include "eventstore/signing_key.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "eventstore/assert.hpp"

namespace ota::eventstore {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, std::string_view why) {
  throw std::runtime_error(fmt::format("the log's signing key {}: {}", file.string(), why));
}
[[noreturn]] void fail_errno(const std::filesystem::path& file, std::string_view doing) {
  fail(file, fmt::format("cannot be {}: {}", doing, std::strerror(errno)));
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

struct File {
  explicit File(int number) : descriptor(number) {}
  ~File() {
    if (descriptor >= 0) ::close(descriptor);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor;
};

void sync_directory(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const File directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.descriptor < 0 || ::fsync(directory.descriptor) != 0) fail_errno(file, "made durable");
}

std::string pem_of(EVP_PKEY* key) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
  OTA_ASSERT(memory && PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

SigningKey::SigningKey(std::shared_ptr<EVP_PKEY> key) : key_(std::move(key)) {
  std::size_t size = public_.size();
  OTA_ASSERT(EVP_PKEY_get_raw_public_key(key_.get(), public_.data(), &size) == 1 && size == public_.size());
}

SigningKey SigningKey::make() {
  std::shared_ptr<EVP_PKEY> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free);
  OTA_ASSERT(key != nullptr);
  return SigningKey(std::move(key));
}

SigningKey SigningKey::read(const std::filesystem::path& file) {
  struct stat status {};
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "re"), &std::fclose);
  if (!stream || ::fstat(::fileno(stream.get()), &status) != 0) fail_errno(file, "read");
  if ((status.st_mode & 077) != 0) fail(file, fmt::format("may be read by others (mode {:04o}): 0600 is wanted", status.st_mode & 07777));
  std::shared_ptr<EVP_PKEY> key(PEM_read_PrivateKey(stream.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) fail(file, "holds no Ed25519 private key in PEM form");
  return SigningKey(std::move(key));
}

void SigningKey::write(const std::filesystem::path& file) const {
  const auto pem = pem_of(key_.get());
  auto fresh = file;
  fresh += ".new";
  ::unlink(fresh.c_str());  // of a write that was cut off
  {
    const File out(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (out.descriptor < 0 || ::write(out.descriptor, pem.data(), pem.size()) != static_cast<ssize_t>(pem.size()) ||
        ::fsync(out.descriptor) != 0) {
      fail_errno(file, "written");
    }
  }
  move_durably(fresh, file);
}

void move_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail_errno(to, "written");
  sync_directory(to);
}

std::string SigningKey::sign(std::string_view message) const {
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::string signature(kSignatureBytes, '\0');
  std::size_t size = signature.size();
  OTA_ASSERT(context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
             EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes_of(message),
                            message.size()) == 1 &&
             size == kSignatureBytes);
  return signature;
}

bool is_signature(const PublicKey& key, std::string_view message, std::string_view signature) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> made(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()), &EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  return made && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, made.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message), message.size()) == 1;
}

}  // namespace ota::eventstore
