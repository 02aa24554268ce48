// Views that the service builds once more while it works: nobody notices, and it may end at any time.
#include "actors/views_keeper.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "tests/actors/stage.hpp"

using namespace ota;
using namespace ota::actors;
using ota::actors::test::Stage;

namespace {

// Waits for the end of what runs.
ViewsKeeper::State ended(Service& service) {
  ViewsKeeper::State state;
  REQUIRE(Stage::eventually([&] {
    state = service.views_keeper().state();
    return !state.running;
  }));
  return state;
}

}  // namespace

TEST_CASE("while devices are updated the views are rebuilt again and again, and each of them finds its way") {
  constexpr std::size_t kDevices = 24;
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  const auto devices = test::names(kDevices);
  for (const auto& device : devices) stage.device(device, "1.0.0");
  const auto campaign = stage.campaign(firmware, devices, {});
  stage.start(campaign);
  std::atomic<std::size_t> updated{0};
  std::vector<std::thread> fleet;
  for (std::size_t first : {0, 1}) {
    fleet.emplace_back([&, first] {
      for (std::size_t i = first; i < kDevices; i += 2) {
        const auto update = stage.poll_until_offered(devices[i]);
        if (update) stage.report(*update, domain::Report::Kind::kSuccess);
        ++updated;
      }
    });
  }
  std::size_t rebuilds = 0;
  do {
    REQUIRE(stage.service().views_keeper().start(ViewsKeeper::Work::kRebuild));
    const auto run = ended(stage.service()).last_rebuild;
    REQUIRE(run);
    CHECK(run->error == "");
    ++rebuilds;
  } while (updated < kDevices);
  for (auto& thread : fleet) thread.join();
  CHECK(rebuilds >= 1);
  CHECK(stage.row(campaign).completed == kDevices);
  REQUIRE(stage.service().views_keeper().start(ViewsKeeper::Work::kVerify));
  const auto run = ended(stage.service()).last_verification;
  REQUIRE(run);
  CHECK(run->error == "");
  CHECK(run->found.equal());
  CHECK(run->found.position.value == stage.service().log().head().value);
}

TEST_CASE("a service that ends in the middle of a rebuild has its views at the next start") {
  Stage stage;
  for (const auto& device : test::names(20)) stage.device(device, "1.0.0");
  const auto digest = stage.service().views().digest();
  for (const auto work : {ViewsKeeper::Work::kRebuild, ViewsKeeper::Work::kVerify, ViewsKeeper::Work::kRebuild}) {
    CHECK(stage.service().views_keeper().start(work));
    stage.restart();
    CHECK(stage.service().views().position().value == stage.service().log().head().value);
    CHECK(stage.service().views().digest() == digest);
    CHECK_FALSE(stage.service().views_keeper().state().running);
  }
}

TEST_CASE("a disk that fills up meanwhile ends a rebuild with a sentence, and the views stay") {
  std::atomic<std::uint64_t> free{1'000'000'000};
  Stage stage([&](ServiceOptions& options) {
    options.disk.keep_free = 1'000'000;
    options.disk.every = std::chrono::milliseconds(1);
    options.disk.free_bytes = [&free](const auto&) { return std::optional(free.load()); };
  });
  for (const auto& device : test::names(5)) stage.device(device, "1.0.0");
  const auto digest = stage.service().views().digest();
  CHECK_FALSE(stage.service().views_keeper().refusal());
  free = 1'000;
  REQUIRE(Stage::eventually([&] { return stage.service().views_keeper().refusal().has_value(); }));
  CHECK(stage.service().views_keeper().start(ViewsKeeper::Work::kRebuild));  // between the look and the work
  const auto run = ended(stage.service()).last_rebuild;
  REQUIRE(run);
  CHECK(run->error.find("the disk of ") != std::string::npos);
  CHECK(stage.service().views().digest() == digest);
}
