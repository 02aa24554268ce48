// A disk that fills up: nothing new is taken, what is there is served, and it goes on when there is room.
#include "actors/disk_guard.hpp"

#include <doctest/doctest.h>

#include <atomic>

#include "tests/actors/stage.hpp"

using namespace ota;
using namespace ota::actors;
using ota::actors::test::Stage;

namespace {

constexpr std::uint64_t kMegabyte = 1'000'000;

struct Disk {
  std::atomic<std::uint64_t> free{1'000 * kMegabyte};
  DiskGuard::Options options() {
    return {"/data", 100 * kMegabyte, std::chrono::milliseconds(1), [this](const auto&) { return std::optional(free.load()); }};
  }
};

bool refuses(const DiskGuard& guard) { return guard.refusal().has_value(); }

}  // namespace

TEST_CASE("below the margin it refuses, and takes again what comes when there is a tenth more") {
  Disk disk;
  const DiskGuard guard(disk.options());
  CHECK_FALSE(refuses(guard));
  CHECK_FALSE(guard.refusal(900 * kMegabyte));
  CHECK(guard.refusal(901 * kMegabyte));
  disk.free = 99 * kMegabyte;
  REQUIRE(Stage::eventually([&] { return refuses(guard); }));
  CHECK(*guard.refusal() == "the disk of /data is full: 99 MB are free, 100 MB are kept free; nothing is written until there is room");
  disk.free = 110 * kMegabyte;
  REQUIRE(Stage::eventually([&] { return !refuses(guard); }));
}

TEST_CASE("what is kept for one upload is not there for another, until it is given back") {
  Disk disk;
  DiskGuard guard(disk.options());
  CHECK_FALSE(guard.hold(500 * kMegabyte));
  CHECK(guard.hold(401 * kMegabyte));
  CHECK_FALSE(guard.hold(400 * kMegabyte));
  CHECK(guard.hold(1 * kMegabyte));
  CHECK_FALSE(guard.refusal());             // small things go on: there is room yet
  guard.release(500 * kMegabyte);
  CHECK_FALSE(guard.hold(500 * kMegabyte));
}

TEST_CASE("a disk that is full at the start is known before anything is taken; no margin, no guard") {
  Disk disk;
  disk.free = 5;
  CHECK(refuses(DiskGuard(disk.options())));
  auto options = disk.options();
  options.keep_free = 0;
  CHECK_FALSE(DiskGuard(options).refusal(1'000'000 * kMegabyte));
}

TEST_CASE("a service on a full disk refuses what would write, and serves what it has") {
  Disk disk;
  Stage stage([&](ServiceOptions& options) {
    options.disk = disk.options();
    options.disk.directory = options.data_directory;
  });
  stage.device("d1", "1.0.0");
  const auto head = stage.service().log().head();
  disk.free = 0;
  REQUIRE(Stage::eventually([&] { return stage.service().disk_refusal().has_value(); }));
  domain::ChangeAttributes change;
  change.values = {{"site", "ams"}};
  const auto refused = stage.service().device({"d1"}, change, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == domain::ErrorCode::kUnavailable);
  CHECK(refused.error().message.find("is full: 0 MB are free") != std::string::npos);
  CHECK_FALSE(stage.service().poll({"new"}, {}));
  CHECK(stage.service().poll({"d1"}, {}));
  CHECK_FALSE(stage.service().create_campaign({}, {}));
  CHECK_FALSE(stage.service().rotate_log_key({}));
  CHECK(stage.service().views().device({"d1"}));
  CHECK(stage.service().log().head() == head);
  disk.free = 1'000 * kMegabyte;
  REQUIRE(Stage::eventually([&] { return stage.service().device({"d1"}, change, {}).ok(); }));
}
