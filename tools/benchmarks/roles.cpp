#include "tools/benchmarks/roles.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

namespace ota::bench {

std::optional<int> play_role(int argc, char** argv) {
  if (argc != 3) return std::nullopt;
  const std::string_view name = argv[1];
  try {
    if (name == kServiceRole) return serve_service(argv[2]);
    if (name == kHelloRole) return serve_hello(std::stoul(argv[2]));
    if (name == kNginxRole) return serve_nginx(argv[2]);
  } catch (const std::exception& fault) {
    fmt::print(stderr, "bench {}: {}\n", name, fault.what());
    return EXIT_FAILURE;
  }
  return std::nullopt;
}

void announce_and_wait(int port) {
  fmt::print("{}\n", port);
  std::fflush(stdout);
  for (char byte = 0;;) {
    const ssize_t count = read(STDIN_FILENO, &byte, 1);
    if (count == 0 || (count < 0 && errno != EINTR)) return;
  }
}

}  // namespace ota::bench
