// given(events...).when(command).then(events...): a domain test reads like the rule that it checks.
//
// What is given is recorded at positions 1, 2, ... one second apart from kBefore on (at() says
// otherwise), in the stream that its type belongs to (in() says otherwise), and folded by the
// aggregate that the command is for. `when` decides at kNow. Whatever `then` expects, it also folds
// what was decided and decides again: deciding twice writes once (docs: style rule 6).
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <initializer_list>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "domain/campaign/campaign.hpp"
#include "domain/device/device.hpp"
#include "domain/firmware/firmware.hpp"
#include "domain/update/update.hpp"
#include "tests/domain/samples.hpp"

namespace ota::domain::testing {

template <class T, class Variant>
inline constexpr bool kIsAlternative = false;
template <class T, class... Ts>
inline constexpr bool kIsAlternative<T, std::variant<Ts...>> = (std::is_same_v<T, Ts> || ...);

// An event, where it was written and when, as far as the test cares.
struct Fact {
  template <class E>
  requires kIsAlternative<E, Event> Fact(E e)
      : event(std::move(e)) {}  // NOLINT(google-explicit-constructor)

  Event event;
  std::optional<Stream> stream;
  std::optional<Time> time;
};
Fact in(Stream stream, Fact fact);
Fact at(Time time, Fact fact);

// "update:upd_... update.granted {"attempt":1} of pump-7", for failures and for comparing.
std::string text_of(const Events& events);

// A cancellation that a campaign tells one of its updates.
struct CancelOf {
  UpdateId update;
  CancelUpdate::Reach reach = CancelUpdate::Reach::kAny;
  CancelCause cause = CancelCause::kOperator;
};
// What is due, and the cancellations among what is told.
struct DueSeen : Due {
  explicit DueSeen(Due due);
  std::vector<CancelOf> cancels;
  std::vector<UpdateId> releases;
};

// What a decision came to.
class Outcome {
 public:
  using Again = std::function<Decision(const Events&)>;
  Outcome(Decision decision, UpdateId update, Again again)
      : decision_(std::move(decision)), update_(update), again_(std::move(again)) {}

  // Exactly these events, in this order.
  void then(std::initializer_list<Fact> expected,
            std::source_location where = std::source_location::current()) const;
  // The same for what is recorded each time that it is said.
  void then_each_time(std::initializer_list<Fact> expected,
                      std::source_location where = std::source_location::current()) const;
  void then_nothing(std::source_location where = std::source_location::current()) const;
  // Returns the error for a closer look.
  DomainError then_error(ErrorCode code,
                         std::source_location where = std::source_location::current()) const;

  // The event of this type that was decided; fails the test if there is none.
  template <class E>
  E the() const {
    REQUIRE(decision_.ok());
    for (const auto& emitted : decision_.value()) {
      if (const auto* event = std::get_if<E>(&emitted.event)) return *event;
    }
    FAIL("not decided; instead:\n" << text_of(decision_.value()));
    return {};
  }

 private:
  void compare(std::initializer_list<Fact> expected) const;

  Decision decision_;
  UpdateId update_;
  Again again_;
};

class Given {
 public:
  explicit Given(std::vector<Fact> facts) : facts_(std::move(facts)) {}

  // Events of updates are of this one; without it of the campaign's.
  Given& about(UpdateId update) {
    update_ = update;
    return *this;
  }
  Given& now(Time now) {
    now_ = now;
    return *this;
  }
  Given& with(Settings settings) {
    settings_ = std::move(settings);
    return *this;
  }

  template <class Command>
  Outcome when(Command command) const {
    if constexpr (kIsAlternative<Command, UpdateCommand>) {
      return decided(update(), UpdateCommand(std::move(command)));
    } else if constexpr (kIsAlternative<Command, DeviceCommand>) {
      return decided(device(), DeviceCommand(std::move(command)));
    } else if constexpr (kIsAlternative<Command, FirmwareCommand>) {
      return decided(firmware(), FirmwareCommand(std::move(command)));
    } else {
      return decided(campaign(), CampaignCommand(std::move(command)));
    }
  }
  // What a campaign does of its own accord.
  DueSeen due(const Bitmap& told = {}, std::size_t tells_max = 256) const {
    return DueSeen(next(campaign(), told, tells_max, now_));
  }
  Outcome own_events() const;

  DeviceUpdate update() const { return folded(unborn<DeviceUpdate>(update_)); }
  Device device() const { return folded(unborn<Device>(kDevice)); }
  Firmware firmware() const { return folded(Firmware{}); }
  Campaign campaign() const { return folded(unborn<Campaign>(kCampaign)); }
  Context context() const { return {now_, Caller{42}, settings_}; }
  std::vector<Recorded> recorded() const;

 private:
  void fold(DeviceUpdate& s, const Recorded& r) const { evolve(s, r); }
  void fold(Device& s, const Recorded& r) const { evolve(s, r, settings_); }
  void fold(Firmware& s, const Recorded& r) const { evolve(s, r); }
  void fold(Campaign& s, const Recorded& r) const { evolve(s, r); }

  // An aggregate that is named and has no events yet.
  template <class State, class Id>
  static State unborn(const Id& id) {
    State state;
    state.id = id;
    return state;
  }
  template <class State>
  State folded(State state) const {
    for (const auto& r : recorded()) fold(state, r);
    return state;
  }
  Recorded committed(const Emitted& emitted, Position after) const {
    return {{after.value + 1}, now_, emitted.stream, emitted.event, emitted.device, Caller{42}};
  }

  template <class State, class Command>
  Outcome decided(State state, Command command) const {
    return {decide(state, command, context()), update_,
            [given = *this, state, command](const Events& events) {
              State later = state;
              for (const auto& e : events) given.fold(later, given.committed(e, later.position));
              return decide(later, command, given.context());
            }};
  }

  std::vector<Fact> facts_;
  UpdateId update_ = kUpdate;
  Time now_ = kNow;
  Settings settings_;
};

inline Given given(std::initializer_list<Fact> facts) { return Given(facts); }
inline Given given(std::vector<Fact> facts) { return Given(std::move(facts)); }

}  // namespace ota::domain::testing
