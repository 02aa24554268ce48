// blue_green: who can hold goes first and holds, and one switch lets all of them install (design, section 4).
#include <doctest/doctest.h>

#include "tests/domain/campaign/canary.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

CampaignPolicy blue_green(std::uint32_t places = 2) {
  auto p = policy();
  p.strategy = Strategy::kBlueGreen;
  p.max_concurrent_updates = places;
  return p;
}

GrantAsk holder(std::uint32_t ordinal) {
  auto ask = ask_of(ordinal);
  ask.facts.can_hold = true;
  return ask;
}

std::vector<Fact> holding(std::uint32_t ordinal) {
  auto granted = first_grant();
  granted.hold = true;
  return {of(ordinal, granted), of(ordinal, started()), of(ordinal, UpdateHeld{1, 0, false})};
}
Fact released(std::uint32_t ordinal) {
  auto again = started();
  again.released = true;
  return of(ordinal, again);
}

// Of the devices 0, 1 and 2.
std::vector<Fact> running(const std::vector<Fact>& more = {}, const CampaignPolicy& p = blue_green()) {
  return std::vector<Fact>{created({0, 1, 2}, p), CampaignStarted{}} + more;
}

}  // namespace

TEST_CASE("S2/BR-OTA-012: before the switch only who can hold is granted, and is told to hold") {
  CHECK(is_granted(ask_for(given(running()), holder(0))).hold);
  CHECK(is_waiting(ask_for(given(running()), ask_of(1)), Gate::kBatch).fact ==
        "the device cannot hold an update: it waits for the campaign's switch");
  const auto switched = running({CampaignSwitched{}});
  CHECK_FALSE(is_granted(ask_for(given(switched), ask_of(1))).hold);
  CHECK_FALSE(is_granted(ask_for(given(switched), holder(0))).hold);
}

TEST_CASE("BR-OTA-016: holders take no place, neither while they hold nor when the switch has let them go") {
  const auto one_holds = running(holding(0), blue_green(1));
  CHECK(given(one_holds).campaign().held == set_of({0}));
  is_granted(ask_for(given(one_holds), holder(1)));
  const auto taken = one_holds + std::vector<Fact>{of(1, first_grant())};
  is_waiting(ask_for(given(taken), holder(2)), Gate::kConcurrency);
  const auto let_go = one_holds + std::vector<Fact>{CampaignSwitched{}, released(0)};
  CHECK(given(let_go).campaign().released == set_of({0}));
  CHECK(given(let_go).campaign().held.isEmpty());
  is_granted(ask_for(given(let_go), ask_of(1)));
  // One that fails then and is tried again takes a place like everybody.
  const auto again = let_go + std::vector<Fact>{of(0, failed_until(kBefore)), of(0, retry_grant(2))};
  is_waiting(ask_for(given(again), ask_of(1)), Gate::kConcurrency);
}

TEST_CASE("a campaign switches by itself when everybody holds or has ended, not before") {
  const auto all = running(holding(0) + holding(1));
  given(all).own_events().then_nothing();   // 2 was not granted yet
  const auto ended = all + std::vector<Fact>{of(2, UpdateCancelled{})};
  given(ended).own_events().then({CampaignSwitched{false, "every device holds the update, or has ended"}});
  given(all + std::vector<Fact>{of(2, first_grant())}).own_events().then_nothing();   // it downloads
  given(running({CampaignPaused{"lunch"}})).own_events().then_nothing();
}

TEST_CASE("switch_at switches at its time, whoever holds by then") {
  auto p = blue_green();
  p.switch_at = kNow;
  given(running(holding(0), p)).now(kNow - seconds(1)).own_events().then_nothing();
  given(running(holding(0), p)).own_events().then({CampaignSwitched{true, "switch_at has passed"}});
  CHECK(wakes_at(given(running({}, p)).campaign(), kBefore) == kNow);
  given(running({CampaignSwitched{}}, p)).own_events().then_nothing();
}

TEST_CASE("an operator switches a blue_green campaign that runs, once") {
  given(running()).when(SwitchCampaign{"shop closes"}).then({CampaignSwitched{false, "shop closes"}});
  given(running({CampaignSwitched{}})).when(SwitchCampaign{"again"}).then_nothing();
  given(running({CampaignPaused{"lunch"}})).when(SwitchCampaign{}).then_error(ErrorCode::kStateTransition);
  given({created({0}, blue_green())}).when(SwitchCampaign{}).then_error(ErrorCode::kStateTransition);
  CHECK(given({created({0}), CampaignStarted{}}).when(SwitchCampaign{}).then_error(ErrorCode::kStateTransition).message ==
        "only a blue_green campaign has a switch; this one is immediate");
  given(running({FirmwareRecalled{"bad"}})).when(SwitchCampaign{}).then_error(ErrorCode::kStateTransition);
}

TEST_CASE("a switch tells every holder to install, and a campaign's end every holder to stop") {
  const auto held = running(holding(0) + holding(1));
  CHECK(given(held).due().releases.empty());
  const auto switched = held + std::vector<Fact>{CampaignSwitched{}};
  CHECK((given(switched).due().releases ==
         std::vector{UpdateId::in_campaign(kCampaign, {0}), UpdateId::in_campaign(kCampaign, {1})}));
  CHECK(given(switched).due(set_of({0})).releases.size() == 1);
  CHECK(given(switched + std::vector<Fact>{FirmwareRecalled{"bad"}}).due().releases.empty());
  // They would wait for ever.
  CHECK(given(held + std::vector<Fact>{CampaignAborted{}}).due().cancels.size() == 2);
  for (const auto& cancel : given(held + std::vector<Fact>{CampaignAborted{}}).due().cancels) {
    CHECK(cancel.reach == CancelUpdate::Reach::kNotInstalling);
  }
}

TEST_CASE("who was let go by the switch into a closed window installs without a place when that opens") {
  auto opened = started();
  opened.released = true;
  const auto waits = running(holding(0), blue_green(1)) +
                     std::vector<Fact>{CampaignSwitched{}, of(0, UpdateHeld{1, 0, false, kNow + hours(8)})};
  is_granted(ask_for(given(waits), ask_of(1)));
  const auto let_go = waits + std::vector<Fact>{of(0, opened)};
  CHECK(given(let_go).campaign().released == set_of({0}));
  is_granted(ask_for(given(let_go), ask_of(1)));
}

TEST_CASE("a retry of a device that cannot hold any more waits for the switch like a first attempt") {
  const auto failed = running(holding(0) + std::vector<Fact>{of(0, failed_until(kBefore))});
  is_waiting(ask_for(given(failed), ask_of(0)), Gate::kBatch);
  CHECK(is_granted(ask_for(given(failed), holder(0))).hold);
}
