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

// Moves `value`, which is of the variant's alternative `index`. Not inline, as are the members of Given: what a variant of so
// many unfolds to is compiled once, and not with every test.
template <class Variant>
Variant moved_into(std::size_t index, void* value);
template <class Variant, class T>
Variant as(T value) {
  return moved_into<Variant>(kIndexOf<T, Variant>, &value);
}

// An event, where it was written and when, as far as the test cares.
struct Fact {
  template <class E>
  requires kIsAlternative<E, EventVariant> Fact(E e)
      : event(std::move(e)) {}  // NOLINT(google-explicit-constructor)

  Event event;
  std::optional<Stream> stream;
  std::optional<Time> time;
};
Fact in(Stream stream, Fact fact);
Fact at(Time time, Fact fact);
// In the update that kCampaign has for the device of this number.
Fact of(std::uint32_t ordinal, Fact fact);

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
class DecisionSeen {
 public:
  using Again = std::function<Decision(const Events&)>;
  DecisionSeen(Decision decision, UpdateId update, Again again);
  DecisionSeen(const DecisionSeen& other);
  DecisionSeen(DecisionSeen&& other) noexcept;
  ~DecisionSeen();

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
  explicit Given(std::vector<Fact> facts);
  Given(const Given& other);
  Given(Given&& other) noexcept;
  Given& operator=(const Given& other);
  Given& operator=(Given&& other) noexcept;
  ~Given();

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
  DecisionSeen when(Command command) const {
    if constexpr (kIsAlternative<Command, UpdateCommand>) {
      return decided(as<UpdateCommand>(std::move(command)));
    } else if constexpr (kIsAlternative<Command, DeviceCommand>) {
      return decided(as<DeviceCommand>(std::move(command)));
    } else if constexpr (kIsAlternative<Command, FirmwareCommand>) {
      return decided(as<FirmwareCommand>(std::move(command)));
    } else {
      return decided(as<CampaignCommand>(std::move(command)));
    }
  }
  // What a campaign does of its own accord.
  DueSeen due(const Bitmap& told = {}, std::size_t tells_max = 256) const;
  DecisionSeen own_events() const;

  DeviceUpdate update() const;
  Device device() const;
  Firmware firmware() const;
  Campaign campaign() const;
  Context context() const { return {now_, Caller{42}, settings_}; }
  std::vector<Recorded> recorded() const;

 private:
  DecisionSeen decided(UpdateCommand command) const;
  DecisionSeen decided(DeviceCommand command) const;
  DecisionSeen decided(FirmwareCommand command) const;
  DecisionSeen decided(CampaignCommand command) const;

  void fold(DeviceUpdate& s, const Recorded& r) const;
  void fold(Device& s, const Recorded& r) const;
  void fold(Firmware& s, const Recorded& r) const;
  void fold(Campaign& s, const Recorded& r) const;
  template <class State>
  State folded(State state) const;
  template <class State, class Command>
  DecisionSeen decided_by(State state, Command command) const;
  Recorded committed(const Emitted& emitted, Position after) const;

  std::vector<Fact> facts_;
  UpdateId update_ = kUpdate;
  Time now_ = kNow;
  Settings settings_;
};

Given given(std::initializer_list<Fact> facts);
Given given(std::vector<Fact> facts);

}  // namespace ota::domain::testing
