// Firmware: registered once, deprecated and restored (decisions 1, 2, 29).
#include "domain/firmware/firmware.hpp"

#include <doctest/doctest.h>

#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

constexpr std::array<std::uint8_t, 20> kSha1{1, 2, 3};

const Given kNobody = given({});
Given registered() { return given({firmware_record()}); }

}  // namespace

TEST_CASE("BR-CON-001: an upload is registered with its bytes in one append") {
  kNobody.when(RegisterFirmware{firmware_record(), kSha1})
      .then({firmware_record(), FirmwareContentStored{kSha1}});
}

TEST_CASE("decision 29: registered by URL, the bytes are not here yet") {
  kNobody.when(RegisterFirmware{firmware_record(), {}}).then({firmware_record()});
  const auto s = registered().firmware();
  CHECK(s.exists);
  CHECK_FALSE(s.content_here);
}

TEST_CASE("decision 29: the bytes of a firmware registered by URL arrive") {
  registered()
      .when(RegisterFirmware{firmware_record(), kSha1})
      .then({FirmwareContentStored{kSha1}});
}

TEST_CASE("BR-OTA-005: the same bytes again are the record that is there") {
  given({firmware_record(), FirmwareContentStored{kSha1}})
      .when(RegisterFirmware{firmware_record(), kSha1})
      .then_nothing();
  registered().when(RegisterFirmware{firmware_record(), {}}).then_nothing();
}

TEST_CASE("decision 1: other bytes under the same name must not pass for it") {
  auto other = firmware_record();
  other.sha256[0] = 0xcd;
  const auto error =
      registered().when(RegisterFirmware{other, kSha1}).then_error(ErrorCode::kDuplicate);
  CHECK(error.message.find("Smart Frame 2.1.0 for SF-100") != std::string::npos);
  CHECK(error.message.find(to_text(kFirmware)) != std::string::npos);
}

TEST_CASE("decision 2: available firmware is deprecated, once") {
  registered().when(DeprecateFirmware{"old"}).then({FirmwareDeprecated{"old"}});
  given({firmware_record(), FirmwareDeprecated{"old"}})
      .when(DeprecateFirmware{"very old"})
      .then_nothing();
}

TEST_CASE("decision 2: deprecated firmware is restored, once") {
  given({firmware_record(), FirmwareDeprecated{"old"}})
      .when(RestoreFirmware{"needed"})
      .then({FirmwareRestored{"needed"}});
  registered().when(RestoreFirmware{"needed"}).then_nothing();
}

TEST_CASE("decision 2: recalled firmware is neither deprecated nor restored") {
  auto s = registered().firmware();
  s.status = FirmwareStatus::kRecalled;
  for (const FirmwareCommand& command :
       {FirmwareCommand(DeprecateFirmware{"old"}), FirmwareCommand(RestoreFirmware{"needed"})}) {
    const auto decision = decide(s, command, kNobody.context());
    REQUIRE_FALSE(decision);
    CHECK(decision.error().code == ErrorCode::kStateTransition);
    CHECK(decision.error().current_state == "recalled");
  }
}

TEST_CASE("what was never registered is not found") {
  kNobody.when(DeprecateFirmware{"old"}).then_error(ErrorCode::kNotFound);
  kNobody.when(RestoreFirmware{"needed"}).then_error(ErrorCode::kNotFound);
}

TEST_CASE("the state of firmware after its events") {
  const auto s = given({at(kBefore, firmware_record()), FirmwareContentStored{kSha1},
                        FirmwareDeprecated{"old"}, at(kNow, FirmwareRestored{"needed"})})
                     .firmware();
  CHECK(s.record == firmware_record());
  CHECK(s.content_here);
  CHECK(s.sha1 == kSha1);
  CHECK(s.status == FirmwareStatus::kAvailable);
  CHECK(s.status_reason == "needed");
  CHECK(s.created_by == Caller{7});
  CHECK(s.created_at == kBefore);
  CHECK(s.updated_at == kNow);
  CHECK(s.revision == 4);
  CHECK(s.position == Position{4});
  CHECK(given({firmware_record(), FirmwareDeprecated{"old"}}).firmware().status ==
        FirmwareStatus::kDeprecated);
}

TEST_CASE("firmware folds events that it does not know without harm") {
  const auto s = given({firmware_record(), in(kFirmware, UnknownEvent{6})}).firmware();
  CHECK(s.status == FirmwareStatus::kAvailable);
  CHECK(s.position == Position{2});
}

TEST_CASE("decision 2: available and deprecated firmware is recalled, once and for ever") {
  const FirmwareRecalled recalled{"it bricks frames"};
  registered().when(RecallFirmware{"it bricks frames"}).then({recalled});
  given({firmware_record(), FirmwareDeprecated{"old"}})
      .when(RecallFirmware{"it bricks frames"})
      .then({recalled});
  const auto gone = given({firmware_record(), recalled});
  gone.when(RecallFirmware{"once more"}).then_nothing();
  gone.when(DeprecateFirmware{"old"}).then_error(ErrorCode::kStateTransition);
  gone.when(RestoreFirmware{"needed"}).then_error(ErrorCode::kStateTransition);
  kNobody.when(RecallFirmware{"bad"}).then_error(ErrorCode::kNotFound);
}

TEST_CASE("the state of firmware after its recall") {
  const auto s = given({firmware_record(), at(kNow, FirmwareRecalled{"bad"})}).firmware();
  CHECK(s.status == FirmwareStatus::kRecalled);
  CHECK(s.status_reason == "bad");
  CHECK(s.updated_at == kNow);
  CHECK(s.revision == 2);
}

TEST_CASE("recalled firmware stays the record that is there, and its bytes may still arrive") {
  const auto gone = given({firmware_record(), FirmwareRecalled{"bad"}});
  gone.when(RegisterFirmware{firmware_record(), {}}).then_nothing();
  gone.when(RegisterFirmware{firmware_record(), kSha1}).then({FirmwareContentStored{kSha1}});
  CHECK(given({firmware_record(), FirmwareRecalled{"bad"}, FirmwareContentStored{kSha1}})
            .firmware()
            .status == FirmwareStatus::kRecalled);
}
