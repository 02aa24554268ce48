// The role "service": everything that otad puts together, with its defaults; only the bus is
// missing.
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <filesystem>

#include "actors/service.hpp"
#include "gateways/artifact_files.hpp"
#include "http/api.hpp"
#include "http/front_door.hpp"
#include "tools/benchmarks/roles.hpp"

namespace ota::bench {

int serve_service(const char* directory) {
  signal(SIGPIPE, SIG_IGN);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("bench"));  // stdout is for the port
  spdlog::set_level(spdlog::level::warn);
  const std::filesystem::path data = directory;
  const auto artifacts = gateways::open_artifact_files(data / "artifacts");
  actors::ServiceOptions options;
  options.data_directory = data;
  const auto service = actors::Service::open(std::move(options));
  http::Api api(*service, *artifacts,
                http::ApiOptions{"DEFAULT", {}, OTA_VERSION, /*neighbours=*/{}});
  http::Router router;
  api.add_to(router);
  http::FrontDoorOptions door_options;
  door_options.port = 0;
  http::FrontDoor door(door_options,
                       [&router](http::RequestContext& context) { router.handle(context); });
  door.start();
  announce_and_wait(door.port());
  door.stop();
  return 0;
}

}  // namespace ota::bench
