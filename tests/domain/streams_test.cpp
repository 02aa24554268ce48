// Names and tags are for ever: exactly the table of the design, section 5.
#include "domain/streams.hpp"

#include <doctest/doctest.h>

#include "domain/codec/codec.hpp"
#include "tests/domain/examples.hpp"
#include "tests/domain/given.hpp"

using namespace ota::domain;
using namespace ota::domain::testing;

namespace {

const std::string kId = std::string(view_of(kCampaign.bytes));

// "gate, device": the tags of an event in this stream, by kind.
std::string tags(Stream stream, Event event, std::optional<DeviceId> device = std::nullopt) {
  std::string kinds;
  for (const auto& tag : tags_of({std::move(stream), std::move(event), std::move(device)})) {
    const auto name = readable_name(tag);
    kinds += (kinds.empty() ? "" : ", ") + name.substr(0, name.find(':'));
  }
  return kinds;
}

std::string tags_in_campaign(Event event) { return tags(kUpdate, std::move(event), kDevice); }
std::string tags_of_direct(Event event) { return tags(kDirect, std::move(event), kDevice); }

}  // namespace

TEST_CASE("a stream's name is one letter and the binary id") {
  CHECK(stream_name(DirectoryStream{}) == "D");
  CHECK(stream_name(FirmwareId{kCampaign.bytes}) == "f" + kId);
  CHECK(stream_name(kCampaign) == "c" + kId);
  CHECK(stream_name(DeviceId{"pump-7"}) == "dpump-7");
  CHECK(stream_name(UpdateId::direct(kCampaign.bytes)) == "u" + kId);
  CHECK(stream_name(UpdateId::in_campaign(kCampaign, {7}, 2)) ==
        "u" + kId + std::string("\0\0\0\7\2", 5));
  CHECK(stream_name(DownloadsStream{{kCampaign.bytes}}) == "x" + kId);
  CHECK(stream_name(ServiceStream{}) == "S");
  CHECK(stream_name(AuditStream{}) == "A");
}

TEST_CASE("tags have these names") {
  CHECK(gate_tag(kCampaign) == "g" + kId);
  CHECK(model_version_tag("SF-100", "2.1.0") == "mSF-100\n2.1.0");
  CHECK(firmwares_tag() == "F");
  CHECK(fleet_tag() == "L");
}

TEST_CASE("a stream is read back from its name") {
  const Stream streams[] = {
      DirectoryStream{},         kFirmware, kCampaign, kDevice, kUpdate, kDirect,
      DownloadsStream{kFirmware}, ServiceStream{}, AuditStream{}};
  for (const auto& stream : streams) CHECK(parse_stream(stream_name(stream)) == stream);
}

TEST_CASE("names of streams that this version does not know are none") {
  for (const auto& name :
       {std::string(), "D1" + kId, "S" + kId, std::string("d"), std::string("u"), "u" + kId + "1",
        std::string("f"), "f" + kId + "1", std::string("c"), "x" + kId.substr(1), "z" + kId,
        gate_tag(kCampaign), firmwares_tag(), fleet_tag(), model_version_tag("a", "b")}) {
    CHECK_FALSE(parse_stream(name));
  }
}

TEST_CASE("names are readable for people") {
  CHECK(readable_name(stream_name(kCampaign)) == "campaign:" + to_text(kCampaign));
  CHECK(readable_name(stream_name(kFirmware)) == "firmware:" + to_text(kFirmware));
  CHECK(readable_name(stream_name(kDevice)) == "device:pump-7");
  CHECK(readable_name(stream_name(kUpdate)) == "update:" + to_text(kUpdate));
  CHECK(readable_name(stream_name(DownloadsStream{kFirmware})) ==
        "downloads:" + to_text(kFirmware));
  CHECK(readable_name("D") == "directory");
  CHECK(readable_name("S") == "service");
  CHECK(readable_name(gate_tag(kCampaign)) == "gate:" + to_text(kCampaign));
  CHECK(readable_name(model_version_tag("SF-100", "2.1.0")) == "model-version:SF-100\n2.1.0");
  CHECK(readable_name(firmwares_tag()) == "firmwares");
  CHECK(readable_name(fleet_tag()) == "fleet");
  CHECK(readable_name("") == "");
  CHECK(readable_name("g12") == "unknown:673132");
  CHECK(readable_name("z") == "unknown:7a");
}

TEST_CASE("design 5: what opens or closes a campaign moves its gate, nothing else of it does") {
  CHECK(tags(kCampaign, CampaignStarted{}) == "gate");
  CHECK(tags(kCampaign, CampaignPaused{}) == "gate");
  CHECK(tags(kCampaign, CampaignResumed{}) == "gate");
  CHECK(tags(kCampaign, CampaignAborted{}) == "gate");
  CHECK(tags(kCampaign, CampaignCancelled{}) == "gate");
  CHECK(tags(kCampaign, CampaignClosed{}) == "gate");
  CHECK(tags(kCampaign, CampaignFinished{}) == "gate");
  CHECK(tags(kCampaign, CampaignCreated{}) == "");
  CHECK(tags(kCampaign, CampaignApproved{}) == "");
  CHECK(tags(kCampaign, CampaignScheduled{}) == "");
  CHECK(tags(kCampaign, CanaryPromoted{}) == "");
  CHECK(tags(kCampaign, CanaryToppedUp{}) == "");
  CHECK(tags(kCampaign, CampaignTargetPart{}) == "");
  CHECK(tags(kCampaign, BatchOpened{}) == "");
  CHECK(tags_of({kCampaign, CampaignStarted{}, std::nullopt}) ==
        std::vector<std::string>{gate_tag(kCampaign)});
}

TEST_CASE("design 5: what moves a campaign carries the device's tag and the campaign's") {
  const Event moving[] = {UpdateRequested{}, AttemptGranted{}, AttemptStarted{},  AttemptEnded{},
                          GrantLapsed{},     UpdateSkipped{},  UpdateCancelled{}, RetryAsked{}};
  for (const auto& event : moving) {
    CAPTURE(event_name(event_type(event)));
    CHECK(tags_in_campaign(event) == "device, campaign");
    CHECK(tags_of_direct(event) == "device");
    CHECK(tags(kUpdate, event) == "campaign");  // whose device nobody knows
  }
  CHECK(tags_of({kUpdate, AttemptStarted{}, kDevice}) ==
        std::vector<std::string>{stream_name(kDevice), stream_name(kCampaign)});
}

TEST_CASE("design 5: a cancellation that is asked or refused concerns the device only") {
  CHECK(tags_in_campaign(CancelRequested{}) == "device");
  CHECK(tags_in_campaign(CancelRefused{}) == "device");
  CHECK(tags_of_direct(CancelRequested{}) == "device");
}

TEST_CASE("design 5: progress and late reports carry no tag") {
  CHECK(tags_in_campaign(ProgressReported{}) == "");
  CHECK(tags_in_campaign(LateReportRecorded{}) == "");
  CHECK(tags_of_direct(ProgressReported{}) == "");
}

TEST_CASE("design 5: the fleet hears of devices deleted and returned, not of the rest") {
  CHECK(tags(kDevice, DeviceDeleted{}, kDevice) == "fleet");
  CHECK(tags(kDevice, DeviceReturned{}, kDevice) == "fleet");
  CHECK(tags(kDevice, DeviceRegistered{}, kDevice) == "");
  CHECK(tags(kDevice, DeviceAttributesChanged{}, kDevice) == "");
}

TEST_CASE(
    "design 5: a firmware's registration carries its model and version, and the list of all") {
  CHECK(tags_of({kFirmware, firmware_record(), std::nullopt}) ==
        std::vector<std::string>{model_version_tag("SF-100", "2.1.0"), firmwares_tag()});
  CHECK(tags(kFirmware, FirmwareContentStored{}) == "");
  CHECK(tags(kFirmware, FirmwareDeprecated{}) == "");
  CHECK(tags(kFirmware, FirmwareRestored{}) == "");
  CHECK(tags(kFirmware, FirmwareRecalled{}) == "");
  CHECK(tags(kFirmware, FirmwareContentFailed{}) == "");
  CHECK(tags(kFirmware, FirmwareSourceChanged{}) == "");
}

TEST_CASE("design 5: the directory, the downloads and the service carry no tag") {
  CHECK(tags(DirectoryStream{}, IdsReserved{}) == "");
  CHECK(tags(DownloadsStream{kFirmware}, DownloadCompleted{}) == "");
  CHECK(tags(ServiceStream{}, LogKeyAdopted{}) == "");
  CHECK(tags(AuditStream{}, AuditRead{}) == "");
}

TEST_CASE("no event writes its own stream's name as a tag once more") {
  for (const auto& example : examples()) {
    for (const auto& stream : {Stream(kFirmware), Stream(kCampaign), Stream(kDevice),
                               Stream(kUpdate), Stream(DirectoryStream{})}) {
      for (const auto& tag : tags_of({stream, example.event, kDevice})) {
        CHECK(tag != stream_name(stream));
      }
    }
  }
}
