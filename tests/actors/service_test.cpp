// The service as its callers see it: answers that are durable and visible, commands that take effect once.
#include <doctest/doctest.h>

#include <thread>

#include "tests/actors/stage.hpp"

namespace ota::actors::test {
namespace {

using domain::CampaignStatus;
using domain::Report;
using domain::UpdateStatus;

domain::CampaignPolicy immediate(std::uint32_t places) {
  domain::CampaignPolicy p;
  p.strategy = domain::Strategy::kImmediate;
  p.max_concurrent_updates = places;
  return p;
}

template <class Event>
std::size_t count(const std::vector<domain::Recorded>& events) {
  return static_cast<std::size_t>(std::count_if(events.begin(), events.end(), [](const auto& r) {
    return std::holds_alternative<Event>(r.event);
  }));
}

TEST_CASE("a campaign updates a device, and every answer shows what was just written") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  stage.device("frame-0", "1.0.0");
  const auto campaign = stage.campaign(firmware, {"frame-0"}, immediate(10));
  CHECK(stage.row(campaign).status == CampaignStatus::kCreated);
  CHECK_FALSE(stage.poll("frame-0").has_value());
  stage.start(campaign);
  const auto update = stage.poll("frame-0");
  REQUIRE(update.has_value());
  CHECK(update->status == UpdateStatus::kInProgress);
  CHECK(update->plan.from_version == "1.0.0");
  CHECK(stage.row(campaign).in_progress == 1);
  stage.report(*update, Report::Kind::kSuccess);
  CHECK(stage.service().views().update(update->id)->status == UpdateStatus::kCompleted);
  CHECK(stage.service().views().device({"frame-0"})->attribute("firmware_version") == "2.0.0");
  CHECK(Stage::eventually([&] { return stage.row(campaign).status == CampaignStatus::kCompleted; }));
}

TEST_CASE("BR-OTA-016: however many devices ask at once, no more than max_concurrent_updates are granted") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  const auto devices = names(60);
  for (const auto& device : devices) stage.device(device, "1.0.0");
  const auto campaign = stage.campaign(firmware, devices, immediate(7));
  stage.start(campaign);
  std::atomic<std::size_t> granted{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 12; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < devices.size(); i += 12) {
        const auto record = stage.service().poll({devices[i]}, {});
        if (record.ok() && record.value().active.value != 0) ++granted;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(granted == 7);
  CHECK(stage.row(campaign).in_progress == 7);
}

TEST_CASE("after a pause no device is granted any more: zero, not few") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  const auto devices = names(200);
  for (const auto& device : devices) stage.device(device, "1.0.0");
  const auto campaign = stage.campaign(firmware, devices, immediate(1'000));
  stage.start(campaign);
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = next++; i < devices.size(); i = next++) {
        CHECK(stage.service().poll({devices[i]}, {}).ok());
      }
    });
  }
  while (next < 60) std::this_thread::yield();
  stage.tell(campaign, domain::PauseCampaign{"enough"});
  for (auto& thread : threads) thread.join();
  domain::Position paused;
  std::size_t before = 0;
  for (const auto& event : stage.events()) {
    if (std::holds_alternative<domain::CampaignPaused>(event.event)) paused = event.position;
    if (!std::holds_alternative<domain::AttemptGranted>(event.event)) continue;
    if (paused.value == 0) ++before;
    CHECK(paused.value == 0);
  }
  CHECK(before > 0);
  CHECK(paused.value > 0);
}

TEST_CASE("a command id is carried out once, also by callers at the same time and after a restart") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  Meta meta;
  meta.command.emplace();
  meta.command->bytes[3] = 9;
  meta.repeatable = true;
  const auto create = [&](std::uint8_t tag) {
    CampaignSpec spec;
    spec.id.bytes[0] = tag;
    spec.name = "once";
    spec.firmware = firmware;
    spec.devices = {"frame-0"};
    return stage.service().create_campaign(spec, meta);
  };
  std::vector<std::thread> threads;
  std::atomic<int> wrote{0};
  for (std::uint8_t t = 1; t <= 8; ++t) {
    threads.emplace_back([&, t] {
      const auto answer = create(t);
      if (answer.ok() && answer.value().wrote) ++wrote;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrote == 1);
  stage.restart();
  const auto again = create(99);
  REQUIRE(again.ok());
  CHECK(again.value().repeated.has_value());
  CHECK(count<domain::CampaignCreated>(stage.events()) == 1);
}

TEST_CASE("If-Match: a command on another revision than the caller saw is refused and writes nothing") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  const auto campaign = stage.campaign(firmware, {"frame-0"}, immediate(1));
  stage.start(campaign);
  Meta stale;
  stale.if_match = {1};
  const auto refused = stage.service().campaign(campaign, domain::PauseCampaign{}, stale);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == domain::ErrorCode::kRevision);
  stale.if_match = {stage.row(campaign).revision};
  CHECK(stage.service().campaign(campaign, domain::PauseCampaign{}, stale).ok());
}

TEST_CASE("decision 7: a grant that is not fetched lapses, frees its place, and is granted again") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  for (const auto& device : names(2)) stage.device(device, "1.0.0");
  const auto campaign = stage.campaign(firmware, names(2), immediate(1));
  stage.start(campaign);
  REQUIRE(stage.poll("frame-0").has_value());
  CHECK_FALSE(stage.poll("frame-1").has_value());
  stage.advance(std::chrono::minutes(16));
  CHECK(Stage::eventually([&] { return stage.row(campaign).in_progress == 0; }));
  CHECK(stage.row(campaign).failed == 0);
  const auto second = stage.poll_until_offered("frame-1");
  REQUIRE(second.has_value());
  stage.report(*second, Report::Kind::kSuccess);
  const auto again = stage.poll_until_offered("frame-0");
  REQUIRE(again.has_value());
  CHECK(again->attempt == 2);
}

TEST_CASE("BR-OTA-018, BR-OTA-024: an attempt that times out is retried after its back-off, then fails for good") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  stage.device("frame-0", "1.0.0");
  auto policy = immediate(1);
  policy.max_retries = 1;
  policy.auto_rollback = false;
  const auto campaign = stage.campaign(firmware, {"frame-0"}, policy);
  stage.start(campaign);
  for (std::uint32_t attempt = 1; attempt <= 2; ++attempt) {
    const auto update = stage.poll_until_offered("frame-0");
    REQUIRE(update.has_value());
    CHECK(update->attempt == attempt);
    REQUIRE(stage.service().update(update->id, domain::StartAttempt{attempt}, {}).ok());
    stage.advance(std::chrono::minutes(61));
    CHECK(Stage::eventually([&] { return !stage.service().views().update(update->id)->in_progress(); }));
    stage.advance(std::chrono::seconds(10));
  }
  CHECK(stage.row(campaign).failed == 1);
  CHECK(Stage::eventually([&] { return stage.row(campaign).status == CampaignStatus::kFailed; }));
}

TEST_CASE("a deleted device leaves its campaign in one append, and is not registered by its next poll") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  for (const auto& device : names(2)) stage.device(device, "1.0.0");
  const auto campaign = stage.campaign(firmware, names(2), immediate(1));
  stage.start(campaign);
  REQUIRE(stage.poll("frame-0").has_value());
  for (const auto& device : names(2)) REQUIRE(stage.service().device({device}, domain::DeleteDevice{"gone"}, {}).ok());
  CHECK(stage.row(campaign).cancelled == 2);
  CHECK(Stage::eventually([&] { return stage.row(campaign).closed; }));
  const auto poll = stage.service().poll({"frame-0"}, {});
  REQUIRE_FALSE(poll.ok());
  CHECK(poll.error().code == domain::ErrorCode::kNotFound);
  const auto before = stage.service().views().device({"frame-0"})->ordinal;
  REQUIRE(stage.service().device({"frame-0"}, domain::RegisterDevice{{}, domain::RegisteredVia::kApi, {}, {}}, {}).ok());
  CHECK(stage.service().views().device({"frame-0"})->ordinal != before);
}

TEST_CASE("ids that nobody knows yet are reserved by a list, and keep their ordinal when they appear") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  const auto campaign = stage.campaign(firmware, names(5), immediate(5));
  stage.start(campaign);
  CHECK(stage.row(campaign).total == 5);
  const auto reserved = stage.service().views().ordinal_of({"frame-3"});
  REQUIRE(reserved.has_value());
  const auto update = stage.poll("frame-3");
  REQUIRE(update.has_value());
  CHECK(update->id == domain::UpdateId::in_campaign(campaign, *reserved));
}

TEST_CASE("decision 20: ids and names of the longest characters fit the log") {
  Stage stage;
  const auto times = [](int n, const std::string& text) {
    std::string all;
    for (int i = 0; i < n; ++i) all += text;
    return all;
  };
  const auto id = times(256, "\U0001F600");
  stage.device(id, "1.0.0");
  const auto firmware = stage.firmware(times(50, "\U0001F600"), times(100, "\U0001F600"));
  CHECK(stage.service().views().firmware(firmware)->firmware.record.facts.version.size() == 200);
  stage.restart();
  CHECK(stage.service().views().device({id})->registered);
}

TEST_CASE("a restart in the middle changes nothing: the same campaign goes on where it was") {
  Stage stage;
  const auto firmware = stage.firmware("2.0.0");
  for (const auto& device : names(6)) stage.device(device, "1.0.0");
  const auto campaign = stage.campaign(firmware, names(6), immediate(2));
  stage.start(campaign);
  const auto first = stage.poll("frame-0");
  REQUIRE(first.has_value());
  stage.restart();
  CHECK(stage.row(campaign).in_progress == 1);
  CHECK(stage.poll("frame-0")->action == first->action);
  REQUIRE(stage.poll("frame-1").has_value());
  CHECK_FALSE(stage.poll("frame-2").has_value());
  stage.report(*first, Report::Kind::kSuccess);
  stage.restart();
  REQUIRE(stage.poll("frame-2").has_value());
  CHECK(stage.row(campaign).completed == 1);
}

TEST_CASE("firmware: one record a model and version, numbers without gaps, also when registered at the same time") {
  Stage stage;
  std::vector<std::thread> threads;
  std::atomic<int> wrote{0};
  std::atomic<int> duplicates{0};
  for (std::uint8_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      domain::RegisterFirmware command;
      command.record.id.bytes[0] = t;
      command.record.name = "name " + std::to_string(t);
      command.record.facts.version = t < 4 ? "1.0.0" : "2.0.0";
      command.record.facts.device_model = "SF-100";
      command.record.sha256[0] = static_cast<std::uint8_t>(t % 2);
      command.sha1.emplace();
      const auto answer = stage.service().firmware(command.record.id, command, {});
      if (answer.ok() && answer.value().wrote) ++wrote;
      if (!answer.ok()) ++duplicates;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrote == 2);
  CHECK(duplicates == 4);
  CHECK(stage.service().views().newest_firmware_number() == 2);
}

}  // namespace
}  // namespace ota::actors::test
