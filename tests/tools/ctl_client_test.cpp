// tools/otactl/service_client: what is asked for arrives as it was asked.
#include "tools/otactl/service_client.hpp"

#include <doctest/doctest.h>

#include "http/front_door.hpp"
#include "tools/otactl/url.hpp"

using namespace ota;

TEST_CASE("a path arrives as it is, whatever a device is called") {
  http::FrontDoorOptions options;
  options.port = 0;
  options.handler_threads = 4;
  http::FrontDoor door(options, [](http::RequestContext& context) {
    context.answer_json(200, nlohmann::json{{"path", context.path()}}.dump());
  });
  door.start();
  ctl::ServiceSettings settings;
  settings.server = "http://127.0.0.1:" + std::to_string(door.port());
  ctl::ServiceClient client(settings);
  for (const auto* name : {"pump-7", ".", "..", "a/../b", "%2E%2E"}) {
    CAPTURE(name);
    const auto path = "/devices/" + ctl::escape(name) + "/token";
    CHECK(ctl::expect_json(client.get(path)).at("path") == "/api/v1/ota" + path);
  }
}
