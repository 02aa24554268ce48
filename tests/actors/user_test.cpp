// Users at the actors' door: what is left of them, and of what was on its way to their devices, when they are deleted.
#include <doctest/doctest.h>

#include "projections/decoded.hpp"
#include "tests/actors/stage.hpp"

namespace ota::actors::test {
namespace {

using domain::Report;
using domain::UpdateStatus;

struct Users {
  Stage stage;
  domain::FirmwareId firmware = stage.firmware("2.0.0");

  void device_of(const std::string& person, const std::string& id) {
    stage.device(id, "1.0.0");
    domain::ChangeAttributes change;
    change.owner = stage.service().caller_of(person);
    REQUIRE(stage.service().device({id}, change, {}).ok());
  }
  domain::CampaignId started(const std::vector<std::string>& devices) {
    domain::CampaignPolicy policy;
    policy.strategy = domain::Strategy::kImmediate;
    policy.max_concurrent_updates = 10;
    policy.auto_rollback = false;
    const auto id = stage.campaign(firmware, devices, policy);
    stage.start(id);
    return id;
  }
  domain::UpdateId direct(const std::string& device) {
    domain::RequestUpdate request;
    request.id = domain::UpdateId::direct(new_uuid(stage.now()));
    request.device = {device};
    request.plan.firmware = firmware;
    request.plan.to_version = "2.0.0";
    REQUIRE(stage.service().device({device}, request, {}).ok());
    return request.id;
  }
  domain::UpdateId in(domain::CampaignId campaign, const std::string& device) {
    return domain::UpdateId::in_campaign(campaign, *stage.service().views().ordinal_of({device}));
  }
  UpdateStatus status(const domain::UpdateId& id) { return stage.service().views().update_or_pending(id)->status; }
  void remove(const std::string& person) {
    const auto answer = stage.service().delete_user(person, {});
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? std::string() : answer.error().message));
  }
};

TEST_CASE("decision 18: a deleted user's devices are updated no further, what installs goes on, others' devices too") {
  Users u;
  for (const auto* id : {"waits", "granted", "installs", "done", "direct"}) u.device_of("anna", id);
  u.device_of("bert", "bert's");
  const auto campaign = u.started({"waits", "granted", "installs", "done", "bert's"});
  const auto granted = u.stage.poll_until_offered("granted");
  const auto installs = u.stage.poll_until_offered("installs");
  const auto done = u.stage.poll_until_offered("done");
  u.stage.report(*done, Report::Kind::kSuccess);
  Report installing;
  installing.attempt = installs->attempt;
  installing.phase = UpdateStatus::kInstalling;
  REQUIRE(u.stage.service().update(installs->id, installing, {}).ok());
  const auto direct = u.direct("direct");

  u.remove("anna");
  CHECK(u.status(u.in(campaign, "waits")) == UpdateStatus::kCancelled);
  CHECK(u.status(granted->id) == UpdateStatus::kCancelled);
  CHECK(u.status(installs->id) == UpdateStatus::kInstalling);
  CHECK(u.status(done->id) == UpdateStatus::kCompleted);
  CHECK(u.status(direct) == UpdateStatus::kCancelled);
  CHECK(u.stage.poll_until_offered("bert's").has_value());
  // Their devices stay, and belong to nobody whom anybody could name.
  CHECK_FALSE(u.stage.service().views().device({"waits"})->deleted);
  CHECK(u.stage.service().person_of(u.stage.service().views().device({"waits"})->owner) == "deleted user");
  CHECK_FALSE(u.stage.service().known_user("anna").has_value());
}

TEST_CASE("decision 18: deleting a user twice, or somebody unknown, writes nothing") {
  Users u;
  u.device_of("anna", "frame-0");
  u.started({"frame-0"});
  u.remove("anna");
  const auto head = u.stage.service().log().head();
  u.remove("anna");
  u.remove("nobody");
  CHECK(u.stage.service().log().head() == head);
}

TEST_CASE("decision 18: who returns is somebody new, without preferences") {
  Users u;
  const auto before = u.stage.service().caller_of("anna");
  REQUIRE(u.stage.service().user(before, domain::ChangePreferences{true, {}}, {}).ok());
  u.remove("anna");
  const auto after = u.stage.service().caller_of("anna");
  CHECK(after != before);
  CHECK_FALSE(u.stage.service().views().user(after).has_value());
  REQUIRE(u.stage.service().user(after, domain::ChangePreferences{true, {}}, {}).ok());
  CHECK(u.stage.service().views().user(after)->beta_opt_in);
  CHECK_FALSE(u.stage.service().views().user(before)->beta_opt_in);
}

TEST_CASE("decision 18: a service that ended between an erasure and the name forgets the name when it starts") {
  Users u;
  const auto anna = u.stage.service().caller_of("anna");
  REQUIRE(u.stage.service().user(anna, domain::ChangePreferences{true, {}}, {}).ok());
  REQUIRE(u.stage.service().user(anna, domain::EraseUser{}, {}).ok());  // and no further
  CHECK(u.stage.service().known_user("anna") == anna);
  u.stage.restart();
  CHECK_FALSE(u.stage.service().known_user("anna").has_value());
  CHECK(u.stage.service().person_of(anna) == "deleted user");
}

TEST_CASE("decision 18: a deletion told again ends what its first time left, and touches nobody who has come back") {
  Users u;
  auto& service = u.stage.service();
  Meta told;
  told.command.emplace();
  told.command->bytes.fill(7);
  told.repeatable = true;
  const auto anna = service.caller_of("anna");
  REQUIRE(service.user(anna, domain::EraseUser{}, told).ok());  // and no further
  REQUIRE(service.delete_user("anna", told).ok());
  CHECK_FALSE(service.known_user("anna").has_value());
  const auto again = service.caller_of("anna");
  REQUIRE(again != anna);
  REQUIRE(service.delete_user("anna", told).ok());
  CHECK(service.known_user("anna") == again);
}

TEST_CASE("design 3: a token whose name is gone without an erasure is an unknown user") {
  Users u;
  const auto anna = u.stage.service().caller_of("anna");
  CHECK(u.stage.service().person_of(anna) == "anna");
  u.stage.service().subjects().erase(projections::to_store(anna));
  CHECK(u.stage.service().trouble().nameless == 0);
  CHECK(u.stage.service().person_of(anna) == "unknown user");
  CHECK(u.stage.service().person_of(anna) == "unknown user");
  CHECK(u.stage.service().trouble().nameless == 1);  // which health counts
  CHECK_FALSE(u.stage.service().person_of({}).has_value());
}

TEST_CASE("decision 18: an owner's pause closes campaigns and direct updates to their devices until it is over") {
  Users u;
  u.device_of("anna", "frame-0");
  u.device_of("anna", "frame-1");
  const auto anna = u.stage.service().caller_of("anna");
  const auto until = u.stage.now() + std::chrono::hours(1);
  REQUIRE(u.stage.service().user(anna, domain::ChangePreferences{false, until}, {}).ok());
  u.started({"frame-0"});
  u.direct("frame-1");
  CHECK_FALSE(u.stage.poll("frame-0").has_value());
  CHECK_FALSE(u.stage.poll("frame-1").has_value());
  SUBCASE("it ends by itself") { u.stage.advance(std::chrono::hours(1)); }
  SUBCASE("it is lifted") { REQUIRE(u.stage.service().user(anna, domain::ChangePreferences{}, {}).ok()); }
  CHECK(u.stage.poll_until_offered("frame-0").has_value());
  CHECK(u.stage.poll_until_offered("frame-1").has_value());
}

}  // namespace
}  // namespace ota::actors::test
