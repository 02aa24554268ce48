#include "gateways/nats/translate.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "domain/campaign/campaign.hpp"
#include "domain/codec/codec.hpp"
#include "tests/gateways/nats_support.hpp"

using namespace ota;
using namespace ota::gateways::testing;
using domain::Event;
using gateways::nats::History;
using gateways::nats::may_speak;
using gateways::nats::translate;
using nlohmann::ordered_json;

namespace {

constexpr domain::Caller kAnna{0xa};
constexpr domain::Caller kErased{0xe};

struct FakeHistory final : History {
  std::optional<RegisteredFirmware> firmware(domain::FirmwareId id) const override {
    if (id != firmware_id()) return std::nullopt;
    return RegisteredFirmware{firmware_record(), kAnna};
  }
  std::optional<domain::CampaignCreated> campaign(domain::CampaignId id) const override {
    if (id != campaign_id()) return std::nullopt;
    return campaign_record("Security Patch");
  }
  bool was_cancelled(domain::CampaignId, domain::Position) const override { return cancelled; }
  std::uint32_t never_granted(domain::CampaignId, domain::Position) const override { return 5; }
  domain::DeviceUpdate update(const domain::UpdateId& id, domain::Position) const override {
    domain::DeviceUpdate update;
    update.id = id;
    update.device = {"dev-1"};
    update.plan = *grant().plan;
    update.attempt = attempts;
    if (rolls_back) update.plan.rollback = domain::RollbackOf{domain::RollbackTrigger::kHealthCheck, "", {}, "2.1.0"};
    if (rolls_back) update.plan.from_version = "2.1.0";
    if (rolls_back) update.plan.to_version = "2.0.0";
    update.error_code = error_code;
    return update;
  }
  std::optional<std::string> person(domain::Caller caller) const override {
    if (caller.token == 0) return std::nullopt;
    return caller == kAnna ? "anna" : "deleted user";
  }
  std::uint32_t attempts = 1;
  bool rolls_back = false;
  bool cancelled = false;
  std::string error_code;
};

domain::Recorded recorded(domain::Stream stream, Event event, domain::Caller caller = {}) {
  return {{7},
          domain::Time(std::chrono::microseconds(1'765'792'800'678'901)),
          std::move(stream),
          std::move(event),
          std::nullopt,
          caller};
}

// "<subject> <data>", or "silent".
std::string told(const domain::Recorded& event, const FakeHistory& history = {}) {
  const auto message = translate(event, "", history);
  if (!message) return "silent";
  return message->subject + " " + ordered_json::parse(message->body)["data"].dump();
}

// What is told of the campaign, with more in the middle.
std::string of_campaign(std::string_view action, std::string_view more) {
  return fmt::format(R"(ota_service.campaign.{} {{"campaign_id":"camp_c0c0c0c0c0c0c0c0c0c0c0c0c0c0c001",)"
                     R"("name":"Security Patch","firmware_id":"f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",)"
                     R"("firmware_version":"2.1.0","target_device_count":500,{}"timestamp":"2025-12-15T10:00:00.678901Z"}})",
                     action, more);
}

}  // namespace

TEST_CASE("firmware.uploaded is told when the content is stored") {
  CHECK(
      told(recorded(firmware_id(), domain::FirmwareContentStored{}, kAnna)) ==
      R"(ota_service.firmware.uploaded {"firmware_id":"f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",)"
      R"("name":"Smart Frame Firmware","version":"2.1.0","device_model":"SF-100","file_size":52428800,)"
      R"("is_security_update":false,"uploaded_by":"anna","timestamp":"2025-12-15T10:00:00.678901Z"})");
}

TEST_CASE("a registration without content is not told") {
  CHECK(told(recorded(firmware_id(), firmware_record(), kAnna)) == "silent");
}

TEST_CASE("firmware that stays elsewhere is told when it is registered: others offer it") {
  auto record = firmware_record();
  record.file_url = "https://files.example/f.bin";
  CHECK(told(recorded(firmware_id(), record, kAnna)) == "silent");
  record.kept_elsewhere = true;
  CHECK(told(recorded(firmware_id(), record, kAnna)) ==
        told(recorded(firmware_id(), domain::FirmwareContentStored{}, kAnna)));
  const auto moved = [](bool kept_elsewhere) {
    return told(recorded(firmware_id(), domain::FirmwareSourceChanged{"https://files.example/f.bin", kept_elsewhere}, kAnna));
  };
  CHECK(moved(false) == "silent");
  CHECK(moved(true) == told(recorded(firmware_id(), record, kAnna)));
}

TEST_CASE("bytes that the service fetched itself are the upload of whoever registered them") {
  const auto message =
      translate(recorded(firmware_id(), domain::FirmwareContentStored{}), "", FakeHistory());
  REQUIRE(message);
  CHECK(ordered_json::parse(message->body)["data"]["uploaded_by"] == "anna");
}

TEST_CASE("campaign.created tells what was asked for, and by whom") {
  CHECK(
      told(recorded(campaign_id(), campaign_record("Security Patch"), kAnna)) ==
      R"(ota_service.campaign.created {"campaign_id":"camp_c0c0c0c0c0c0c0c0c0c0c0c0c0c0c001",)"
      R"("name":"Security Patch","firmware_id":"f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1","firmware_version":"2.1.0",)"
      R"("target_device_count":500,"deployment_strategy":"staged","priority":"high","created_by":"anna",)"
      R"("timestamp":"2025-12-15T10:00:00.678901Z"})");
}

TEST_CASE("a person who was erased is a deleted user, nobody is null") {
  const auto created_by = [](domain::Caller caller) {
    const auto message =
        translate(recorded(campaign_id(), campaign_record("x"), caller), "", FakeHistory());
    return ordered_json::parse(message.value().body)["data"]["created_by"];
  };
  CHECK(created_by(kErased) == "deleted user");
  CHECK(created_by({}).is_null());
}

TEST_CASE("campaign.started tells of the campaign as it was created") {
  CHECK(
      told(recorded(campaign_id(), domain::CampaignStarted{}, kAnna)) ==
      R"(ota_service.campaign.started {"campaign_id":"camp_c0c0c0c0c0c0c0c0c0c0c0c0c0c0c001",)"
      R"("name":"Security Patch","firmware_id":"f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1","firmware_version":"2.1.0",)"
      R"("target_device_count":500,"timestamp":"2025-12-15T10:00:00.678901Z"})");
}

TEST_CASE("a campaign's course is told: approved, paused, resumed") {
  CHECK(told(recorded(campaign_id(), domain::CampaignApproved{true, "go", "at night"}, kAnna)) ==
        of_campaign("approved", R"("approved_by":"anna","comment":"go",)"));
  CHECK(told(recorded(campaign_id(), domain::CampaignApproved{false, "no", ""}, kAnna)) == "silent");
  CHECK(told(recorded(campaign_id(), domain::CampaignPaused{"lunch", domain::PauseCause::kOperator, {}}, kAnna)) ==
        of_campaign("paused", R"("reason":"lunch",)"));
  CHECK(told(recorded(campaign_id(), domain::CampaignResumed{}, kAnna)) == of_campaign("resumed", ""));
}

TEST_CASE("decision 31: a campaign's end says how many devices no other message is about") {
  using domain::CampaignStatus;
  CHECK(told(recorded(campaign_id(), domain::CampaignCancelled{"wrong fleet"}, kAnna)) ==
        of_campaign("cancelled", R"("reason":"wrong fleet","cancelled_devices":5,)"));
  domain::CampaignRollbackBegun back;
  back.trigger = domain::RollbackTrigger::kHealthCheck;
  back.reason = "they freeze";
  CHECK(told(recorded(campaign_id(), back)) ==
        of_campaign("rollback", R"("trigger":"health_check","reason":"they freeze","cancelled_devices":5,)"));
  domain::Verdict verdict;
  verdict.failed = 3;
  verdict.counted = 20;
  verdict.threshold_percent = 20;
  const auto sentence = domain::sentence(verdict);
  const auto closed = [&](CampaignStatus outcome, bool cancelled_before = false) {
    FakeHistory history;
    history.cancelled = cancelled_before;
    return told(recorded(campaign_id(), domain::CampaignClosed{outcome, verdict}), history);
  };
  const auto more = R"("reason":")" + sentence + R"(","cancelled_devices":5,)";
  CHECK(closed(CampaignStatus::kCompleted) == of_campaign("completed", more));
  CHECK(closed(CampaignStatus::kFailed) == of_campaign("failed", more));
  CHECK(closed(CampaignStatus::kCancelled) == of_campaign("cancelled", more));
  CHECK(closed(CampaignStatus::kCancelled, true) == "silent");   // it was told when it was said
}

TEST_CASE("firmware that is withdrawn is told of") {
  CHECK(told(recorded(firmware_id(), domain::FirmwareDeprecated{"old"}, kAnna)) ==
        R"(ota_service.firmware.deprecated {"firmware_id":"f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1","name":"Smart Frame Firmware",)"
        R"("version":"2.1.0","device_model":"SF-100","reason":"old","deprecated_by":"anna",)"
        R"("timestamp":"2025-12-15T10:00:00.678901Z"})");
  const auto recalled = told(recorded(firmware_id(), domain::FirmwareRecalled{"it burns"}, kAnna));
  CHECK(recalled.starts_with("ota_service.firmware.recalled {"));
  CHECK(recalled.find(R"("reason":"it burns","recalled_by":"anna")") != std::string::npos);
}

TEST_CASE("an update that was granted is told of from then on to its end") {
  domain::AttemptGranted granted;
  granted.attempt = 1;
  const auto scheduled = told(recorded(update_id(3), granted));
  CHECK(scheduled.starts_with(R"(ota_service.update.scheduled {"update_id":"upd_c0c0c0c0c0c0c0c0c0c0c0c0c0c0c001000000030",)"));
  CHECK(scheduled.find(R"("from_version":"")") != std::string::npos);
  granted.attempt = 2;
  CHECK(told(recorded(update_id(3), granted)) == "silent");
  domain::AttemptStarted started;
  started.attempt = 2;
  CHECK(told(recorded(update_id(3), started)).starts_with("ota_service.update.started {"));
  CHECK(told(recorded(update_id(3), started)).find(R"("attempt":2)") != std::string::npos);
  started.released = true;
  CHECK(told(recorded(update_id(3), started)) == "silent");
  domain::AttemptEnded ended;
  ended.success = true;
  CHECK(told(recorded(update_id(3), ended)).starts_with("ota_service.update.completed {"));
  ended.success = false;
  FakeHistory failed;
  failed.error_code = "flash_error";
  const auto said = told(recorded(update_id(3), ended), failed);
  CHECK(said.starts_with("ota_service.update.failed {"));
  CHECK(said.find(R"("error_code":"flash_error","error_message":"")") != std::string::npos);
  CHECK(told(recorded(update_id(3), domain::UpdateRefuted{}), failed).starts_with("ota_service.update.failed {"));
  ended.retry_at = domain::Time(std::chrono::hours(1));
  CHECK(told(recorded(update_id(3), ended)) == "silent");
}

TEST_CASE("update.cancelled tells of an update of a campaign") {
  CHECK(
      told(recorded(update_id(3), domain::UpdateCancelled{})) ==
      R"(ota_service.update.cancelled {"update_id":"upd_c0c0c0c0c0c0c0c0c0c0c0c0c0c0c001000000030",)"
      R"("device_id":"dev-1","firmware_id":"f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1","firmware_version":"2.1.0",)"
      R"("campaign_id":"camp_c0c0c0c0c0c0c0c0c0c0c0c0c0c0c001","timestamp":"2025-12-15T10:00:00.678901Z"})");
}

TEST_CASE("update.cancelled of a direct update names no campaign") {
  const auto direct = domain::UpdateId::direct(campaign_id().bytes);
  const auto message = translate(recorded(direct, domain::UpdateCancelled{}), "", FakeHistory());
  REQUIRE(message);
  const auto data = ordered_json::parse(message->body)["data"];
  CHECK(data.contains("campaign_id"));
  CHECK(data["campaign_id"].is_null());
}

TEST_CASE("a retry that is skipped is a cancelled update") {
  CHECK(told(recorded(update_id(), domain::UpdateSkipped{}))
            .starts_with("ota_service.update.cancelled {"));
}

TEST_CASE("rollback.initiated is told when a device's rollback is granted, once") {
  FakeHistory back;
  back.rolls_back = true;
  const auto direct = domain::UpdateId::direct(campaign_id().bytes);
  const auto of_campaign = domain::UpdateId::in_campaign(campaign_id(), {3}, 1);
  domain::AttemptGranted granted;
  granted.attempt = 1;
  CHECK(told(recorded(of_campaign, granted), back) ==
        "ota_service.rollback.initiated {\"rollback_id\":\"" + domain::to_rollback_text(of_campaign) +
            R"(","device_id":"dev-1","from_version":"2.1.0","to_version":"2.0.0","trigger":"health_check",)"
            R"("timestamp":"2025-12-15T10:00:00.678901Z"})");
  CHECK(told(recorded(direct, granted), back)
            .starts_with(R"(ota_service.rollback.initiated {"rollback_id":"rb_c0c0)"));
  granted.attempt = 2;
  CHECK(told(recorded(of_campaign, granted), back) == "silent");
  granted.attempt = 1;
  CHECK(told(recorded(direct, granted)).starts_with("ota_service.update.scheduled {"));
}

TEST_CASE("rollback.completed and rollback.failed tell how it ended, not of attempts on the way") {
  FakeHistory back;
  back.rolls_back = true;
  back.error_code = "previous_version_unknown";
  const auto id = domain::UpdateId::in_campaign(campaign_id(), {3}, 1);
  domain::AttemptEnded ended;
  CHECK(told(recorded(id, ended), back).starts_with("ota_service.rollback.failed {"));
  CHECK(told(recorded(id, ended), back).find(R"("error_code":"previous_version_unknown")") != std::string::npos);
  ended.retry_at = domain::Time(std::chrono::hours(1));
  CHECK(told(recorded(id, ended), back) == "silent");
  ended = {};
  ended.success = true;
  CHECK(told(recorded(id, ended), back).starts_with("ota_service.rollback.completed {"));
  CHECK(told(recorded(id, domain::UpdateCancelled{}), back).starts_with("ota_service.rollback.failed {"));
  CHECK(told(recorded(id, domain::UpdateRefuted{}), back).starts_with("ota_service.rollback.failed {"));
}

TEST_CASE("what was never granted is not told of update by update") {
  FakeHistory never_granted;
  never_granted.attempts = 0;
  CHECK(told(recorded(update_id(), domain::UpdateCancelled{}), never_granted) == "silent");
  CHECK(told(recorded(update_id(), domain::UpdateSkipped{}), never_granted) == "silent");
}

TEST_CASE(
    "an update that waits for a retry is cancelled with attempt 0, and was granted all the same") {
  FakeHistory history;
  history.attempts = 2;
  domain::UpdateCancelled waiting;
  waiting.attempt = 0;
  CHECK(told(recorded(update_id(), waiting), history) != "silent");
}

TEST_CASE("an event of something that the log does not hold is passed over") {
  CHECK(told(recorded(domain::FirmwareId{}, domain::FirmwareContentStored{})) == "silent");
  CHECK(told(recorded(campaign_id(9), domain::CampaignStarted{})) == "silent");
  CHECK(told(recorded(domain::DirectoryStream{}, domain::CampaignStarted{})) == "silent");
}

TEST_CASE("every other event is silent, and known to be before it is decoded") {
  const std::vector<Event> silent{
      domain::UnknownEvent{},    domain::FirmwareContentFailed{}, domain::FirmwareRestored{}, domain::DeviceRegistered{},
      domain::DeviceDeleted{},   domain::CampaignTargetPart{},    domain::CampaignAborted{},  domain::CampaignFinished{},
      domain::UpdateRequested{}, domain::ProgressReported{},      domain::GrantLapsed{},      domain::UpdateHeld{},
      domain::CancelRequested{}, domain::RetryAsked{},            domain::DownloadCompleted{}};
  for (const auto& event : silent) {
    CAPTURE(domain::event_name(domain::event_type(event)));
    CHECK_FALSE(may_speak(domain::event_type(event)));
    CHECK(told(recorded(update_id(), event)) == "silent");
  }
  CHECK(may_speak(domain::event_type(domain::FirmwareContentStored{})));
  CHECK(may_speak(domain::event_type(domain::CampaignCreated{})));
  CHECK(may_speak(domain::event_type(domain::CampaignStarted{})));
  CHECK(may_speak(domain::event_type(domain::UpdateCancelled{})));
  CHECK(may_speak(domain::event_type(domain::UpdateSkipped{})));
}
