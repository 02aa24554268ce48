// What is being measured right now, on stderr, where a person looks who waits.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <string_view>

namespace ota::bench {

inline void show_progress(std::string_view work, std::size_t round, std::size_t rounds) {
  if (isatty(STDERR_FILENO) == 0) return;
  fmt::print(stderr, "\r\033[K{}: {} of {}", work, round + 1, rounds);
  std::fflush(stderr);
}
inline void end_progress() {
  if (isatty(STDERR_FILENO) == 0) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
}

}  // namespace ota::bench
