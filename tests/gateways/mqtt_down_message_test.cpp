#include "gateways/mqtt/down_message.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tests/gateways/nats_support.hpp"

using namespace ota;
using namespace ota::gateways::mqtt;
using nlohmann::json;
using domain::UpdateStatus;

namespace {

constexpr domain::Time kNow{std::chrono::hours(1'000'000 / 60)};
const domain::ActionId kAction{1'000'001};

domain::Firmware firmware() {
  domain::Firmware firmware;
  firmware.record = gateways::testing::firmware_record();
  firmware.content_here = true;
  return firmware;
}
domain::DeviceUpdate update() {
  domain::DeviceUpdate update;
  update.id = gateways::testing::update_id();
  update.device = {"pump"};
  update.plan.from_version = "1.0.0";
  update.plan.to_version = "2.1.0";
  update.attempt = 2;
  update.action = kAction;
  update.status = UpdateStatus::kInProgress;
  update.start_by = kNow;
  return update;
}
projections::PollRecord active() {
  projections::PollRecord record;
  record.active = kAction;
  return record;
}
UrlOf at(const std::string& url) {
  return [url](const domain::DeviceId&, const domain::Firmware&) { return url; };
}
Command make(const domain::DeviceUpdate& u, const domain::Firmware& f, Install install = Install::kNow, const std::string& url = "u") {
  return make_command({Task::Kind::kUpdate, kAction, 2}, u, f, install, at(url));
}

}  // namespace

TEST_CASE("what a device is to be told follows from its record") {
  projections::PollRecord record;
  CHECK_FALSE(action_to_tell(record).has_value());
  record.consent = {7};
  CHECK(action_to_tell(record) == domain::ActionId{7});
  CHECK(task_of(record, {7}, 1).kind == Task::Kind::kConfirm);
  CHECK(action_to_tell(active()) == kAction);
  CHECK(task_of(active(), kAction, 1).kind == Task::Kind::kUpdate);
  auto cancelling = active();
  cancelling.cancelling = true;
  CHECK(task_of(cancelling, kAction, 1).kind == Task::Kind::kCancel);
  auto installed = active();
  installed.awaits_version = true;
  CHECK_FALSE(action_to_tell(installed).has_value());
  installed.cancelling = true;
  CHECK(action_to_tell(installed) == kAction);
  auto deleted = active();
  deleted.deleted = true;
  CHECK_FALSE(action_to_tell(deleted).has_value());
}

TEST_CASE("a command has all that a device needs, and the same each time") {
  auto signed_one = firmware();
  signed_one.record.signature = std::string("\x00\x01\xFF", 3);
  const auto command = make(update(), signed_one);
  const auto body = json::parse(command.body);
  CHECK(body.at("type") == "update");
  CHECK(body.at("update_id") == domain::to_text(update().id));
  CHECK(body.at("attempt") == 2);
  CHECK(body.at("action_id") == kAction.value);
  CHECK(body.at("install") == "now");
  CHECK(body.at("artifact").at("signature") == "AAH/");
  CHECK(body.at("artifact").at("sha256").get<std::string>().size() == 64);
  CHECK(body.at("artifact").at("url") == "u");
  CHECK(body.at("deadline").get<std::string>().ends_with("Z"));
  CHECK(make(update(), signed_one).body == command.body);
}

TEST_CASE("what changes by itself with time is no news, everything else is") {
  const auto before = make(update(), firmware()).fingerprint;
  CHECK(before != 0);
  auto begun = update();
  begun.start_by.reset();
  CHECK(make(begun, firmware()).fingerprint == before);
  CHECK(make(update(), firmware(), Install::kNow, "another").fingerprint == before);
  CHECK(make(update(), firmware(), Install::kLater).fingerprint != before);
  auto other = update();
  other.plan.to_version = "3.0.0";
  CHECK(make(other, firmware()).fingerprint != before);
  const Task cancel{Task::Kind::kCancel, kAction, 2};
  CHECK(make_cancel(cancel, update().id).fingerprint != before);
  CHECK(Command{}.fingerprint == 0);
}

TEST_CASE("bytes that are elsewhere have the digest that is known of them, and no other") {
  auto elsewhere = firmware();
  elsewhere.content_here = false;
  const auto artifact = json::parse(make(update(), elsewhere).body).at("artifact");
  CHECK(artifact.contains("sha256"));
  CHECK_FALSE(artifact.contains("md5"));
  CHECK_FALSE(artifact.contains("sha1"));
}

TEST_CASE("decision 14: when a device may install what it downloaded") {
  const auto of = [](const domain::DeviceUpdate& u) { return install_of(u, 2, "", kNow); };
  CHECK(of(update()) == Install::kNow);
  auto holds = update();
  holds.hold = true;
  CHECK(of(holds) == Install::kLater);
  holds.released = true;
  CHECK(of(holds) == Install::kNow);
  auto download = update();
  download.plan.download_only = true;
  CHECK(of(download) == Install::kNever);
  auto closed = update();
  const auto minute = static_cast<std::uint16_t>(
      (std::chrono::floor<std::chrono::minutes>(kNow.time_since_epoch()) % std::chrono::days(1)).count());
  const auto day = [&](int m) { return static_cast<std::uint16_t>((minute + m + 1'440) % 1'440); };
  closed.plan.maintenance_window = domain::MaintenanceWindow{day(10), day(20), "UTC"};
  CHECK(of(closed) == Install::kLater);
  closed.status = UpdateStatus::kInstalling;  // it does already
  CHECK(of(closed) == Install::kNow);
}

TEST_CASE("answers: go, no, well done, and what was wrong with every field") {
  const Accepted accepted{update().id, 2};
  CHECK(json::parse(make_go("m", accepted, {true, "", "u"})) ==
        json{{"id", "m"}, {"ok", true}, {"update_id", domain::to_text(update().id)}, {"attempt", 2}, {"go", true}, {"url", "u"}});
  CHECK(json::parse(make_go("", accepted, {false, "it is over", ""})) ==
        json{{"update_id", domain::to_text(update().id)}, {"attempt", 2}, {"go", false}, {"message", "it is over"}});
  CHECK(json::parse(make_ok("m")) == json{{"id", "m"}, {"ok", true}});
  Heard heard;
  heard.id = "m";
  heard.faults.add("", "not JSON");
  heard.faults.add("attempt", "field required");
  const auto error = json::parse(make_malformed(heard));
  CHECK(error.at("error") == "invalid");
  CHECK(error.at("message") == "not JSON; attempt: field required");
  CHECK(error.at("fields")[1] == json{{"field", "attempt"}, {"message", "field required"}});
}

TEST_CASE("the answer to a message that is all wrong is no larger than the message") {
  std::string body = R"({"type":"attributes","id":"many","data":{)";
  for (int i = 0; i < 5'000; ++i) body += fmt::format(R"({}"{}~":1)", i == 0 ? "" : ",", i);
  body += "}}";
  const auto answer = make_malformed(read_up(body));
  CHECK(answer.size() < body.size() / 4);
  const auto error = json::parse(answer);
  CHECK(error.at("fields").size() == limits::kFaults);
  const auto message = error.at("message").get<std::string>();
  CHECK(message.starts_with("data.0~: the key \"0~\" is not"));
  CHECK(message.ends_with("; and 4997 more"));
}
