// The maintenance window gates the install, too (decision 14): downloaded behind its end, an update holds until it opens.
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

// kNow is 12:00 UTC.
AttemptGranted granted_with(MaintenanceWindow window) {
  auto grant = first_grant();
  grant.plan->maintenance_window = std::move(window);
  return grant;
}
Report downloaded() {
  Report r;
  r.attempt = 1;
  r.phase = UpdateStatus::kVerifying;
  return r;
}
const MaintenanceWindow kNight{22 * 60, 23 * 60, "UTC"};
const MaintenanceWindow kDay{11 * 60, 13 * 60, "UTC"};
const Time kNightBegins = std::chrono::floor<std::chrono::days>(kNow) + hours(22);
const UpdateHeld kHeld{1, 0, false, kNightBegins};
const ProgressReported kVerifying{1, UpdateStatus::kVerifying, 0, 0, {}, {}, {}, {}};

}  // namespace

TEST_CASE("decision 14: downloaded while the window is closed, an update holds until it opens, and no time runs") {
  const auto held = given({granted_with(kNight), started()}).when(downloaded());
  CHECK(held.the<UpdateHeld>() == kHeld);
  const auto s = given({granted_with(kNight), started(), kVerifying, kHeld}).update();
  CHECK(s.held);
  CHECK(s.held_until == kNightBegins);
  CHECK_FALSE(s.timeout_at.has_value());
}

TEST_CASE("decision 14: in an open window nothing is held, nor without one, nor once it installs") {
  const auto held = [](const Given& story, Report r) {
    const auto decided = decide(story.update(), UpdateCommand(r), story.context());
    REQUIRE(decided.ok());
    return std::any_of(decided.value().begin(), decided.value().end(),
                       [](const auto& e) { return std::holds_alternative<UpdateHeld>(e.event); });
  };
  CHECK_FALSE(held(given({granted_with(kDay), started()}), downloaded()));
  CHECK_FALSE(held(given({first_grant(), started()}), downloaded()));
  auto installing = downloaded();
  installing.phase = UpdateStatus::kInstalling;
  CHECK_FALSE(held(given({granted_with(kNight), started()}), installing));
  // A device's own zone decides: noon in London is nine in the evening in Tokyo.
  auto in_tokyo = downloaded();
  in_tokyo.timezone = "Asia/Tokyo";
  CHECK_FALSE(held(given({granted_with({20 * 60, 22 * 60, "device"}), started()}), in_tokyo));
  CHECK(held(given({granted_with({20 * 60, 22 * 60, "device"}), started()}), downloaded()));
}

TEST_CASE("decision 14: when the window opens the device may install, with fresh time") {
  const auto story = given({granted_with(kNight), started(), kVerifying, kHeld});
  const auto opens = DeadlineReached{UpdateDeadline::kWindowOpens, 1, {}};
  given({granted_with(kNight), started(), kVerifying, kHeld}).when(opens).then_nothing();  // too early
  const auto released = given({granted_with(kNight), started(), kVerifying, kHeld})
                            .now(kNightBegins)
                            .when(opens)
                            .the<AttemptStarted>();
  CHECK(released.released);
  CHECK(released.timeout_at == kNightBegins + minutes(60));
  const auto s = given({granted_with(kNight), started(), kVerifying, kHeld, released}).update();
  CHECK_FALSE(s.held);
  CHECK(s.released);
  CHECK(s.timeout_at == released.timeout_at);
}

TEST_CASE("decision 14: a switch while the window is closed lets the holder wait for the window") {
  auto grant = granted_with(kNight);
  grant.hold = true;
  const auto held = given({grant, started(), kVerifying, UpdateHeld{1, 0, false}}).when(ReleaseHold{}).the<UpdateHeld>();
  CHECK(held.until == kNightBegins);
  given({grant, started(), kVerifying, UpdateHeld{1, 0, false}, held}).when(ReleaseHold{}).then_nothing();
}

TEST_CASE("decision 14: who installs though its window is closed is not waited for any more") {
  const auto held = given({granted_with(kNight), started(), progress(UpdateStatus::kVerifying), kHeld});
  auto installing = downloaded();
  installing.phase = UpdateStatus::kInstalling;
  CHECK(held.when(installing).the<AttemptStarted>().released);
}

TEST_CASE("decisions 7 and 14: a time-out that comes while the window keeps a download from going on is put off, once") {
  auto put_off = started();
  put_off.timeout_at = kNightBegins + minutes(60);
  put_off.extended = true;
  const DeadlineReached timed_out{UpdateDeadline::kTimeout, 1};
  for (const auto phase : {UpdateStatus::kInProgress, UpdateStatus::kDownloading}) {
    const auto downloading = given({granted_with(kNight), started(), progress(phase)});
    downloading.when(timed_out).then({put_off});
    auto again = given({granted_with(kNight), started(), progress(phase), put_off});
    again.when(timed_out).then_nothing();   // said twice
    CHECK(again.now(put_off.timeout_at + hours(12)).when(timed_out).the<AttemptEnded>().error_code == "timeout");
  }
  // What installs is not kept from it, and in an open window nothing is.
  given({granted_with(kNight), started(), progress(UpdateStatus::kInstalling)}).when(timed_out).the<AttemptEnded>();
  given({granted_with(kDay), started(), progress(UpdateStatus::kDownloading)}).when(timed_out).the<AttemptEnded>();
}
