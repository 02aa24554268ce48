// Backups that the service takes of itself: when it is asked to, by itself, and only so many.
#include "actors/backup_keeper.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "tests/actors/stage.hpp"

using namespace ota;
using namespace ota::actors;
using ota::actors::test::Stage;

namespace {

Stage with_backups(std::chrono::milliseconds every, std::size_t kept, std::filesystem::path& place) {
  return Stage([every, kept, &place](ServiceOptions& options) {
    place = options.data_directory / "backups";
    options.backup_directory = place;
    options.backup_every = every;
    options.backups_kept = kept;
  });
}

bool take(Service& service) {
  service.backups().start();
  return Stage::eventually([&] {
    const auto state = service.backups().state();
    return !state.running && state.last_ended;
  });
}

}  // namespace

TEST_CASE("a backup is taken when somebody asks, and the oldest go") {
  std::filesystem::path place;
  auto stage = with_backups(std::chrono::milliseconds(0), 2, place);
  CHECK(stage.service().backups().state().backups.empty());
  for (int i = 1; i <= 3; ++i) {
    stage.device("d" + std::to_string(i), "1.0.0");
    REQUIRE(take(stage.service()));
  }
  const auto state = stage.service().backups().state();
  CHECK(state.last_error.empty());
  REQUIRE(state.backups.size() == 2);
  CHECK(state.backups.front().id == 2);
  CHECK(state.backups.back().head == stage.service().log().head());
  stage.restart();
  CHECK(stage.service().backups().state().backups.size() == 2);
  eventstore::Backups(place).check();
}

TEST_CASE("who asks for a backup while one is taken gets one with everything of now") {
  std::filesystem::path place;
  auto stage = with_backups(std::chrono::milliseconds(0), 9, place);
  stage.device("early", "1.0.0");
  stage.service().backups().start();
  REQUIRE(Stage::eventually([&] { return std::filesystem::exists(place); }));  // it is under way, or over
  stage.device("late", "1.0.0");
  const auto head = stage.service().log().head();
  REQUIRE(take(stage.service()));
  CHECK(stage.service().backups().state().backups.back().head == head);
}

TEST_CASE("a backup does not take the room that the log needs") {
  std::atomic<std::uint64_t> free{1'000'000'000};
  std::filesystem::path place;
  Stage stage([&](ServiceOptions& options) {
    place = options.data_directory / "backups";
    options.backup_directory = place;
    options.disk.keep_free = 100'000'000;
    options.disk.every = std::chrono::milliseconds(1);
    options.disk.directory = options.data_directory;
    options.disk.free_bytes = [&](const auto&) { return std::optional(free.load()); };
  });
  stage.device("d", "1.0.0");
  free = 5;
  REQUIRE(Stage::eventually([&] { return stage.service().disk_refusal().has_value(); }));
  REQUIRE(take(stage.service()));
  CHECK(stage.service().backups().state().last_error.find("the backup was not taken: the disk of") == 0);
  CHECK(stage.service().backups().state().backups.empty());
  free = 1'000'000'000;
  REQUIRE(Stage::eventually([&] { return !stage.service().disk_refusal(); }));
  REQUIRE(take(stage.service()));
  CHECK(stage.service().backups().state().last_error.empty());
}

TEST_CASE("backups are taken by themselves") {
  std::filesystem::path place;
  auto stage = with_backups(std::chrono::milliseconds(20), 2, place);
  CHECK(Stage::eventually([&] { return stage.service().backups().state().backups.size() == 2; }));
}

TEST_CASE("a backup that cannot be taken says why, and a service without a place for them takes none") {
  Stage stage([](ServiceOptions& options) {
    options.backup_directory = "/dev/null/backups";
  });
  REQUIRE(take(stage.service()));
  CHECK(stage.service().backups().state().last_error.find("/dev/null/backups") != std::string::npos);
  Stage without;
  CHECK_FALSE(without.service().backups().has_place());
}

TEST_CASE("backups that cannot be read are no reason not to start, and are said") {
  std::filesystem::path place;
  auto stage = Stage([&place](ServiceOptions& options) {
    place = options.data_directory / "backups";
    options.backup_directory = place;
    std::filesystem::create_directories(place / "log");
    std::ofstream(place / "log" / "meta") << "no directory";
  });
  const auto state = stage.service().backups().state();
  CHECK(state.last_error.find("the backups in " + place.string() + " (backup.directory) cannot be read: ") == 0);
  CHECK(state.backups.empty());
  CHECK_FALSE(state.last_ended);
  stage.device("d", "1.0.0");
  std::filesystem::remove_all(place);
  REQUIRE(take(stage.service()));
  CHECK(stage.service().backups().state().last_error.empty());
}

TEST_CASE("a start says that the backups are those of another log, and none of them is the newest of this one") {
  std::filesystem::path place;
  auto first = with_backups(std::chrono::milliseconds(0), 9, place);
  first.device("d", "1.0.0");
  REQUIRE(take(first.service()));
  REQUIRE(first.service().backups().state().newest());
  std::atomic<std::uint64_t> free{1'000'000'000};
  Stage second([&](ServiceOptions& options) {
    options.backup_directory = place;
    options.disk.keep_free = 100'000'000;
    options.disk.every = std::chrono::milliseconds(1);
    options.disk.directory = options.data_directory;
    options.disk.free_bytes = [&](const auto&) { return std::optional(free.load()); };
  });
  second.device("e", "1.0.0");
  second.restart();
  const auto state = second.service().backups().state();
  CHECK(state.of_another_log);
  CHECK(state.last_error.find("of another log") != std::string::npos);
  CHECK(state.backups.size() == 1);
  CHECK_FALSE(state.newest());
  // Whatever else goes wrong: they are not of this log.
  free = 5;
  REQUIRE(Stage::eventually([&] { return second.service().disk_refusal().has_value(); }));
  REQUIRE(take(second.service()));
  CHECK(second.service().backups().state().last_error.find("the backup was not taken: the disk of") == 0);
  CHECK_FALSE(second.service().backups().state().newest());
}
