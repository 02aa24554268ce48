// Devices over MQTT, told and heard, in a whole service and without a broker.
#include "gateways/mqtt/conversation.hpp"

#include <doctest/doctest.h>

#include "tests/gateways/mqtt_stage.hpp"

using namespace ota;
using namespace ota::gateways::testing;
using nlohmann::json;
using domain::UpdateStatus;

namespace {

const json kHello{{"type", "hello"}};
bool says(const json& answer, const char* part) { return answer.at("message").get<std::string>().find(part) != std::string::npos; }

}  // namespace

TEST_CASE("decision 7: over MQTT a command only invites: its attempt begins, durably, with `accepted`, which is answered go or not") {
  MqttStage stage;
  stage.hello("pump");
  const auto campaign = stage.campaign(stage.firmware("2.0.0"), {"pump"});
  const auto command = stage.wait_for_command("pump", "update");
  CHECK(command.at("attempt") == 1);
  CHECK(command.at("from_version") == "1.0.0");
  CHECK(command.at("to_version") == "2.0.0");
  CHECK(command.at("install") == "now");
  CHECK(command.at("artifact").at("url") == "https://ota.example/pump/frame.bin?signed");
  CHECK(command.contains("deadline"));
  CHECK_FALSE(stage.update(command).started_at.has_value());
  const auto go = stage.status("pump", command, "accepted");
  CHECK(go.at("go") == true);
  CHECK(go.at("attempt") == 1);
  CHECK(go.at("url") == "https://ota.example/pump/frame.bin?signed");
  CHECK(stage.update(command).started_at == stage.service().now());
  CHECK(stage.update(command).downloads_here);
  for (const auto* phase : {"downloading", "verifying", "installing", "rebooting", "completed"}) {
    CHECK(stage.status("pump", command, phase).is_null());
  }
  CHECK(stage.update(command).status == UpdateStatus::kCompleted);
  stage.wait_for_nothing("pump");
  CHECK(stage.published("pump") == 3);  // empty at its hello, the command, empty at its end
  wait_for([&] { return stage.service().views().campaign(campaign)->status == domain::CampaignStatus::kCompleted; });
  CHECK(says(stage.status("pump", command, "accepted"), "is over: the update is completed"));
}

TEST_CASE("decision 16: commands reach a device over MQTT with what it installs") {
  MqttStage stage;
  stage.hello("pump");
  auto policy = MqttStage::immediate();
  policy.pre_update_commands = {"stop"};
  policy.post_update_commands = {"start", "check"};
  stage.campaign(stage.firmware("2.0.0"), {"pump"}, policy);
  const auto command = stage.wait_for_command("pump", "update");
  CHECK(command.at("pre_update_commands") == json{"stop"});
  CHECK(command.at("post_update_commands") == json{"start", "check"});
}

TEST_CASE("decision 29: what stays elsewhere is for devices over MQTT, and not for those that poll") {
  MqttStage stage;
  stage.hello("pump");
  REQUIRE(stage.service().poll({"polls"}, {}).ok());
  const auto campaign = stage.campaign(stage.firmware_by_url("2.0.0", true), {"pump", "polls"});
  const auto command = stage.wait_for_command("pump", "update");
  CHECK_FALSE(command.at("artifact").contains("sha1"));
  const auto polled = stage.service().poll({"polls"}, {});
  REQUIRE(polled.ok());
  CHECK(polled.value().active.value == 0);
  CHECK_FALSE(stage.service().is_awaited(polled.value()));
  CHECK(stage.status("pump", command, "accepted").at("go") == true);
  CHECK_FALSE(stage.update(command).downloads_here);
  CHECK(stage.status("pump", command, "completed").is_null());
  const auto done = stage.update(command);
  CHECK(done.status == UpdateStatus::kCompleted);
  CHECK_FALSE(done.without_download);  // nobody here could know
  const auto gates = stage.service().why({"polls"}, campaign).value().front().gates;
  const auto content = std::find_if(gates.begin(), gates.end(), [](const auto& g) { return g.gate == domain::Gate::kContent; });
  CHECK_FALSE(content->open);
  CHECK(content->fact.find("stays at https://files.example/frame.bin") != std::string::npos);
}

TEST_CASE("decision 29: what will be fetched waits for its bytes, over MQTT too") {
  MqttStage stage;
  stage.hello("pump");
  const auto firmware = stage.firmware_by_url("2.0.0", false);
  stage.campaign(firmware, {"pump"});
  const auto polled = stage.service().poll({"pump"}, {});
  REQUIRE(polled.ok());
  CHECK(polled.value().active.value == 0);
  domain::StoreContent content;
  content.size = 1'000;
  content.sha256[0] = firmware.bytes[0];
  REQUIRE(stage.service().firmware(firmware, content, {}).ok());
  CHECK(stage.wait_for_command("pump", "update").at("artifact").contains("sha1"));
}

TEST_CASE("decision 29: an update of one device, and its way back, lead to what stays elsewhere") {
  MqttStage stage;
  stage.hello("pump");
  stage.firmware_by_url("1.0.0", true);
  const auto id = domain::UpdateId::direct(actors::new_uuid(stage.service().now()));
  domain::RequestUpdate request;
  request.id = id;
  request.device = {"pump"};
  request.plan.firmware = stage.firmware_by_url("2.0.0", true);
  request.plan.to_version = "2.0.0";
  REQUIRE(stage.service().device({"pump"}, std::move(request), {}).ok());
  const auto command = stage.wait_for_command("pump", "update", {{"to_version", "2.0.0"}});
  CHECK(stage.status("pump", command, "accepted").at("go") == true);
  CHECK(stage.status("pump", command, "completed").is_null());
  stage.hello("pump", "2.0.0");
  const auto back = domain::UpdateId::direct(actors::new_uuid(stage.service().now()));
  REQUIRE(stage.service().roll_back({"pump"}, "1.0.0", "worse", back, {}).ok());
  CHECK(stage.wait_for_command("pump", "update", {{"to_version", "1.0.0"}}).at("update_id") == domain::to_text(back));
}

TEST_CASE("decision 7: a grant that is not accepted lapses, and the device is not tried again until it speaks") {
  MqttStage stage;
  stage.hello("pump");
  stage.campaign(stage.firmware("2.0.0"), {"pump", "other"});
  const auto stale = stage.wait_for_command("pump", "update");
  stage.advance(std::chrono::hours(2));
  stage.wait_for_nothing("pump");
  // Another one is served meanwhile, which takes a round in which this one would have had its turn, too.
  stage.hello("other");
  stage.wait_for_command("other", "update");
  CHECK(stage.standing("pump") == "");
  const auto answer = stage.status("pump", stale, "accepted");
  CHECK(answer.at("go") == false);
  const auto fresh = stage.wait_for_command("pump", "update", {{"attempt", 2}});
  CHECK(stage.status("pump", fresh, "accepted").at("go") == true);
}

TEST_CASE("a device that said goodbye is not offered anything until it says hello") {
  MqttStage stage;
  stage.hello("pump");
  stage.hello("other");
  CHECK(stage.say("pump", {{"type", "bye"}}).is_null());
  stage.campaign(stage.firmware("2.0.0"), {"pump", "other"});
  stage.wait_for_command("other", "update");
  CHECK(stage.standing("pump") == "");
  stage.say("pump", kHello);
  stage.wait_for_command("pump", "update");
}

TEST_CASE("an unknown id is registered by its hello, and by nothing else it says") {
  MqttStage stage;
  const auto refused = stage.say("pump", {{"type", "health"}, {"health", "ok"}, {"id", "m-1"}});
  CHECK(refused.at("ok") == false);
  CHECK(refused.at("error") == "not_found");
  CHECK(refused.at("id") == "m-1");
  CHECK(stage.say("pump", {{"type", "hello"}, {"id", "m-2"}}) == json{{"id", "m-2"}, {"ok", true}});
  CHECK(stage.device("pump").push);
}

TEST_CASE("a stranger is what its hello says from its registration on, and the same hello once more writes nothing") {
  MqttStage stage;
  const json hello{{"type", "hello"},
                   {"attributes", {{"device_model", "SF-100"}, {"firmware_version", "1.0.0"}, {"site", nullptr}}}};
  const auto head = [&] { return stage.service().log().head().value; };
  const auto before = head();
  CHECK(stage.say("pump", hello).is_null());
  const auto device = stage.device("pump");
  CHECK(device.push);
  CHECK(device.version == "1.0.0");
  CHECK(device.attributes.size() == 2);
  CHECK_FALSE(device.wants_attributes_from.has_value());
  CHECK(head() == before + 3);
  CHECK(stage.say("pump", hello).is_null());
  CHECK(head() == before + 3);
}

TEST_CASE("a device that polled as a stranger takes its commands over MQTT from its hello on") {
  MqttStage stage;
  REQUIRE(stage.service().poll({"pump"}, {}).ok());
  CHECK_FALSE(stage.device("pump").push);
  stage.hello("pump");
  CHECK(stage.device("pump").push);
  CHECK(stage.device("pump").version == "1.0.0");
}

TEST_CASE("without plug and play a stranger's hello is refused") {
  MqttStage stage(false);
  CHECK(stage.say("pump", kHello).at("error") == "not_found");
  CHECK_FALSE(stage.service().views().device({"pump"}).has_value());
}

TEST_CASE("decision 22: a deleted device does not come back by its own hello") {
  MqttStage stage;
  stage.hello("pump");
  REQUIRE(stage.service().device({"pump"}, domain::DeleteDevice{"gone"}, {}).ok());
  CHECK(stage.say("pump", kHello).at("error") == "not_found");
  CHECK(stage.device("pump").deleted);
}

TEST_CASE("a device that is deleted while it has a command loses it") {
  MqttStage stage;
  stage.hello("pump");
  stage.campaign(stage.firmware("2.0.0"), {"pump"});
  const auto command = stage.wait_for_command("pump", "update");
  REQUIRE(stage.service().device({"pump"}, domain::DeleteDevice{"gone"}, {}).ok());
  stage.wait_for_nothing("pump");
  CHECK(stage.status("pump", command, "accepted").at("error") == "not_found");
}

TEST_CASE("what stands on the topic of a deleted device goes with its next word, should the service have ended before that") {
  for (const auto& word : {json{{"type", "hello"}}, json{{"type", "health"}, {"health", "ok"}}}) {
    CAPTURE(word);
    MqttStage stage;
    stage.hello("pump");
    REQUIRE(stage.service().device({"pump"}, domain::DeleteDevice{"gone"}, {}).ok());
    stage.restart();  // which does not know what stands there
    const auto before = stage.published("pump");
    CHECK(stage.say("pump", word).at("error") == "not_found");
    wait_for([&] { return stage.published("pump") == before + 1; });
    CHECK(stage.standing("pump") == json(""));
  }
}

TEST_CASE("decision 9: an emergency makes room for itself, and the device is told both") {
  MqttStage stage;
  stage.hello("pump");
  stage.campaign(stage.firmware("2.0.0"), {"pump"});
  const auto first = stage.wait_for_command("pump", "update", {{"to_version", "2.0.0"}});
  stage.status("pump", first, "accepted");
  auto urgent = MqttStage::immediate();
  urgent.priority = domain::Priority::kEmergency;
  stage.campaign(stage.firmware("3.0.0"), {"pump"}, urgent);
  const auto cancel = stage.wait_for_command("pump", "cancel");
  CHECK(cancel.at("update_id") == first.at("update_id"));
  stage.status("pump", cancel, "cancelled");
  stage.wait_for_command("pump", "update", {{"to_version", "3.0.0"}});
}

TEST_CASE("an update of another device is nobody's business") {
  MqttStage stage;
  stage.hello("pump");
  stage.hello("thief");
  stage.campaign(stage.firmware("2.0.0"), {"pump"});
  const auto command = stage.wait_for_command("pump", "update");
  for (const auto* word : {"failed", "completed", "declined", "cancelled", "confirmed", "installing"}) {
    CHECK(stage.status("thief", command, word).at("error") == "not_found");
  }
  CHECK(stage.status("thief", command, "accepted").at("go") == false);
  CHECK_FALSE(stage.update(command).started_at.has_value());
}

TEST_CASE("a message that comes twice has its effect once") {
  MqttStage stage;
  stage.hello("pump");
  stage.campaign(stage.firmware("2.0.0"), {"pump"});
  const auto command = stage.wait_for_command("pump", "update");
  const auto events = [&](const domain::Stream& stream) {
    int count = 0;
    stage.service().log().read_stream(domain::stream_name(stream), {}, [&](const auto&) { return ++count > 0; });
    return count;
  };
  const auto id = stage.update(command).id;
  const auto twice = [&](const char* word) {
    stage.status("pump", command, word);
    const int before = events(id);
    const auto again = stage.status("pump", command, word);
    CHECK(events(id) == before);
    return again;
  };
  CHECK(twice("accepted").at("go") == true);  // its answer may have been lost
  for (const auto* word : {"downloading", "installing", "completed"}) twice(word);
  CHECK(stage.update(command).status == UpdateStatus::kCompleted);
  stage.hello("pump", "2.0.0");
  const domain::Stream device = domain::DeviceId{"pump"};
  const int before = events(device);
  stage.hello("pump", "2.0.0");
  CHECK(events(device) == before);
}

TEST_CASE("a failed attempt is tried again by itself, and the old one counts no more") {
  MqttStage stage;
  stage.hello("pump");
  stage.campaign(stage.firmware("2.0.0"), {"pump"});
  const auto first = stage.wait_for_command("pump", "update", {{"attempt", 1}});
  stage.status("pump", first, "accepted");
  stage.status("pump", first, "failed", {{"error_code", "E7"}, {"details", {"no power"}}});
  CHECK(stage.update(first).error_code == "E7");
  stage.wait_for_nothing("pump");
  stage.advance(std::chrono::minutes(1));
  const auto second = stage.wait_for_command("pump", "update", {{"attempt", 2}});
  const auto stale = stage.status("pump", first, "accepted");
  CHECK(stale.at("go") == false);
  CHECK(says(stale, "attempt 1 is over: 2 is the present one"));
  CHECK(stage.status("pump", second, "accepted").at("go") == true);
  stage.status("pump", second, "completed");
  CHECK(stage.update(second).status == UpdateStatus::kCompleted);
}

TEST_CASE("a failure of the network is none of the device's, whether it says so or its words do") {
  MqttStage stage;
  stage.hello("pump");
  stage.campaign(stage.firmware("2.0.0"), {"pump"});
  const auto command = stage.wait_for_command("pump", "update");
  stage.status("pump", command, "accepted");
  stage.status("pump", command, "failed", {{"error_kind", "transport"}});
  CHECK(stage.update(command).spared_retries == 1);
  CHECK(stage.update(command).retry_count == 0);
}

TEST_CASE("decision 24: a cancellation is told, and what the device answers counts") {
  MqttStage stage;
  stage.hello("pump");
  stage.hello("stubborn");
  stage.campaign(stage.firmware("2.0.0"), {"pump", "stubborn"});
  for (const auto* id : {"pump", "stubborn"}) {
    const auto command = stage.wait_for_command(id, "update");
    CHECK(stage.status(id, command, "cancelled").at("error") == "state_transition");  // nobody asked
    stage.status(id, command, "accepted");
    const auto update = stage.update(command);
    REQUIRE(stage.service().update(update.id, domain::CancelUpdate{}, {}).ok());
    const auto cancel = stage.wait_for_command(id, "cancel");
    CHECK(cancel.at("update_id") == command.at("update_id"));
    CHECK(cancel.at("attempt") == 1);
    CHECK(stage.status(id, command, "accepted").at("go") == false);
  }
  stage.status("pump", stage.standing("pump"), "cancelled");
  stage.wait_for_nothing("pump");
  const auto refused = stage.standing("stubborn");
  stage.status("stubborn", refused, "cancel_refused", {{"details", {"too late"}}});
  const auto goes_on = stage.wait_for_command("stubborn", "update");
  stage.status("stubborn", goes_on, "completed");
  CHECK(stage.update(goes_on).status == UpdateStatus::kCompleted);
}

TEST_CASE("decision 32: a device's user is asked over MQTT, and told to install only after a yes") {
  MqttStage stage;
  for (const auto* id : {"yes", "no"}) stage.hello(id);
  auto policy = MqttStage::immediate();
  policy.requires_device_confirmation = true;
  stage.campaign(stage.firmware("2.0.0"), {"yes", "no"}, policy);
  for (const auto* id : {"yes", "no"}) {
    const auto asked = stage.wait_for_command(id, "confirm");
    CHECK(asked.at("to_version") == "2.0.0");
    CHECK_FALSE(asked.at("artifact").contains("url"));
    const auto early = stage.status(id, asked, "accepted");
    CHECK(early.at("go") == false);
    CHECK(says(early, "waits for consent"));
  }
  const auto denied = stage.standing("no");
  CHECK(stage.status("yes", stage.standing("yes"), "confirmed").is_null());
  CHECK(stage.status("no", denied, "denied").is_null());
  const auto command = stage.wait_for_command("yes", "update");
  CHECK(stage.status("yes", command, "accepted").at("go") == true);
  stage.wait_for_nothing("no");
  CHECK(stage.update(denied).status == UpdateStatus::kCancelled);
}

TEST_CASE("decision 32: a download and no more") {
  MqttStage stage;
  stage.hello("pump");
  auto policy = MqttStage::immediate();
  policy.download_only = true;
  stage.campaign(stage.firmware("2.0.0"), {"pump"}, policy);
  const auto command = stage.wait_for_command("pump", "update", {{"install", "never"}});
  stage.status("pump", command, "accepted");
  stage.status("pump", command, "verifying");
  CHECK(stage.update(command).status == UpdateStatus::kCompleted);
}

TEST_CASE("decision 14: while its window is closed a device downloads and waits; it is told when the window opens") {
  MqttStage stage;
  stage.hello("pump");
  auto policy = MqttStage::immediate();
  const auto now = std::chrono::floor<std::chrono::minutes>(stage.service().now().time_since_epoch()) % std::chrono::days(1);
  const auto minute = static_cast<std::uint16_t>(now.count());
  const auto day = [](int m) { return static_cast<std::uint16_t>((m + 1'440) % 1'440); };
  policy.maintenance_window = domain::MaintenanceWindow{day(minute - 10), day(minute + 10), "UTC"};
  policy.timeout_minutes = 1'440;
  stage.campaign(stage.firmware("2.0.0"), {"pump"}, policy);
  const auto command = stage.wait_for_command("pump", "update", {{"install", "now"}});
  stage.status("pump", command, "accepted");
  stage.advance(std::chrono::minutes(20));
  stage.wait_for_command("pump", "update", {{"install", "later"}});
  stage.status("pump", command, "verifying");
  CHECK(stage.update(command).held);
  stage.advance(std::chrono::hours(23) + std::chrono::minutes(40));
  stage.wait_for_command("pump", "update", {{"install", "now"}});
}

TEST_CASE("decision 12: what is installed and awaits its version is not told again; the hello after the reboot is the proof") {
  MqttStage stage;
  stage.hello("pump");
  auto policy = MqttStage::immediate();
  policy.require_version_proof = true;
  stage.campaign(stage.firmware("2.0.0"), {"pump"}, policy);
  const auto command = stage.wait_for_command("pump", "update");
  stage.status("pump", command, "accepted");
  stage.status("pump", command, "completed");
  stage.wait_for_nothing("pump");
  CHECK(stage.update(command).status == UpdateStatus::kRebooting);
  CHECK(stage.status("pump", command, "accepted").at("go") == false);
  stage.hello("pump", "2.0.0");
  wait_for([&] { return stage.update(command).status == UpdateStatus::kCompleted; });
}

TEST_CASE("after a restart what is under way is told again, and an idle device is left alone") {
  MqttStage stage;
  stage.hello("pump");
  stage.hello("idle");
  stage.campaign(stage.firmware("2.0.0"), {"pump"});
  const auto command = stage.wait_for_command("pump", "update");
  CHECK(stage.status("pump", command, "accepted").at("go") == true);
  const auto before = stage.published("pump");
  const auto idle = stage.published("idle");
  stage.restart();
  wait_for([&] { return stage.published("pump") == before + 1; });
  CHECK(stage.standing("pump").at("update_id") == command.at("update_id"));
  CHECK(stage.published("idle") == idle);
  stage.status("pump", command, "completed");
  stage.wait_for_nothing("pump");
}

TEST_CASE("reports beyond what is recorded are refused with a word for it, and the end is taken") {
  MqttStage stage;
  stage.hello("pump");
  stage.campaign(stage.firmware("2.0.0"), {"pump"});
  const auto command = stage.wait_for_command("pump", "update");
  stage.status("pump", command, "accepted");
  json answer;
  for (int i = 0; i < 1'010 && answer.is_null(); ++i) answer = stage.status("pump", command, "downloading", {{"details", {std::to_string(i)}}});
  REQUIRE(answer.is_object());
  CHECK(answer.at("error") == "quota");
  stage.status("pump", command, "completed");
  CHECK(stage.update(command).status == UpdateStatus::kCompleted);
}
