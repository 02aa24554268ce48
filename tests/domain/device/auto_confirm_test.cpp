// What a device is told beside its updates: it confirms by itself, it has another token, it is pushed to.
#include <doctest/doctest.h>

#include "domain/limits.hpp"
#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

const DeviceRegistered kRegistered{kOrdinal, RegisteredVia::kPoll, {}, {}};
const AutoConfirmChanged kOn{true, "ada", "night shift"};

}  // namespace

TEST_CASE("auto-confirmation is switched on and off, each once") {
  given({kRegistered}).when(SetAutoConfirm{true, "ada", "night shift"}).then({kOn});
  given({kRegistered, kOn}).when(SetAutoConfirm{false, "", ""}).then({AutoConfirmChanged{false, "", ""}});
  given({kRegistered}).when(SetAutoConfirm{false, "", ""}).then_nothing();
  CHECK(given({kRegistered, kOn, AutoConfirmChanged{false, "", ""}}).device().auto_confirm == std::nullopt);
}

TEST_CASE("who switched it on stays, whoever switches it on once more") {
  const auto error = given({kRegistered, kOn}).when(SetAutoConfirm{true, "eve", ""}).then_error(ErrorCode::kStateTransition);
  CHECK(error.current_state == "active");
  CHECK(given({at(kBefore, kRegistered), at(kBefore, kOn)}).device().auto_confirm == AutoConfirm{"ada", "night shift", kBefore});
}

TEST_CASE("whatever waits for consent has it when auto-confirmation is switched on") {
  const auto asked = in(kUpdate, ConsentAsked{1, kAction, plan()});
  given({kRegistered, asked})
      .when(SetAutoConfirm{true, "ada", "night shift"})
      .then({kOn, in(kUpdate, ConsentGiven{1, {"auto-confirmation was activated"}})});
  given({kRegistered, asked, in(kUpdate, ConsentGiven{1, {}})})
      .when(SetAutoConfirm{true, "ada", "night shift"})
      .then({kOn});
}

TEST_CASE("what is said of auto-confirmation has a bound, and names the field") {
  const auto error = given({kRegistered})
                         .when(SetAutoConfirm{true, "ada", std::string(limits::kAutoConfirmTextBytes + 1, 'x')})
                         .then_error(ErrorCode::kInvalid);
  CHECK(error.field == "remark");
}

TEST_CASE("a rotation ends the generation that it names, once") {
  given({kRegistered}).when(RotateToken{0, {}}).then({DeviceTokenRotated{1, {}}});
  given({kRegistered}).when(RotateToken{0, minutes(10)}).then({DeviceTokenRotated{1, kNow + minutes(10)}});
  given({kRegistered, DeviceTokenRotated{1, {}}}).when(RotateToken{0, {}}).then_nothing();
  given({kRegistered, DeviceTokenRotated{1, kNow}}).when(RotateToken{1, {}}).then({DeviceTokenRotated{2, {}}});
  const auto device = given({kRegistered, DeviceTokenRotated{1, kNow}}).device();
  CHECK(device.token_generation == 1);
  CHECK(device.previous_token_until == kNow);
}

TEST_CASE("a device is pushed to from its first word over MQTT on") {
  given({kRegistered}).when(SetPush{true}).then({DevicePushChanged{true}});
  given({kRegistered, DevicePushChanged{true}}).when(SetPush{true}).then_nothing();
  CHECK(given({kRegistered, DevicePushChanged{true}}).device().push);
}

TEST_CASE("nobody who is unknown or deleted is told any of this") {
  const DeviceDeleted deleted{"gone", kOrdinal};
  given({}).when(SetAutoConfirm{}).then_error(ErrorCode::kNotFound);
  given({kRegistered, deleted}).when(SetAutoConfirm{}).then_error(ErrorCode::kNotFound);
  given({kRegistered, deleted}).when(RotateToken{}).then_error(ErrorCode::kNotFound);
  given({kRegistered, deleted}).when(SetPush{}).then_error(ErrorCode::kNotFound);
}
