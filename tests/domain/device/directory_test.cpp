// Devices come, go and come back (decisions 20, 22).
#include <doctest/doctest.h>

#include "domain/limits.hpp"
#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

const DeviceRegistered kRegistered{
    kOrdinal, RegisteredVia::kPoll, {{"device_model", "SF-100"}}, {"beta"}};
const DeviceDeleted kDeleted{"scrapped", kOrdinal};
constexpr Ordinal kNewOrdinal{9};

RegisterDevice registration(RegisteredVia via, Ordinal ordinal = kOrdinal) {
  return {ordinal, via, {{"device_model", "SF-100"}}, {"beta"}};
}
Given known() { return given({kRegistered}); }
Given deleted() { return given({kRegistered, kDeleted}); }

}  // namespace

TEST_CASE("an unknown device is registered, by whatever way it appears") {
  using enum RegisteredVia;
  for (const auto via : {kPoll, kApi, kImport, kDeviceService}) {
    given({})
        .when(registration(via))
        .then({DeviceRegistered{kOrdinal, via, {{"device_model", "SF-100"}}, {"beta"}}});
  }
}

TEST_CASE("a stranger's hello is one append: it is there, takes its commands over MQTT, and is what it says") {
  DeviceAttributesChanged change;
  change.set = {{"device_model", "SF-100"}, {"firmware_version", "1.0.0"}};
  change.by_device = true;
  RegisterDevice hello{kOrdinal, RegisteredVia::kMqtt, {}, {}};
  const DeviceRegistered registered{kOrdinal, RegisteredVia::kMqtt, {}, {}};
  given({}).when(hello).then({registered, DevicePushChanged{true}});
  hello.said = change.set;
  given({}).when(hello).then({registered, DevicePushChanged{true}, change});
  // Said once more, or found registered by somebody else, it changes nothing here.
  given({registered, DevicePushChanged{true}, change}).when(hello).then_nothing();
  ChangeAttributes again;
  again.values = change.set;
  again.by_device = true;
  given({registered, DevicePushChanged{true}, change}).when(again).then_nothing();
  for (std::size_t i = 0; i < limits::kDeviceAttributes; ++i) hello.said->emplace("more-" + std::to_string(i), "x");
  given({}).when(hello).then_error(ErrorCode::kInvalid);
}

TEST_CASE("a known device is not registered again") {
  known().when(registration(RegisteredVia::kApi, kNewOrdinal)).then_nothing();
}

TEST_CASE("decision 22: a deleted device does not come back by polling") {
  const auto error = deleted()
                         .when(registration(RegisteredVia::kPoll, kNewOrdinal))
                         .then_error(ErrorCode::kNotFound);
  CHECK(error.message == "Device not found: pump-7");
}

TEST_CASE("decision 22: a deleted device is brought back with a new ordinal") {
  using enum RegisteredVia;
  for (const auto via : {kApi, kImport, kDeviceService}) {
    deleted().when(registration(via, kNewOrdinal)).then({DeviceReturned{kNewOrdinal, via}});
  }
}

TEST_CASE("a device that returns takes along what is said of it, where that is new") {
  RegisterDevice returning{kNewOrdinal,
                           RegisteredVia::kImport,
                           {{"device_model", "SF-100"}, {"site", "ams"}},
                           {"lobby"}};
  DeviceAttributesChanged change;
  change.set = {{"site", "ams"}};
  change.groups_changed = true;
  change.groups = {"lobby"};
  deleted().when(returning).then({DeviceReturned{kNewOrdinal, RegisteredVia::kImport}, change});
  returning.groups.clear();
  change.groups_changed = false;
  change.groups.clear();
  deleted().when(returning).then({DeviceReturned{kNewOrdinal, RegisteredVia::kImport}, change});
}

TEST_CASE("BR-OTA-060: a deletion is one append, with the end of all that was unfinished") {
  const auto waiting = UpdateId::in_campaign({bytes_16(0xa0)}, kOrdinal);
  given({kRegistered, in(kUpdate, first_grant(4)), in(waiting, first_grant(2)),
         in(waiting, started()), in(waiting, failed_until(kNow)),
         in(kDirect, UpdateRequested{plan()})})
      .when(DeleteDevice{"scrapped"})
      .then({kDeleted, in(kUpdate, UpdateCancelled{CancelCause::kDeviceDeleted, 1, 4, false}),
             in(kDirect, UpdateCancelled{CancelCause::kDeviceDeleted, 0, 0, false}),
             in(waiting, UpdateCancelled{CancelCause::kDeviceDeleted, 0, 2, false})});
}

TEST_CASE("BR-OTA-060: what had ended is left as it is") {
  given({kRegistered, in(kUpdate, first_grant()), in(kUpdate, started()), in(kUpdate, succeeded())})
      .when(DeleteDevice{"scrapped"})
      .then({kDeleted});
}

TEST_CASE("a device is deleted once") {
  deleted().when(DeleteDevice{"again"}).then_nothing();
  given({}).when(DeleteDevice{"?"}).then_error(ErrorCode::kNotFound);
}

TEST_CASE("a device that returned is deleted with its new ordinal") {
  given({kRegistered, kDeleted, DeviceReturned{kNewOrdinal, RegisteredVia::kApi}})
      .when(DeleteDevice{"scrapped"})
      .then({DeviceDeleted{"scrapped", kNewOrdinal}});
}

TEST_CASE("the state of a device that came, went and came back") {
  const auto first = given({at(kBefore, kRegistered)}).device();
  CHECK(first.registered);
  CHECK(first.id == kDevice);
  CHECK(first.ordinal == kOrdinal);
  CHECK(first.attribute("device_model") == "SF-100");
  CHECK(first.attribute("nothing").empty());
  CHECK(first.groups == std::vector<std::string>{"beta"});
  CHECK(first.registered_at == kBefore);
  CHECK(first.wants_attributes_from == kBefore);
  CHECK(deleted().device().deleted);
  CHECK(deleted().device().ordinal == kOrdinal);
  const auto back =
      given({kRegistered, kDeleted, at(kNow, DeviceReturned{kNewOrdinal, RegisteredVia::kApi})})
          .device();
  CHECK(back.registered);
  CHECK_FALSE(back.deleted);
  CHECK(back.ordinal == kNewOrdinal);
  CHECK(back.wants_attributes_from == kNow);
  CHECK(back.attribute("device_model") == "SF-100");  // its history goes on
}
