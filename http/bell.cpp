#include "http/bell.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace ota::http {

Bell::Bell() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "Cannot create an eventfd");
}

Bell::~Bell() { ::close(descriptor_); }

void Bell::ring() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto size = ::write(descriptor_, &one, sizeof one);
}

void Bell::quiet() const {
  std::uint64_t value;
  [[maybe_unused]] const auto size = ::read(descriptor_, &value, sizeof value);
}

}  // namespace ota::http
