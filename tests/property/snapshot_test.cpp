// A snapshot is never needed: it and the events behind it make the state that all events make, wherever it was taken
// (design 5). Two states are the same when they have the same bytes, and answer the same to the same command.
#include <doctest/doctest.h>

#include <functional>

#include "domain/codec/codec.hpp"
#include "domain/codec/state_codec.hpp"
#include "tests/domain/samples.hpp"
#include "tests/property/generators.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

const Settings kSettings;

// Where two forms of a set are equally long, its bytes tell how it came to be: made anew they do not.
Campaign with_sets_made_anew(Campaign s) {
  const auto anew = [](Bitmap& set) {
    Bitmap other;
    for (const std::uint32_t o : set) other.add(o);
    set = other;
  };
  for (auto* set : {&s.targets, &s.granted, &s.completed, &s.failed, &s.cancelled, &s.undone, &s.left_out, &s.gone, &s.lapsed,
                    &s.untold, &s.cohort, &s.own_faults, &s.held, &s.released, &s.rollback.granted, &s.rollback.ended}) {
    anew(*set);
  }
  for (auto& [code, devices] : s.error_devices) anew(devices);
  return s;
}
std::string bytes_of(const Campaign& s) { return encode_state(with_sets_made_anew(s)); }
template <class State>
std::string bytes_of(const State& s) {
  return encode_state(s);
}

void fold(Device& s, const Recorded& event) { evolve(s, event, kSettings); }
template <class State>
void fold(State& s, const Recorded& event) {
  evolve(s, event);
}

std::vector<Recorded> any_log(const std::function<Recorded(AnyLog&)>& any_record) {
  AnyLog log;
  std::vector<Recorded> events;
  for (int n = *rc::gen::inRange(1, 50); n > 0; --n) events.push_back(any_record(log));
  return events;
}

// The state after all events, and the one that was put away and taken up again somewhere on the way.
template <class State, class Decode>
std::pair<State, State> both(const State& unborn, const std::vector<Recorded>& events, const Decode& decode) {
  const auto cut = *rc::gen::inRange<std::size_t>(0, events.size() + 1);
  State all = unborn;
  State resumed = unborn;
  for (std::size_t i = 0; i <= events.size(); ++i) {
    if (i == cut) {
      const auto kept = decode(encode_state(resumed));
      RC_ASSERT(kept.has_value());
      resumed = *kept;
    }
    if (i == events.size()) break;
    fold(all, events[i]);
    fold(resumed, events[i]);
  }
  RC_ASSERT(bytes_of(all) == bytes_of(resumed));
  return {all, resumed};
}

// Equal events have equal bytes.
std::string bytes_of_events(const Events& events) {
  std::string bytes;
  for (const auto& e : events) {
    const auto encoded = encode(e.event);
    bytes += stream_name(e.stream) + std::to_string(encoded.type) + encoded.payload + '\n';
  }
  return bytes;
}
std::string answer(const Decision& decision) {
  return decision ? bytes_of_events(decision.value()) : "refused: " + decision.error().message;
}
template <class State, class Command>
void same_answer(const std::pair<State, State>& states, const Command& command) {
  const Context context{kNow, {2}, kSettings};
  RC_ASSERT(answer(decide(states.first, command, context)) == answer(decide(states.second, command, context)));
}

std::string due_of(const Campaign& s) {
  const auto due = next(s, {}, 100, kNow);
  std::string bytes = bytes_of_events(due.own);
  for (const auto& tell : due.tells) bytes += to_text(tell.update) + ' ' + std::to_string(tell.command.index()) + '\n';
  return bytes;
}

}  // namespace

TEST_CASE("a snapshot and the events behind it make what all events make") {
  SUBCASE("of a campaign") {
    CHECK(rc::check([] {
      AnyLog log;
      Campaign unborn;
      unborn.id = kCampaign;
      auto events = std::vector{any_creation(log)};
      for (int n = *rc::gen::inRange(0, 60); n > 0; --n) events.push_back(log.any_record());
      const auto states = both(unborn, events, decode_campaign_state);
      same_answer(states, *any_campaign_command());
      RC_ASSERT(due_of(states.first) == due_of(states.second));
      RC_ASSERT(wakes_at(states.first, kNow) == wakes_at(states.second, kNow));
    }));
  }
  SUBCASE("of a device") {
    CHECK(rc::check([] {
      Device unborn;
      unborn.id = kDevice;
      const auto states = both(unborn, any_log([](AnyLog& log) { return log.any_record(); }), decode_device_state);
      same_answer(states, *any_device_command());
    }));
  }
  SUBCASE("of an update") {
    CHECK(rc::check([] {
      DeviceUpdate unborn;
      unborn.id = kUpdate;
      const auto states =
          both(unborn, any_log([](AnyLog& log) { return log.record(*any_update_event(), kUpdate); }), decode_update_state);
      same_answer(states, *any_update_command(4));
    }));
  }
  SUBCASE("of a firmware") {
    CHECK(rc::check([] {
      const auto any_record = [](AnyLog& log) {
        const bool registered = *rc::gen::inRange(0, 4) == 0;
        return log.record(registered ? Event(firmware_record()) : *any_firmware_event(), kFirmware);
      };
      same_answer(both(Firmware{}, any_log(any_record), decode_firmware_state), *any_firmware_command());
    }));
  }
}
