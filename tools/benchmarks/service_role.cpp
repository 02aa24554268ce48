// The role "service": the service with its front door, until whoever started it wants it to end.
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "tools/benchmarks/roles.hpp"
#include "tools/benchmarks/served_service.hpp"

namespace ota::bench {

int serve_service(const char* directory) {
  signal(SIGPIPE, SIG_IGN);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("bench"));  // stdout is for the port
  spdlog::set_level(spdlog::level::warn);
  const ServedService served(directory);
  announce_and_wait(served.port());
  return 0;
}

}  // namespace ota::bench
