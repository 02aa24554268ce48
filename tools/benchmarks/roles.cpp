#include "tools/benchmarks/roles.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "tools/benchmarks/lived_log.hpp"

namespace ota::bench {

namespace {

constexpr std::size_t kPostgresHandlers = 64;   // if nobody says how many

}  // namespace

std::optional<int> play_role(int argc, char** argv) {
  if (argc < 3) return std::nullopt;
  const std::string_view name = argv[1];
  try {
    if (argc == 4 && name == kMakeLogRole) {
      const auto made = make_lived_log(argv[2], std::stoull(argv[3]));
      fmt::print("{} events of {} devices in {:.0f} s\n", made.events, made.devices, made.seconds);
      return 0;
    }
    if (argc > 4) return std::nullopt;
    const auto handlers = [&] { return argc == 4 && *argv[3] != '\0' ? std::stoul(argv[3]) : kPostgresHandlers; };
    if (name == kServiceRole) return serve_service(argv[2]);
    if (name == kHelloRole) return serve_hello(std::stoul(argv[2]));
    if (name == kNginxRole) return serve_nginx(argv[2]);
    if (name == kPostgresRole) return serve_postgres(argv[2], ReportTrips::kFour, handlers());
    if (name == kPipelinedPostgresRole) return serve_postgres(argv[2], ReportTrips::kOne, handlers());
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
