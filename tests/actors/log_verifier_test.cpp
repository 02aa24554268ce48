// The log is verified by itself: soon after a start that comes too late for it, then again and again.
#include "actors/log_verifier.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/actors/stage.hpp"

using namespace ota;
using namespace ota::actors;
using ota::actors::test::Stage;

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

// A service whose log is verified so often.
struct Verified {
  explicit Verified(milliseconds between) : every(between) {}

  milliseconds every;
  std::filesystem::path data;
  Stage stage{[this](ServiceOptions& options) {
    data = options.data_directory;
    options.key_directory = data / "keys";
    options.verify_every = every;
  }};
  LogVerifier::State state() { return stage.service().verifier().state(); }
};

}  // namespace

TEST_CASE("the log is verified by itself, again and again, and the next start knows when that was") {
  Verified log(milliseconds(5));
  REQUIRE(Stage::eventually([&] { return log.state().last.has_value(); }));
  CHECK(log.state().last->is_sound());
  log.stage.device("d1", "1.0.0");
  const auto head = log.stage.service().log().head();
  CHECK(Stage::eventually([&] { return log.state().last->result.head >= head; }));
  CHECK(log.state().sound == log.stage.now());

  log.every = hours(24);
  log.stage.restart();
  CHECK_FALSE(log.state().last);
  CHECK(log.state().sound == log.stage.now());
}

TEST_CASE("a service whose log is verified only when somebody asks keeps that, too") {
  Verified log(milliseconds(0));
  CHECK_FALSE(log.state().sound);
  REQUIRE(log.stage.service().verifier().start());
  REQUIRE(Stage::eventually([&] { return log.state().last.has_value(); }));
  log.stage.restart();
  CHECK(log.state().sound == log.stage.now());
}

TEST_CASE("the first verification waits for the rest of the day, or, if that is over, for the start alone") {
  LogVerifier::Options options;
  const domain::Time now{hours(1'000'000)};
  const auto wait = [&](std::optional<domain::Time> sound) { return until_due(options.every, options.soon, sound, now); };
  CHECK(wait({}) == minutes(5));
  CHECK(wait(now) == hours(24));
  CHECK(wait(now - hours(20)) == hours(4));
  CHECK(wait(now - hours(24)) == minutes(5));
  CHECK(wait(now - hours(1'000)) == minutes(5));
  CHECK(wait(now + hours(1)) == minutes(5));  // the clock was put back
  options.every = milliseconds(20);
  CHECK(wait({}) == milliseconds(20));
}
