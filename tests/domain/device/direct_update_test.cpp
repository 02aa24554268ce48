// Direct updates: requested of the device, granted by it when it asks (decisions 4, 9, 21).
#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

DeviceRegistered registered(const std::string& version = "2.0.0") {
  DeviceRegistered r;
  r.ordinal = kOrdinal;
  if (!version.empty()) r.attributes["firmware_version"] = version;
  return r;
}

RequestUpdate request(UpdateId id = kDirect, FirmwareId firmware = kFirmware) {
  RequestUpdate r{id, kDevice, plan()};
  r.plan.firmware = firmware;
  return r;
}

UpdateRequested requested(Priority priority = Priority::kNormal, FirmwareId firmware = kFirmware) {
  UpdateRequested r{plan()};
  r.plan.priority = priority;
  r.plan.firmware = firmware;
  return r;
}

AttemptGranted grant(std::uint32_t attempt = 1, std::uint32_t action = kAction.value) {
  AttemptGranted g;
  g.attempt = attempt;
  g.action = {action};
  g.start_by = kNow + minutes(15);
  return g;
}

const GrantDirect kAsk{minutes(5)};

}  // namespace

TEST_CASE("a direct update is requested of a known device, from the version that it runs") {
  given({registered()}).when(request()).then({in(kDirect, requested())});
  auto unknown = requested();
  unknown.plan.from_version.clear();
  given({registered("")}).when(request()).then({in(kDirect, unknown)});
}

TEST_CASE("BR-OTA-021: an unknown or deleted device is not updated") {
  CHECK(given({}).when(request()).then_error(ErrorCode::kNotFound).message ==
        "Device not found: pump-7");
  given({registered(), DeviceDeleted{}}).when(request()).then_error(ErrorCode::kNotFound);
}

TEST_CASE("decision 9: a second direct update for the same firmware is a duplicate") {
  const auto error = given({registered(), in(kDirect, requested())})
                         .when(request(kOtherDirect))
                         .then_error(ErrorCode::kDuplicate);
  CHECK(error.message.find(to_text(kDirect)) != std::string::npos);
  given({registered(), in(kDirect, requested())}).when(request(kDirect)).then_nothing();
}

TEST_CASE("decision 9: neither other firmware nor a campaign's update makes a duplicate") {
  given({registered(), in(kDirect, requested())})
      .when(request(kOtherDirect, kOtherFirmware))
      .then({in(kOtherDirect, requested(Priority::kNormal, kOtherFirmware))});
  given({registered(), in(kUpdate, first_grant())})
      .when(request())
      .then({in(kDirect, requested())});
  given({registered(), in(kDirect, requested()), in(kDirect, UpdateCancelled{})})
      .when(request(kOtherDirect))
      .then({in(kOtherDirect, requested())});
}

TEST_CASE("decision 4: a device on this or a newer version is not updated") {
  for (const char* version : {"2.1.0", "2.2.0", "2.1.00"}) {
    const auto error =
        given({registered(version)}).when(request()).then_error(ErrorCode::kStateTransition);
    CHECK(error.current_state == version);
    CHECK(error.requested == "2.1.0");
  }
}

TEST_CASE("BR-OTA-026: force_update skips the version comparison") {
  auto forced = request();
  forced.plan.force_update = true;
  auto expected = requested();
  expected.plan.force_update = true;
  expected.plan.from_version = "2.2.0";
  given({registered("2.2.0")}).when(forced).then({in(kDirect, expected)});
}

TEST_CASE("decision 21: a grant counts on from the device's last action") {
  given({registered(), in(kDirect, requested())}).when(kAsk).then({in(kDirect, grant())});
  given({registered(), in(kOtherDirect, requested()), in(kOtherDirect, grant(1, 1'999'999)),
         in(kOtherDirect, failed_for_good()), in(kDirect, requested())})
      .when(kAsk)
      .then({in(kDirect, grant(1, 2'000'001))});
}

TEST_CASE("decision 7: a granted device has until start_by") {
  auto slow = request();
  const auto start_by = [](Duration sleep) {
    return given({registered(), in(kDirect, requested())})
        .when(GrantDirect{sleep})
        .the<AttemptGranted>()
        .start_by;
  };
  CHECK(start_by(seconds(1)) == kNow + minutes(5));
  CHECK(start_by(minutes(10)) == kNow + minutes(30));
  CHECK(start_by(hours(5)) == kNow + minutes(60));
}

TEST_CASE("BR-OTA-023: the higher priority is granted first, of equals the older") {
  given({registered(), in(kDirect, requested()), in(kOtherDirect, requested(Priority::kHigh))})
      .when(kAsk)
      .then({in(kOtherDirect, grant())});
  given({registered(), in(kOtherDirect, requested()), in(kDirect, requested())})
      .when(kAsk)
      .then({in(kOtherDirect, grant())});
}

TEST_CASE("an update that was opened again is as old as that, not older than all") {
  given({registered(), in(kDirect, requested()), in(kDirect, UpdateCancelled{}),
         in(kOtherDirect, requested()), in(kDirect, RetryAsked{1, 0, plan()})})
      .when(kAsk)
      .then({in(kOtherDirect, grant())});
}

TEST_CASE("decision 9: one active update per device") {
  given({registered(), in(kUpdate, first_grant()), in(kDirect, requested())})
      .when(kAsk)
      .then_nothing();
  given({registered(), in(kDirect, requested()), in(kDirect, grant())}).when(kAsk).then_nothing();
}

TEST_CASE("nothing requested, nothing granted; a campaign's update is the campaign's to grant") {
  given({registered()}).when(kAsk).then_nothing();
  given({registered(), in(kUpdate, first_grant()), in(kUpdate, started()),
         in(kUpdate, failed_until(kBefore))})
      .when(kAsk)
      .then_nothing();
}

TEST_CASE("decision 22: a deleted device is granted nothing") {
  given({}).when(kAsk).then_nothing();
  given({registered(), in(kDirect, requested()), DeviceDeleted{}}).when(kAsk).then_nothing();
}

TEST_CASE("decision 8: a retry is granted when its time has come, as the next attempt") {
  const auto failed = [](Time retry_at) {
    return given({registered(), in(kDirect, requested()), in(kDirect, grant()),
                  in(kDirect, started()), in(kDirect, failed_until(retry_at))});
  };
  failed(kNow + seconds(1)).when(kAsk).then_nothing();
  auto second = grant(2, kAction.value + 1);
  second.retry = true;
  failed(kNow).when(kAsk).then({in(kDirect, second)});
}

TEST_CASE("a retry that waits does not hold up another update") {
  given({registered(), in(kDirect, requested(Priority::kHigh)), in(kDirect, grant()),
         in(kDirect, started()), in(kDirect, failed_until(kNow + seconds(1))),
         in(kOtherDirect, requested(Priority::kLow))})
      .when(kAsk)
      .then({in(kOtherDirect, grant(1, kAction.value + 1))});
}

TEST_CASE("a lapsed grant is granted again, as the next attempt; a lapsed retry is still a retry") {
  given({registered(), in(kDirect, requested()), in(kDirect, grant()), in(kDirect, GrantLapsed{})})
      .when(kAsk)
      .then({in(kDirect, grant(2, kAction.value + 1))});
  auto third = grant(3, kAction.value + 2);
  third.retry = true;
  given({registered(), in(kDirect, requested()), in(kDirect, grant()), in(kDirect, started()),
         in(kDirect, failed_until(kBefore)), in(kDirect, retry_grant(2)),
         in(kDirect, GrantLapsed{2, 0, true})})
      .when(kAsk)
      .then({in(kDirect, third)});
}
