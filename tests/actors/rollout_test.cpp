// Campaigns that move by themselves: canaries that are judged, starts and ends at their time, recalls.
#include <doctest/doctest.h>

#include "tests/actors/stage.hpp"

namespace ota::actors::test {
namespace {

using domain::CampaignStatus;
using domain::ErrorCode;
using domain::Report;
using domain::UpdateStatus;

domain::CampaignPolicy policy(domain::Strategy strategy) {
  domain::CampaignPolicy p;
  p.strategy = strategy;
  p.max_concurrent_updates = 100;
  p.batch_size = 10;
  p.max_retries = 0;
  return p;
}

void register_all(Stage& stage, const std::vector<std::string>& devices) {
  for (const auto& device : devices) stage.device(device, "1.0.0");
}

// Every device polls once; those that are offered something report, the first `failing` of them a failure.
std::size_t round(Stage& stage, const std::vector<std::string>& devices, std::size_t failing = 0) {
  std::size_t updated = 0;
  for (const auto& device : devices) {
    const auto update = stage.poll(device);
    if (!update || !update->in_progress()) continue;
    stage.report(*update, updated < failing ? Report::Kind::kFailure : Report::Kind::kSuccess);
    ++updated;
  }
  return updated;
}

bool becomes(Stage& stage, domain::CampaignId id, CampaignStatus status) {
  return Stage::eventually([&] { return stage.row(id).status == status; });
}

TEST_CASE("a canary goes first, is promoted by its evidence, and the rest follows") {
  Stage stage;
  const auto devices = names(120);
  register_all(stage, devices);
  const auto id = stage.campaign(stage.firmware("2.0.0"), devices, policy(domain::Strategy::kCanary));
  REQUIRE(stage.row(id).record.canary);
  CHECK(stage.row(id).record.canary->quota == 46);
  stage.start(id);
  CHECK(round(stage, devices) <= 46);
  CHECK(Stage::eventually([&] { return stage.row(id).promoted; }));
  CHECK(stage.row(id).verdict->rule == domain::VerdictRule::kEvidence);
  CHECK(Stage::eventually([&] {
    round(stage, devices);
    return stage.row(id).status == CampaignStatus::kCompleted;
  }));
  CHECK(stage.row(id).completed == 120);
}

TEST_CASE("a canary that fails aborts its campaign: nobody beyond it was touched") {
  Stage stage;
  const auto devices = names(200);
  register_all(stage, devices);
  const auto id = stage.campaign(stage.firmware("2.0.0"), devices, policy(domain::Strategy::kCanary));
  stage.start(id);
  round(stage, devices, 200);
  CHECK(becomes(stage, id, CampaignStatus::kFailed));
  const auto row = stage.row(id);
  CHECK(row.failed + row.completed <= 46);
  CHECK(row.verdict->decision == domain::VerdictDecision::kAbort);
  CHECK(round(stage, devices) == 0);
}

TEST_CASE("decision 19: a campaign starts and ends at its time, also across a restart") {
  Stage stage;
  const auto devices = names(3);
  register_all(stage, devices);
  auto p = policy(domain::Strategy::kScheduled);
  p.scheduled_start = stage.now() + std::chrono::hours(1);
  p.scheduled_end = stage.now() + std::chrono::hours(3);
  const auto id = stage.campaign(stage.firmware("2.0.0"), devices, p);
  stage.start(id);
  CHECK(stage.row(id).status == CampaignStatus::kScheduled);
  CHECK_FALSE(stage.poll("frame-0").has_value());
  stage.restart();
  stage.advance(std::chrono::hours(1));
  CHECK(becomes(stage, id, CampaignStatus::kInProgress));
  const auto update = stage.poll_until_offered("frame-0");
  REQUIRE(update.has_value());
  stage.report(*update, Report::Kind::kSuccess);
  stage.advance(std::chrono::hours(2));
  CHECK(becomes(stage, id, CampaignStatus::kCompleted));
  CHECK(stage.row(id).completed == 1);
  CHECK(stage.row(id).cancelled == 2);
}

TEST_CASE("BR-OTA-028: the maintenance window opens and closes the campaign") {
  Stage stage;
  stage.device("frame-0", "1.0.0");
  auto p = policy(domain::Strategy::kImmediate);
  const auto minute = std::chrono::duration_cast<std::chrono::minutes>(stage.now().time_since_epoch()).count() % 1'440;
  const auto in = [&](std::int64_t minutes) { return static_cast<std::uint16_t>((minute + minutes) % 1'440); };
  p.maintenance_window = domain::MaintenanceWindow{in(60), in(120), "UTC"};
  const auto id = stage.campaign(stage.firmware("2.0.0"), {"frame-0"}, p);
  stage.start(id);
  CHECK_FALSE(stage.poll("frame-0").has_value());
  stage.advance(std::chrono::minutes(60));
  CHECK(stage.poll_until_offered("frame-0").has_value());
}

TEST_CASE("decision 2: nobody is granted a recalled firmware, and what does not install yet is stopped") {
  Stage stage;
  const auto devices = names(4);
  register_all(stage, devices);
  const auto firmware = stage.firmware("2.0.0");
  const auto id = stage.campaign(firmware, devices, policy(domain::Strategy::kImmediate));
  stage.start(id);
  const auto granted = stage.poll("frame-0");
  const auto installing = stage.poll("frame-1");
  REQUIRE(granted.has_value());
  REQUIRE(installing.has_value());
  Report report;
  report.attempt = installing->attempt;
  report.phase = UpdateStatus::kInstalling;
  REQUIRE(stage.service().update(installing->id, report, {}).ok());
  REQUIRE(stage.service().firmware(firmware, domain::RecallFirmware{"bricks"}, {}).ok());
  CHECK(becomes(stage, id, CampaignStatus::kPaused));
  CHECK_FALSE(stage.poll("frame-2").has_value());
  CHECK(Stage::eventually([&] {
    return stage.service().views().update(granted->id)->status == UpdateStatus::kCancelled;
  }));
  CHECK(stage.service().views().update(installing->id)->status == UpdateStatus::kInstalling);
  CHECK(stage.service().campaign(id, domain::ResumeCampaign{}, {}).error().code == ErrorCode::kStateTransition);
  stage.report(*installing, Report::Kind::kSuccess);
  CHECK(stage.row(id).completed == 1);
}

// A direct update of frame-0 that may be tried three times more.
domain::RequestUpdate ask_directly(Stage& stage, domain::FirmwareId firmware) {
  domain::RequestUpdate request;
  request.id = domain::UpdateId::direct(new_uuid(stage.now()));
  request.device = {"frame-0"};
  request.plan.firmware = firmware;
  request.plan.to_version = "2.0.0";
  request.plan.max_retries = 3;
  REQUIRE(stage.service().device({"frame-0"}, request, {}).ok());
  return request;
}

TEST_CASE("decision 2: direct updates are stopped by a recall too, also if the service ends in between") {
  Stage stage;
  stage.device("frame-0", "1.0.0");
  const auto firmware = stage.firmware("2.0.0");
  const auto request = ask_directly(stage, firmware);
  REQUIRE(stage.service().firmware(firmware, domain::RecallFirmware{"bricks"}, {}).ok());
  stage.restart();
  CHECK(Stage::eventually([&] {
    return stage.service().views().update(request.id)->status == UpdateStatus::kCancelled;
  }));
}

TEST_CASE("decision 2: a direct update that fails behind the recall of its firmware is not tried again, nor waits for it") {
  Stage stage;
  stage.device("frame-0", "1.0.0");
  const auto firmware = stage.firmware("2.0.0");
  const auto request = ask_directly(stage, firmware);
  const auto granted = stage.poll("frame-0");
  REQUIRE(granted);
  const auto now = [&] { return *stage.service().views().update(request.id); };
  const auto reach = [&](UpdateStatus phase) {
    Report report;
    report.attempt = granted->attempt;
    report.phase = phase;
    REQUIRE(stage.service().update(request.id, report, {}).ok());
  };
  SUBCASE("it installed when the recall came, and says that it has failed") {
    reach(UpdateStatus::kInstalling);
    REQUIRE(stage.service().firmware(firmware, domain::RecallFirmware{"bricks"}, {}).ok());
    stage.report(*granted, Report::Kind::kFailure);
  }
  SUBCASE("it installed when the recall came, and is silent since") {
    reach(UpdateStatus::kInstalling);
    REQUIRE(stage.service().firmware(firmware, domain::RecallFirmware{"bricks"}, {}).ok());
    stage.advance(std::chrono::minutes(61));
  }
  SUBCASE("it refused to be cancelled") {
    reach(UpdateStatus::kDownloading);
    REQUIRE(stage.service().firmware(firmware, domain::RecallFirmware{"bricks"}, {}).ok());
    REQUIRE(Stage::eventually([&] { return now().cancel.has_value(); }));
    REQUIRE(stage.service().update(request.id, domain::AnswerCancel{granted->attempt, false, {}}, {}).ok());
    stage.report(*granted, Report::Kind::kFailure);
  }
  CHECK(Stage::eventually([&] { return now().status == UpdateStatus::kFailed; }));
  CHECK_FALSE(now().retry_at);
}

TEST_CASE("finish cancels what is not granted, lets the rest end, and completes") {
  Stage stage;
  const auto devices = names(5);
  register_all(stage, devices);
  const auto id = stage.campaign(stage.firmware("2.0.0"), devices, policy(domain::Strategy::kImmediate));
  stage.start(id);
  const auto running = stage.poll("frame-0");
  REQUIRE(running.has_value());
  stage.tell(id, domain::FinishCampaign{"enough"});
  CHECK(stage.row(id).cancelled == 4);
  CHECK(stage.row(id).status == CampaignStatus::kInProgress);
  CHECK_FALSE(stage.poll("frame-1").has_value());
  stage.report(*running, Report::Kind::kSuccess);
  CHECK(becomes(stage, id, CampaignStatus::kCompleted));
}

}  // namespace
}  // namespace ota::actors::test
