#include "gateways/nats/outbox.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "domain/bitmap.hpp"
#include "gateways/nats/limits.hpp"
#include "tests/gateways/nats_support.hpp"

using namespace ota;
using namespace ota::gateways::testing;
using gateways::nats::known_since;
using gateways::nats::Outbox;
using nlohmann::ordered_json;

namespace {

std::vector<std::string> subjects_of(const Outbox::Round& round) {
  std::vector<std::string> subjects;
  for (const auto& message : round.messages)
    subjects.push_back(message.subject.substr(sizeof "ota_service." - 1));
  return subjects;
}

domain::Emitted of_update(domain::UpdateId id, domain::Event event) {
  return {id, std::move(event), {{"dev-1"}}};
}

}  // namespace

TEST_CASE("a round holds what the log says after a position, in log order") {
  LogFixture f;
  f.commit({{firmware_id(), firmware_record(), {}},
            {firmware_id(), domain::FirmwareContentStored{}, {}}},
           "anna");
  f.commit({{campaign_id(), campaign_record("first"), {}}}, "bert", "req-1");
  f.commit({{campaign_id(), domain::CampaignStarted{}, {}}});
  const Outbox outbox(*f.log, *f.subjects);

  const auto all = outbox.after({});
  CHECK(subjects_of(all) ==
        std::vector<std::string>{"firmware.uploaded", "campaign.created", "campaign.started"});
  CHECK(all.upto == domain::Position{4});
  CHECK(all.messages[0].position == domain::Position{2});
  const auto created = ordered_json::parse(all.messages[1].body);
  CHECK(created["metadata"].dump() == R"({"correlation_id":"req-1","position":3})");
  CHECK(created["data"]["created_by"] == "bert");
  CHECK(ordered_json::parse(all.messages[2].body)["data"]["name"] == "first");

  CHECK(subjects_of(outbox.after({3})) == std::vector<std::string>{"campaign.started"});
  const auto none = outbox.after({4});
  CHECK(none.messages.empty());
  CHECK(none.upto == domain::Position{4});
}

TEST_CASE("the same event is the same message whenever it is read") {
  LogFixture f;
  f.commit({{campaign_id(), campaign_record("first"), {}}});
  const Outbox outbox(*f.log, *f.subjects);
  const auto before = outbox.after({});
  f.commit({{campaign_id(), domain::CampaignStarted{}, {}}});
  const auto later = outbox.after({});
  CHECK(before.messages.at(0).id == later.messages.at(0).id);
  CHECK(before.messages.at(0).body == later.messages.at(0).body);
}

TEST_CASE("an update is told of as it was at its event, not as it is now") {
  LogFixture f;
  f.commit({of_update(update_id(), domain::UpdateCancelled{})});  // 1: never granted
  f.commit({of_update(update_id(), domain::RetryAsked{})});
  f.commit({of_update(update_id(), grant(1))});
  f.commit({of_update(update_id(),
                      domain::UpdateCancelled{domain::CancelCause::kOperator, 1, 0, false})});  // 4
  const auto round = Outbox(*f.log, *f.subjects).after({});
  CHECK(subjects_of(round) == std::vector<std::string>{"update.scheduled", "update.cancelled"});
  REQUIRE(round.messages.size() == 2);
  CHECK(round.messages[1].position == domain::Position{4});
  CHECK(ordered_json::parse(round.messages[1].body)["data"]["device_id"] == "dev-1");
}

TEST_CASE("an update that was granted and waits for a retry is told of when it is cancelled") {
  LogFixture f;
  domain::AttemptEnded failed;
  failed.retry_at = domain::Time{};
  f.commit({of_update(update_id(), grant(1)), of_update(update_id(), failed),
            of_update(update_id(), domain::UpdateCancelled{})});
  CHECK(subjects_of(Outbox(*f.log, *f.subjects).after({})) ==
        std::vector<std::string>{"update.scheduled", "update.cancelled"});
}

TEST_CASE("the end of a campaign that an operator cancelled is told once, and that of its rollback again") {
  LogFixture f;
  const auto closed = [](domain::CampaignStatus outcome) { return domain::CampaignClosed{outcome, {}}; };
  f.commit({{campaign_id(), campaign_record("x"), {}}, {campaign_id(), domain::CampaignCancelled{"no"}, {}}});
  f.commit({{campaign_id(), closed(domain::CampaignStatus::kCancelled), {}}});
  f.commit({{campaign_id(), domain::CampaignRollbackBegun{}, {}}});
  f.commit({{campaign_id(), closed(domain::CampaignStatus::kCancelled), {}}});
  CHECK(subjects_of(Outbox(*f.log, *f.subjects).after({})) ==
        std::vector<std::string>{"campaign.created", "campaign.cancelled", "campaign.rollback", "campaign.cancelled"});
}

TEST_CASE("decision 31: how many devices were never granted is what the log says up to the end, whatever came with it") {
  LogFixture f;
  auto record = campaign_record("x");
  domain::Bitmap targets;
  targets.addRange(1, 11);
  record.targets = domain::to_bytes(targets);
  record.pick_cutoff = ~0ULL;
  const auto rollback = domain::UpdateId::in_campaign(campaign_id(), {1}, 1);
  f.commit({{campaign_id(), record, {}}, {campaign_id(), domain::CampaignStarted{}, {}}});
  f.commit({of_update(update_id(1), grant(1)), of_update(update_id(2), grant(1))});
  f.commit({of_update(update_id(2), domain::GrantLapsed{}), of_update(update_id(2), grant(2))});
  f.commit({{campaign_id(), domain::CampaignRollbackBegun{}, {}}});
  f.commit({of_update(rollback, grant(1))});
  f.commit({{campaign_id(), domain::CampaignClosed{domain::CampaignStatus::kFailed, {}}, {}}});
  std::vector<std::string> told;
  for (const auto& message : Outbox(*f.log, *f.subjects).after({}).messages) {
    const auto data = ordered_json::parse(message.body)["data"];
    if (data.contains("cancelled_devices")) told.push_back(message.subject + " " + data["cancelled_devices"].dump());
  }
  CHECK(told == std::vector<std::string>{"ota_service.campaign.rollback 8", "ota_service.campaign.failed 8"});
}

TEST_CASE("a long log is told in rounds, none left out and none twice") {
  LogFixture f;
  const std::size_t count = gateways::nats::limits::kMessagesPerRound + 10;
  for (std::size_t i = 0; i < count; ++i)
    f.commit({{campaign_id(), campaign_record(std::to_string(i)), {}}});
  const Outbox outbox(*f.log, *f.subjects);
  const auto first = outbox.after({});
  CHECK(first.messages.size() == gateways::nats::limits::kMessagesPerRound);
  const auto second = outbox.after(first.upto);
  CHECK(second.messages.size() == 10);
  CHECK(second.messages.front().position.value == first.messages.back().position.value + 1);
  CHECK(second.upto == domain::Position{f.log->head().value});
}

TEST_CASE("a message is known to be of this log by its id") {
  LogFixture f;
  f.commit({{campaign_id(), campaign_record("x"), {}}});
  const Outbox outbox(*f.log, *f.subjects);
  const auto body = outbox.after({}).messages.at(0).body;
  CHECK(outbox.position_of(body) == domain::Position{1});

  LogFixture other;
  other.commit({{campaign_id(), campaign_record("x"), {}}});
  CHECK_FALSE(Outbox(*other.log, *other.subjects).position_of(body));
  CHECK_FALSE(outbox.position_of("not JSON"));
  CHECK_FALSE(outbox.position_of("[]"));
  CHECK_FALSE(outbox.position_of(R"({"id": 7, "metadata": {"position": 1}})"));
  CHECK_FALSE(outbox.position_of(R"({"id": "x", "metadata": {"position": -1}})"));
  CHECK_FALSE(outbox.position_of(R"({"id": "x", "metadata": {"position": 99}})"));
  CHECK_FALSE(outbox.position_of(R"({"id": "x", "metadata": 1})"));
}

TEST_CASE("a device is known since it was registered or brought back the last time") {
  LogFixture f;
  const domain::DeviceId device{"dev-1"};
  CHECK_FALSE(known_since(*f.log, device));
  const auto registered = f.commit({{device, domain::DeviceRegistered{}, device}});
  CHECK(known_since(*f.log, device) == domain::Time(registered.time.time_since_epoch()));
  f.commit({{device, domain::DeviceDeleted{}, device}});
  CHECK(known_since(*f.log, device) == domain::Time(registered.time.time_since_epoch()));
  const auto returned = f.commit({{device, domain::DeviceReturned{}, device}});
  CHECK(known_since(*f.log, device) == domain::Time(returned.time.time_since_epoch()));
}
