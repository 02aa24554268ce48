// The gates of content and window: the bytes are here, and the clock on the wall allows it
// (decisions 14, 29).
#include "tests/domain/campaign/canary.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

// kNow is 12:00 UTC, 13:00 in Amsterdam, 21:00 in Tokyo.
CampaignPolicy within(std::uint16_t start_hour, std::uint16_t end_hour, std::string zone = "UTC") {
  auto p = policy();
  p.maintenance_window =
      MaintenanceWindow{static_cast<std::uint16_t>(start_hour * 60),
                        static_cast<std::uint16_t>(end_hour * 60), std::move(zone)};
  return p;
}

Given running(const CampaignPolicy& p) { return given({created({1, 2}, p), CampaignStarted{}}); }

GrantAsk from(std::string zone) {
  auto ask = ask_of(1);
  ask.facts.timezone = std::move(zone);
  return ask;
}

bool has_room(const Given& scenario, Time now = kNow) {
  const auto found = room(scenario.campaign(), {}, now);
  CHECK(found.for_first_attempts == found.for_retries);
  return found.for_retries;
}

}  // namespace

TEST_CASE(
    "BR-OTA-028: in its window a campaign grants, outside of it a device waits until it opens") {
  is_granted(ask_for(running(within(12, 13)), ask_of(1)));
  const auto closed = running(within(13, 15));
  const auto wait = is_waiting(ask_for(closed, ask_of(1)), Gate::kWindow);
  CHECK(wait.fact == "the maintenance window 13:00 to 15:00 (UTC) is closed");
  CHECK(wait.until == kNow + hours(1));
  CHECK(has_room(running(within(12, 13))));
  CHECK_FALSE(has_room(closed));
  CHECK(has_room(closed, kNow + hours(1)));
}

TEST_CASE("decision 14: a window ends before its end, and may cross midnight") {
  is_waiting(ask_for(running(within(9, 12)), ask_of(1)), Gate::kWindow);
  is_granted(ask_for(running(within(22, 13)), ask_of(1)));
  CHECK(is_waiting(ask_for(running(within(22, 4)), ask_of(1)), Gate::kWindow).until ==
        kNow + hours(10));
}

TEST_CASE("decision 14: the window is that of its own zone, wherever the device is") {
  const auto scenario = running(within(13, 14, "Europe/Amsterdam"));
  is_granted(ask_for(scenario, from("Asia/Tokyo")));
  CHECK(has_room(scenario));
  CHECK_FALSE(has_room(running(within(12, 13, "Europe/Amsterdam"))));
}

TEST_CASE("decision 14: \"device\" is the zone that each device reports, else UTC") {
  const auto evening = running(within(20, 22, "device"));
  is_granted(ask_for(evening, from("Asia/Tokyo")));
  CHECK(is_waiting(ask_for(evening, from("Europe/Amsterdam")), Gate::kWindow).until ==
        kNow + hours(7));
  CHECK(is_waiting(ask_for(evening, from("")), Gate::kWindow).fact ==
        "the maintenance window 20:00 to 22:00 (UTC) is closed");
  is_waiting(ask_for(evening, from("Mars/Olympus")), Gate::kWindow);
  // So there is room as long as anybody's window may be open.
  CHECK(has_room(evening));
}

TEST_CASE("the window stands before retries, too") {
  const std::vector<Fact> facts{created({1, 2}, within(13, 15)), CampaignStarted{},
                                of(1, first_grant()), of(1, failed_until(kBefore))};
  auto ask = ask_of(1);
  ask.attempts = 1;
  is_waiting(ask_for(given(facts), ask), Gate::kWindow);
  CHECK(is_granted(ask_for(given(facts).now(kNow + hours(1)), ask)).retry);
}

TEST_CASE("who is there already is skipped, whatever the window or the content") {
  auto ask = ask_of(1);
  ask.facts.firmware_version = "2.1.0";
  CHECK(std::holds_alternative<UpdateSkipped>(ask_for(running(within(13, 15)), ask)));
  auto record = created({1});
  record.content_pending = true;
  CHECK(std::holds_alternative<UpdateSkipped>(ask_for(given({record, CampaignStarted{}}), ask)));
}

TEST_CASE("a campaign is woken when its window opens and when it closes") {
  const auto wakes = [](const CampaignPolicy& p, Time now = kNow) {
    return wakes_at(running(p).campaign(), now);
  };
  CHECK(wakes(within(13, 15)) == kNow + hours(1));
  CHECK(wakes(within(13, 15), kNow + hours(1)) == kNow + hours(3));
  CHECK(wakes(within(11, 14)) == kNow + hours(2));
  CHECK(wakes(within(11, 14, "Europe/Amsterdam")) == kNow + hours(1));
  CHECK(wakes(within(13, 15, "device")) == std::nullopt);
  const auto finished =
      given({created({1}, within(13, 15)), CampaignStarted{}, CampaignFinished{}});
  CHECK(wakes_at(finished.campaign(), kNow) == std::nullopt);
  auto ends = within(13, 15);
  ends.scheduled_end = kNow + minutes(30);
  CHECK(wakes(ends) == kNow + minutes(30));
  ends.scheduled_end = kNow + hours(30);
  CHECK(wakes(ends) == kNow + hours(1));
}

TEST_CASE("direct updates wait for their window, and let others pass") {
  auto windowed = plan();
  windowed.priority = Priority::kCritical;
  windowed.maintenance_window = MaintenanceWindow{20 * 60, 22 * 60, "device"};
  const std::vector<Fact> facts{DeviceRegistered{kOrdinal, RegisteredVia::kPoll, {}, {}},
                                in(kDirect, UpdateRequested{windowed})};
  given(facts).when(GrantDirect{}).then_nothing();
  const auto other = facts + std::vector<Fact>{in(kOtherDirect, UpdateRequested{plan()})};
  const auto decision =
      decide(given(other).device(), DeviceCommand(GrantDirect{}), given(other).context());
  REQUIRE(decision.ok());
  REQUIRE(decision.value().size() == 1);
  CHECK(decision.value().front().stream == Stream(kOtherDirect));
  const auto in_tokyo = facts + std::vector<Fact>{DeviceAttributesChanged{
                                    {{"timezone", "Asia/Tokyo"}}, {}, true, false, {}}};
  CHECK(given(in_tokyo).about(kDirect).when(GrantDirect{}).the<AttemptGranted>().attempt == 1);
  CHECK(given(facts)
            .about(kDirect)
            .now(kNow + hours(9))
            .when(GrantDirect{})
            .the<AttemptGranted>()
            .attempt == 1);
}

TEST_CASE("decision 29: grants wait until the firmware's content is here") {
  auto record = created({1, 2});
  record.content_pending = true;
  const auto pending = given({record, CampaignStarted{}});
  CHECK(is_waiting(ask_for(pending, ask_of(1)), Gate::kContent).fact ==
        "the firmware's content is not here yet");
  CHECK(room(pending.campaign(), {}, kNow).for_pushed_only);
  pending.own_events().then_nothing();
  const auto here = given({record, CampaignStarted{}, FirmwareContentStored{}});
  CHECK_FALSE(here.campaign().content_pending);
  is_granted(ask_for(here, ask_of(1)));
  CHECK_FALSE(room(here.campaign(), {}, kNow).for_pushed_only);
}

TEST_CASE("decision 29: content that stays elsewhere is for devices that take their commands over MQTT alone") {
  auto record = created({1, 2});
  record.content_pending = true;
  const auto pending = given({record, CampaignStarted{}});
  auto ask = ask_of(1);
  ask.content_elsewhere = true;  // but it polls
  is_waiting(ask_for(pending, ask), Gate::kContent);
  ask.content_elsewhere = false;  // the bytes will be here
  ask.push = true;
  is_waiting(ask_for(pending, ask), Gate::kContent);
  ask.content_elsewhere = true;
  is_granted(ask_for(pending, ask));
  const auto states = gates(pending.campaign(), {}, ask, pending.context());
  const auto content = std::find_if(states.begin(), states.end(), [](const auto& g) { return g.gate == Gate::kContent; });
  CHECK(content->fact.find("stays where it is") != std::string::npos);
  is_waiting(ask_for(given({record, CampaignStarted{}, FirmwareRecalled{"bad"}}), ask), Gate::kRunning);
}

TEST_CASE("BR-OTA-016: who waits for its window keeps its place, and installs in it") {
  auto p = within(0, 23);
  p.max_concurrent_updates = 1;
  const UpdateHeld until_tomorrow{1, 0, false, kNow + hours(20)};
  auto opened = started();
  opened.released = true;
  const std::vector<Fact> one{created({1, 2}, p), CampaignStarted{}, of(1, first_grant()), of(1, started())};
  const auto waits = one + std::vector<Fact>{of(1, until_tomorrow)};
  CHECK(is_waiting(ask_for(given(waits), ask_of(2)), Gate::kConcurrency).fact == "1 of 1 places are taken");
  CHECK(is_waiting(ask_for(given(waits), ask_of(1)), Gate::kTargeted).fact ==
        "its update in this campaign is verified and waits for its maintenance window");
  const auto installs = waits + std::vector<Fact>{of(1, opened)};
  CHECK(given(installs).campaign().held.isEmpty());
  CHECK(given(installs).campaign().released.isEmpty());
  is_waiting(ask_for(given(installs), ask_of(2)), Gate::kConcurrency);
  is_granted(ask_for(given(installs + std::vector<Fact>{of(1, succeeded())}), ask_of(2)));
}
