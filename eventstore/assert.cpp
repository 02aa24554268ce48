#include "eventstore/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace ota::eventstore {

void assertion_failed(const char* file, int line, const char* expression) noexcept {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
  std::fflush(stderr);
  std::abort();
}

}  // namespace ota::eventstore
