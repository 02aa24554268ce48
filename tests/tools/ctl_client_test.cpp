// tools/otactl/service_client: what is asked for arrives as it was asked.
#include "tools/otactl/service_client.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

#include "http/front_door.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/session.hpp"
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

TEST_CASE("as of an earlier moment everything is asked, and nothing is changed") {
  http::FrontDoorOptions options;
  options.port = 0;
  options.handler_threads = 4;
  std::atomic<int> answered = 0;
  http::FrontDoor door(options, [&](http::RequestContext& context) {
    ++answered;
    context.answer_json(200, nlohmann::json{{"query", context.query()}}.dump());
  });
  door.start();
  ctl::ServiceSettings settings;
  settings.server = "http://127.0.0.1:" + std::to_string(door.port());
  settings.as_of = "2026-01-31T12:00:00+01:00";
  ctl::ServiceClient client(settings);
  CHECK(ctl::expect_json(client.get("/stats")).at("query") == "as_of=2026-01-31T12%3A00%3A00%2B01%3A00");
  CHECK(ctl::expect_json(client.get("/campaigns?limit=2")).at("query") == "limit=2&as_of=2026-01-31T12%3A00%3A00%2B01%3A00");
  CHECK(answered == 2);
  const auto refused = [](const auto& request) {
    try {
      request();
      return std::string("it was sent");
    } catch (const ctl::Failure& failure) {
      CHECK(failure.exit_code() == ctl::kExitUsage);
      return std::string(failure.what());
    }
  };
  CHECK(refused([&] { client.post("/campaigns/c/pause", {}); }) ==
        "--as-of 2026-01-31T12:00:00+01:00: this command changes something, and the past cannot be changed");
  CHECK(refused([&] { client.remove("/users/ada"); }).find("cannot be changed") != std::string::npos);
  CHECK(refused([&] { client.get_from_root("/health"); }) == "--as-of 2026-01-31T12:00:00+01:00: /health shows the present alone");
  ctl::Session session;
  session.settings = settings;
  CLI::App app;
  ctl::add_whatif_command(app, session);
  app.parse("whatif camp_1", false);
  CHECK(refused([&] { session.action(client); }) ==
        "--as-of 2026-01-31T12:00:00+01:00: whatif replays the whole of a campaign that is over, and changes nothing; it is the same as "
        "of any moment: leave --as-of out");
  CHECK(answered == 2);
}
