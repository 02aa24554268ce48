// Devices that go away while something is being decided about them.
#include <doctest/doctest.h>

#include <thread>

#include "domain/limits.hpp"
#include "tests/actors/stage.hpp"

namespace ota::actors::test {
namespace {

using domain::CampaignStatus;
using domain::ErrorCode;
using domain::Report;
using domain::UpdateStatus;

domain::CampaignPolicy immediate(std::uint32_t places) {
  domain::CampaignPolicy p;
  p.strategy = domain::Strategy::kImmediate;
  p.max_concurrent_updates = places;
  p.auto_rollback = false;
  return p;
}

Answer delete_device(Stage& stage, const std::string& id) {
  return stage.service().device({id}, domain::DeleteDevice{"scrapped"}, {});
}

TEST_CASE("devices deleted while a campaign is created on them keep no campaign open") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  for (int round = 0; round < 12; ++round) {
    std::vector<std::string> devices;
    for (int i = 0; i < 8; ++i) {
      devices.push_back("frame-" + std::to_string(round) + "-" + std::to_string(i));
      stage.device(devices.back(), "1.0.0");
    }
    std::thread deleting([&] {
      for (const auto& device : devices) delete_device(stage, device);
    });
    CampaignSpec spec;  // by filter: an id that a list names may be one that is still to come
    spec.id = {new_uuid(stage.now())};
    spec.firmware = firmware;
    spec.filter.emplace().push_back({domain::FilterField::kModel, {}, domain::FilterOp::kEq, {"SF-100"}});
    spec.policy = immediate(10);
    REQUIRE(stage.service().create_campaign(spec, {}).ok());
    const auto campaign = spec.id;
    deleting.join();
    stage.start(campaign);
    CHECK(Stage::eventually([&] { return is_terminal(stage.row(campaign).status); }));
    stage.restart();
    CHECK(stage.row(campaign).total == stage.row(campaign).cancelled);
  }
}

TEST_CASE("decision 22: a deleted device's update is not re-opened, also when the device has returned") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  stage.device("frame-0", "1.0.0");
  stage.device("frame-1", "1.0.0");
  const auto campaign = stage.campaign(firmware, names(2), immediate(10));
  stage.start(campaign);
  const auto update = stage.poll("frame-0");
  REQUIRE(update.has_value());
  REQUIRE(delete_device(stage, "frame-0").ok());
  const auto retry = [&] { return stage.service().update(update->id, domain::RetryUpdate{}, {}); };
  CHECK(retry().error().code == ErrorCode::kStateTransition);
  domain::RegisterDevice back;
  back.via = domain::RegisteredVia::kApi;
  REQUIRE(stage.service().device({"frame-0"}, back, {}).ok());
  CHECK(retry().error().code == ErrorCode::kStateTransition);
  CHECK(stage.row(campaign).cancelled == 1);
}

TEST_CASE("an update cancelled before its first grant is retried as its campaign plans it") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  stage.device("frame-0", "1.0.0");
  stage.device("frame-1", "1.0.0");
  auto policy = immediate(1);
  policy.max_retries = 1;
  policy.priority = domain::Priority::kEmergency;
  const auto campaign = stage.campaign(firmware, names(2), policy);
  stage.start(campaign);
  REQUIRE(stage.poll("frame-0").has_value());
  const auto ordinal = stage.service().views().ordinal_of({"frame-1"});
  const auto id = domain::UpdateId::in_campaign(campaign, *ordinal);
  REQUIRE(stage.service().update(id, domain::CancelUpdate{}, {}, domain::DeviceId{"frame-1"}).ok());
  REQUIRE(stage.service().update(id, domain::RetryUpdate{}, {}).ok());
  const auto waiting = stage.service().views().device({"frame-1"})->updates.at(id);
  CHECK(waiting.plan.firmware == firmware);
  CHECK(waiting.plan.priority == domain::Priority::kEmergency);
  CHECK(waiting.plan.to_version == "2.0.0");
}

TEST_CASE("a device has at most so many direct updates waiting, and is deleted with all of them") {
  Stage stage;
  stage.device("frame-0", "1.0.0");
  std::size_t taken = 0;
  for (std::size_t i = 0; i < domain::limits::kDirectUpdatesWaiting + 1; ++i) {
    domain::RequestUpdate request;
    request.id = domain::UpdateId::direct(new_uuid(stage.now()));
    request.device = {"frame-0"};
    request.plan.firmware.bytes[0] = static_cast<std::uint8_t>(i);
    request.plan.to_version = "2.0." + std::to_string(i);
    const auto answer = stage.service().device({"frame-0"}, request, {});
    if (answer) {
      ++taken;
    } else {
      CHECK(answer.error().code == ErrorCode::kStateTransition);
    }
  }
  CHECK(taken == domain::limits::kDirectUpdatesWaiting);
  REQUIRE(delete_device(stage, "frame-0").ok());
  CHECK(stage.service().views().device({"frame-0"})->updates.empty());
}

TEST_CASE("firmware registered by many at once: nobody is turned away") {
  Stage stage;
  std::vector<std::thread> threads;
  std::atomic<int> registered{0};
  for (int i = 0; i < 24; ++i) {
    threads.emplace_back([&, i] {
      domain::RegisterFirmware command;
      auto& r = command.record;
      r.id.bytes[0] = static_cast<std::uint8_t>(i);
      r.name = "Frame";
      r.facts.version = "1.0." + std::to_string(i);
      r.facts.device_model = "SF-100";
      r.sha256[0] = static_cast<std::uint8_t>(i);
      command.sha1.emplace();
      const auto id = r.id;
      if (stage.service().firmware(id, std::move(command), {}).ok()) ++registered;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(registered == 24);
}

}  // namespace
}  // namespace ota::actors::test
