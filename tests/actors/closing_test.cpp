// After what ends or stops a campaign no device is granted its firmware any more: zero, not few, however many ask at
// that very moment. What was decided before and arrives after is refused by the journal itself (design 4).
#include <doctest/doctest.h>

#include <thread>

#include "tests/actors/stage.hpp"

namespace ota::actors::test {
namespace {

using domain::Report;

constexpr std::size_t kDevices = 160;
constexpr std::size_t kThreads = 8;

domain::CampaignPolicy open_to_all() {
  domain::CampaignPolicy p;
  p.strategy = domain::Strategy::kImmediate;
  p.max_concurrent_updates = 1'000;
  p.max_retries = 0;
  return p;
}

// A campaign that every device asks at the same time; whoever is granted may do something with it.
struct Rush {
  explicit Rush(const domain::CampaignPolicy& policy) : devices(names(kDevices)), firmware(stage.firmware("2.0.0")) {
    for (const auto& device : devices) stage.device(device, "1.0.0");
    campaign = stage.campaign(firmware, devices, policy);
    stage.start(campaign);
  }

  // All devices poll, and after some of them `close` is called.
  template <class Close, class WhenGranted>
  void run(const Close& close, const WhenGranted& when_granted) {
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (std::size_t i = next++; i < devices.size(); i = next++) {
          const auto record = stage.service().poll({devices[i]}, {});
          CHECK(record.ok());
          if (record.ok() && record.value().active.value != 0) when_granted(devices[i], record.value().active);
        }
      });
    }
    while (next < kDevices / 4) std::this_thread::yield();
    close();
    for (auto& thread : threads) thread.join();
    stage.service().settle();
  }

  // How many were granted before the first `Closing`; none may be behind it.
  template <class Closing>
  std::size_t granted_before() {
    std::size_t before = 0;
    bool closed = false;
    for (const auto& event : stage.events()) {
      if (std::holds_alternative<Closing>(event.event)) closed = true;
      const auto* granted = std::get_if<domain::AttemptGranted>(&event.event);
      if (!granted || std::get<domain::UpdateId>(event.stream).kind != domain::UpdateId::kDeployment) continue;
      CHECK_FALSE(closed);
      if (!closed) ++before;
    }
    CHECK(closed);
    return before;
  }

  Stage stage;
  std::vector<std::string> devices;
  domain::FirmwareId firmware;
  domain::CampaignId campaign;
};

const auto kNothing = [](const std::string&, domain::ActionId) {};

TEST_CASE("after a cancellation no device is granted any more") {
  Rush rush(open_to_all());
  rush.run([&] { rush.stage.tell(rush.campaign, domain::CancelCampaign{"no"}); }, kNothing);
  CHECK(rush.granted_before<domain::CampaignCancelled>() > 0);
}

TEST_CASE("after a finish no device is granted any more") {
  Rush rush(open_to_all());
  rush.run([&] { rush.stage.tell(rush.campaign, domain::FinishCampaign{"enough"}); }, kNothing);
  CHECK(rush.granted_before<domain::CampaignFinished>() > 0);
}

TEST_CASE("after a rollback has begun no device is granted the firmware any more") {
  Rush rush(open_to_all());
  rush.run([&] { rush.stage.tell(rush.campaign, domain::RollbackCampaign{"bad"}); }, kNothing);
  CHECK(rush.granted_before<domain::CampaignRollbackBegun>() > 0);
}

TEST_CASE("decision 2: after a recall no device is granted the firmware any more") {
  Rush rush(open_to_all());
  rush.run([&] { REQUIRE(rush.stage.service().firmware(rush.firmware, domain::RecallFirmware{"bricks"}, {}).ok()); },
           kNothing);
  CHECK(rush.granted_before<domain::FirmwareRecalled>() > 0);
}

TEST_CASE("S2/BR-OTA-010: no campaign is created behind the recall of its firmware") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  std::atomic<std::size_t> created{0};
  std::atomic<std::size_t> refused{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      while (refused < kThreads) {
        CampaignSpec spec;
        spec.id = {new_uuid(stage.now())};
        spec.firmware = firmware;
        ++(stage.service().create_campaign(spec, {}).ok() ? created : refused);
      }
    });
  }
  while (created < kThreads) std::this_thread::yield();
  REQUIRE(stage.service().firmware(firmware, domain::RecallFirmware{"bricks"}, {}).ok());
  for (auto& thread : threads) thread.join();
  bool recalled = false;
  for (const auto& event : stage.events()) {
    if (std::holds_alternative<domain::FirmwareRecalled>(event.event)) recalled = true;
    if (std::holds_alternative<domain::CampaignCreated>(event.event)) CHECK_FALSE(recalled);
  }
  CHECK(recalled);
}

TEST_CASE("S5: after a verdict has stopped a campaign no device is granted any more") {
  auto policy = open_to_all();
  policy.min_finished_for_verdict = 10;
  Rush rush(policy);
  const auto fail = [&](const std::string& device, domain::ActionId action) {
    const auto ref = rush.stage.service().views().action({device}, action);
    Report report;
    report.attempt = ref.value().attempt;
    report.kind = Report::Kind::kFailure;
    CHECK(rush.stage.service().update(ref.value().update, report, {}).ok());
  };
  rush.run([] {}, fail);
  const auto stopped = [&] { return rush.stage.row(rush.campaign).status == domain::CampaignStatus::kFailed; };
  CHECK(Stage::eventually(stopped));
  CHECK(rush.granted_before<domain::CampaignRollbackBegun>() >= 10);
  CHECK(rush.stage.row(rush.campaign).cancelled > 0);   // it did not come to that only at the end
}

}  // namespace
}  // namespace ota::actors::test
