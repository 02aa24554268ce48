// Deciding twice writes once: the same command on the resulting state yields no events (style rule
// 6).
//
// The exceptions: late reports, each of which is recorded as it comes, and changes nothing (decision 26); and a device that
// asks for its next own update, which is told to end a rollback that has lost its reason before it is granted another.
#include <doctest/doctest.h>

#include <set>

#include "tests/domain/given.hpp"
#include "tests/property/generators.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

// A state that only decisions of its own have led to, with a clock that goes on.
template <class State, class Fold>
class Life {
 public:
  Life(State state, Fold fold) : state_(std::move(state)), fold_(std::move(fold)) {}

  const State& state() const { return state_; }
  Context context() const { return {now_, caller_, settings_}; }
  void speaks(Caller caller) { caller_ = caller; }
  void wait(Duration duration) { now_ += duration; }

  void commit(const Events& events) {
    for (const auto& e : events) {
      position_.value += 1;
      fold_(state_, Recorded{position_, now_, e.stream, e.event, e.device, caller_}, settings_);
    }
  }
  template <class Command>
  Events obey(const Command& command) {
    const auto first = decide(state_, command, context());
    if (!first) return {};
    commit(first.value());
    const auto second = decide(state_, command, context());
    if (second && !may_go_on<Command>(first.value()) && !second.value().empty()) {
      RC_FAIL("first:\n" + text_of(first.value()) + "then again:\n" + text_of(second.value()));
    }
    return first.value();
  }

 private:
  template <class Command>
  static bool may_go_on(const Events& events) {
    if (events.size() != 1) return false;
    const auto* cancelled = std::get_if<UpdateCancelled>(&events.front().event);
    const bool superseded = cancelled && cancelled->cause == CancelCause::kSuperseded;
    return std::holds_alternative<LateReportRecorded>(events.front().event) ||
           (std::is_same_v<Command, DeviceCommand> && superseded);
  }

  State state_;
  Fold fold_;
  Position position_;
  Time now_ = kBefore;
  Caller caller_;
  Settings settings_;
};

const auto kFold = [](auto& state, const Recorded& event, const Settings&) {
  evolve(state, event);
};
const auto kFoldDevice = [](Device& state, const Recorded& event, const Settings& settings) {
  evolve(state, event, settings);
};

Duration any_pause() { return minutes(*rc::gen::inRange(0, 20)); }

// Grants the next attempt when one may be granted: what the campaign or the device would do.
template <class UpdateLife>
void grant_if_due(UpdateLife& life) {
  const auto& s = life.state();
  const bool waits =
      s.status == UpdateStatus::kScheduled && (!s.retry_at || *s.retry_at <= life.context().now);
  if (!waits) return;
  AttemptGranted g;
  g.attempt = s.attempt + 1;
  g.action = {kAction.value + s.attempt};
  g.retry = s.retry_at.has_value();
  g.start_by = life.context().now + minutes(5);
  if (s.attempt == 0) g.plan = plan();
  life.commit({{kUpdate, g, kDevice}});
}

}  // namespace

TEST_CASE("an update obeys each command once, and its progress never goes down within an attempt") {
  CHECK(rc::check([] {
    DeviceUpdate unborn;
    unborn.id = kUpdate;
    Life life(unborn, kFold);
    const auto steps = *rc::gen::inRange(0, 60);
    for (int i = 0; i < steps; ++i) {
      if (*rc::gen::inRange(0, 3) == 0) grant_if_due(life);
      const auto before = life.state();
      life.obey(*any_update_command(before.attempt + 1));
      const auto& after = life.state();
      if (after.attempt == before.attempt && after.status != UpdateStatus::kScheduled) {
        RC_ASSERT(after.progress_basis_points >= before.progress_basis_points);
      }
      if (after.attempt == before.attempt && before.in_progress() && after.in_progress()) {
        RC_ASSERT(after.status >= before.status);
      }
      RC_ASSERT(after.retry_count <= plan().max_retries);
      RC_ASSERT(!(after.in_progress() && after.retry_at));
      if (!after.in_progress()) RC_ASSERT(!after.timeout_at && !after.start_by && !after.cancel);
      life.wait(any_pause());
    }
  }));
}

TEST_CASE("a device obeys each command once, and its actions go up and avoid d x 10^k") {
  CHECK(rc::check([] {
    Device unborn;
    unborn.id = kDevice;
    Life life(unborn, kFoldDevice);
    std::uint32_t last = 0;
    const auto steps = *rc::gen::inRange(0, 60);
    for (int i = 0; i < steps; ++i) {
      for (const auto& e : life.obey(*any_device_command())) {
        const auto* granted = std::get_if<AttemptGranted>(&e.event);
        if (!granted) continue;
        RC_ASSERT(granted->action.value > last);
        last = granted->action.value;
      }
      // What is active ends now and then, one way or another.
      if (const auto* active = life.state().active(); active && *rc::gen::arbitrary<bool>()) {
        const auto attempt = active->second.attempt;
        const std::vector<Event> ends = {succeeded(attempt), failed_for_good(attempt),
                                         failed_until(life.context().now, attempt),
                                         GrantLapsed{attempt, 0, false}};
        life.commit({{active->first, *rc::gen::elementOf(ends), kDevice}});
      }
      life.wait(any_pause());
    }
  }));
}

TEST_CASE("actions avoid d x 10^k from wherever they begin") {
  CHECK(rc::check([](std::uint32_t start) {
    const auto current = start % 2'000'000'000;
    const auto next = next_action(ActionId{current}, {1}).value;
    RC_ASSERT(next > current);
    RC_ASSERT(next <= current + 12);
    auto digits = std::to_string(next);
    RC_ASSERT(digits.find_first_not_of('0', 1) != std::string::npos);
  }));
}

TEST_CASE("a campaign and a firmware obey each command once") {
  CHECK(rc::check([] {
    Campaign unborn;
    unborn.id = kCampaign;
    Life life(unborn, kFold);
    const auto steps = *rc::gen::inRange(0, 40);
    for (int i = 0; i < steps; ++i) {
      life.speaks({*rc::gen::inRange<std::uint64_t>(0, 3)});  // 0: nobody that is known
      life.obey(*any_campaign_command());
      if (*rc::gen::inRange(0, 30) == 0) life.commit({{kFirmware, FirmwareRecalled{"bad"}, {}}});
      if (*rc::gen::inRange(0, 3) == 0)
        life.commit(next(life.state(), {}, 0, life.context().now).own);
      const std::uint32_t o = *rc::gen::inRange<std::uint32_t>(1, 4);
      if (life.state().granted.contains(o)) {
        const std::vector<Event> ends = {succeeded(), failed_for_good(), GrantLapsed{}};
        life.commit({{UpdateId::in_campaign(kCampaign, {o}), *rc::gen::elementOf(ends), kDevice}});
      } else if (life.state().is_remaining(o) &&
                 life.state().status == CampaignStatus::kInProgress) {
        life.commit(
            {{UpdateId::in_campaign(kCampaign, {o}), first_grant(life.state().batch), kDevice}});
      }
      life.wait(any_pause());
    }
  }));
  CHECK(rc::check([] {
    Life life(Firmware{}, kFold);
    const auto steps = *rc::gen::inRange(0, 20);
    for (int i = 0; i < steps; ++i) life.obey(*any_firmware_command());
  }));
}

TEST_CASE("a user obeys each command once") {
  CHECK(rc::check([] {
    User unknown;
    unknown.token = {7};
    Life life(unknown, kFold);
    const auto steps = *rc::gen::inRange(0, 20);
    for (int i = 0; i < steps; ++i) {
      const bool was_erased = life.state().erased;
      life.obey(*any_user_command());
      RC_ASSERT(life.state().erased || !was_erased);
      if (life.state().erased) RC_ASSERT(!life.state().beta_opt_in && !life.state().paused_until);
    }
  }));
}
