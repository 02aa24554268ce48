#include "tools/otad/secret_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

namespace ota::tools {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return descriptor_; }  // NOLINT(google-explicit-constructor)

 private:
  int descriptor_;
};

[[noreturn]] void fail(const std::filesystem::path& file, const char* what) {
  throw std::runtime_error(fmt::format("{} cannot be {}: {}", file.string(), what, std::generic_category().message(errno)));
}

void write_new(const std::filesystem::path& file, const std::string& secret) {
  const auto temporary = file.string() + ".new";
  {
    const Descriptor out(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (out < 0 || ::write(out, secret.data(), secret.size()) != static_cast<ssize_t>(secret.size()) || ::fsync(out) != 0) {
      fail(temporary, "written");
    }
  }
  std::filesystem::rename(temporary, file);
  const Descriptor folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder < 0 || ::fsync(folder) != 0) fail(file.parent_path(), "synced");
}

}  // namespace

std::string secret_of(const std::filesystem::path& file, std::size_t bytes) {
  if (!std::filesystem::exists(file)) {
    std::string secret(bytes, '\0');
    if (::getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(bytes)) fail(file, "made");
    std::filesystem::create_directories(file.parent_path());
    write_new(file, secret);
    return secret;
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) fail(file, "read");
  std::string secret{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (secret.size() != bytes) {
    throw std::runtime_error(fmt::format("{} holds {} bytes, not {}: it is not this service's secret", file.string(),
                                         secret.size(), bytes));
  }
  return secret;
}

}  // namespace ota::tools
