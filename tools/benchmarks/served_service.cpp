#include "tools/benchmarks/served_service.hpp"

#include "gateways/artifact_files.hpp"
#include "http/api.hpp"
#include "http/front_door.hpp"
#include "tools/heap.hpp"

namespace ota::bench {
namespace {

actors::ServiceOptions service_in(const std::filesystem::path& directory) {
  actors::ServiceOptions options;
  options.data_directory = directory;
  return options;
}

http::FrontDoorOptions on_a_free_port() {
  http::FrontDoorOptions options;
  options.port = 0;
  return options;
}

// As otad has it, but for credentials.
http::ApiOptions open_to_devices() {
  http::ApiOptions options;
  options.version = OTA_VERSION;
  options.device_auth.anonymous = true;
  // The load comes from far fewer devices than a fleet has: the limit is there, and is not reached.
  options.device_rates.device = {1e6, 1e6};
  options.poll_pace = {.polls_per_s = 2'000, .jitter_percent = 10};
  return options;
}

}  // namespace

struct ServedService::Parts {
  explicit Parts(const std::filesystem::path& directory)
      : artifacts(gateways::open_artifact_files(directory / "artifacts")),
        service(actors::Service::open(service_in(directory))),
        api(*service, *artifacts,
            open_to_devices()),
        door(on_a_free_port(), [this](http::RequestContext& context) { router.handle(context); }) {
    api.add_to(router);
    door.start();
    tools::give_back_free_memory();
  }

  std::unique_ptr<actors::ArtifactStore> artifacts;
  std::unique_ptr<actors::Service> service;
  http::Api api;
  http::Router router;
  http::FrontDoor door;
};

ServedService::ServedService(const std::filesystem::path& directory)
    : parts_(std::make_unique<Parts>(directory)) {}
ServedService::~ServedService() { parts_->door.stop(); }

actors::Service& ServedService::service() { return *parts_->service; }
int ServedService::port() const { return parts_->door.port(); }

}  // namespace ota::bench
