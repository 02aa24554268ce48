// The whole gateway through a real nats-server with permissions; the device is a client of libmosquitto.
#include "gateways/mqtt/mqtt_devices.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <mosquitto.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "gateways/mqtt/topics.hpp"
#include "tests/gateways/nats_support.hpp"

using namespace ota;
using namespace ota::gateways::testing;
using nlohmann::json;

namespace {

constexpr const char* kServicePassword = "service";

std::string user_text(const std::string& name, const std::string& password, const std::string& types, const std::string& publish,
                      const std::string& subscribe) {
  return fmt::format(
      "{{\n user: \"{}\"\n password: \"{}\"\n allowed_connection_types: [{}]\n permissions: {{\n  publish: {{\n   allow: [{}]\n  }}\n"
      "  subscribe: {{\n   allow: [{}]\n  }}\n }}\n}}\n",
      name, password, types, publish, subscribe);
}

std::string users_text(const std::vector<std::string>& devices) {
  const std::string consumer = "ota-devices.ota_service_devices";
  std::string text = user_text("service", kServicePassword, R"("STANDARD", "MQTT")",
                               R"("ota.DEFAULT.*.down", "ota.DEFAULT.*.reply", "$JS.API.STREAM.INFO.ota-devices", )"
                               R"("$JS.API.STREAM.CREATE.ota-devices", "$JS.API.STREAM.UPDATE.ota-devices", "$JS.API.CONSUMER.INFO.)" + consumer +
                                   R"(", "$JS.API.CONSUMER.DURABLE.CREATE.)" + consumer + R"(", "$JS.API.CONSUMER.DELETE.)" + consumer +
                                   R"(", "$JS.API.CONSUMER.MSG.NEXT.)" + consumer + R"(", "$JS.ACK.)" + consumer + R"(.>")",
                               R"("_INBOX.>")");
  for (const auto& device : devices) {
    const auto level = gateways::mqtt::encode_level(device);
    text += user_text(level, "of " + level, R"("MQTT")", fmt::format("\"ota.DEFAULT.{}.up\"", level),
                      fmt::format("\"ota.DEFAULT.{0}.down\", \"ota.DEFAULT.{0}.reply\", \"$MQTT.sub.>\"", level));
  }
  return text;
}

// A client as a device has one: it listens to its topics, and says what it is told to say.
class Client {
 public:
  Client(int port, std::string device) : device_(std::move(device)), topics_("DEFAULT") {
    const auto level = gateways::mqtt::encode_level(device_);
    handle_ = mosquitto_new(("device-" + level).c_str(), true, this);
    REQUIRE(handle_ != nullptr);
    mosquitto_message_callback_set(handle_, [](mosquitto*, void* self, const mosquitto_message* message) {
      static_cast<Client*>(self)->heard(message->topic, {static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)});
    });
    mosquitto_subscribe_callback_set(handle_, [](mosquitto*, void* self, int, int, const int*) { static_cast<Client*>(self)->heard("", ""); });
    mosquitto_publish_callback_set(handle_, [](mosquitto*, void* self, int) { ++static_cast<Client*>(self)->acknowledged_; });
    mosquitto_connect_callback_set(handle_, [](mosquitto* handle, void* self, int) {
      const auto& client = *static_cast<Client*>(self);
      mosquitto_subscribe(handle, nullptr, client.topics_.down({client.device_}).c_str(), 1);
      mosquitto_subscribe(handle, nullptr, client.topics_.reply({client.device_}).c_str(), 1);
    });
    REQUIRE(mosquitto_username_pw_set(handle_, level.c_str(), ("of " + level).c_str()) == MOSQ_ERR_SUCCESS);
    REQUIRE(mosquitto_reconnect_delay_set(handle_, 1, 1, false) == MOSQ_ERR_SUCCESS);
    REQUIRE(mosquitto_connect(handle_, "127.0.0.1", port, 30) == MOSQ_ERR_SUCCESS);
    REQUIRE(mosquitto_loop_start(handle_) == MOSQ_ERR_SUCCESS);
    wait_for([this] { return subscriptions() >= 2; });
  }
  ~Client() {
    mosquitto_disconnect(handle_);
    mosquitto_loop_stop(handle_, true);
    mosquitto_destroy(handle_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void say(const json& message) {
    ++said_;
    const auto body = message.dump();
    REQUIRE(mosquitto_publish(handle_, nullptr, topics_.up({device_}).c_str(), static_cast<int>(body.size()), body.data(), 1, false) ==
            MOSQ_ERR_SUCCESS);
  }
  void say_until_kept(const json& message, int times) {
    for (int i = 0; i < times; ++i) say(message);
    wait_for([this] { return acknowledged_ == said_; });
  }
  // The first of all messages on the topic that fits.
  json wait(const std::string& topic, const std::function<bool(const json&)>& fits) {
    json found;
    wait_for([&] {
      const std::lock_guard lock(mutex_);
      for (const auto& [on, message] : heard_) {
        if (on == topic && fits(message)) return found = message, true;
      }
      return false;
    });
    return found;
  }
  json command(const std::string& type) {
    return wait(topics_.down({device_}), [&](const json& m) { return m.is_object() && m.at("type") == type; });
  }
  json answer(const std::string& id) {
    return wait(topics_.reply({device_}), [&](const json& m) { return m.value("id", "") == id; });
  }
  json ask(json message, const std::string& id) {
    message["id"] = id;
    say(message);
    return answer(id);
  }
  json error(const std::string& kind) {
    return wait(topics_.reply({device_}), [&](const json& m) { return m.value("error", "") == kind; });
  }
  std::size_t commands() {
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    for (const auto& [on, message] : heard_) count += on == topics_.down({device_}) && message.is_object();
    return count;
  }

 private:
  void heard(const std::string& topic, const std::string& body) {
    const std::lock_guard lock(mutex_);
    if (topic.empty()) {
      ++subscriptions_;
    } else {
      heard_.emplace_back(topic, body.empty() ? json() : json::parse(body));
    }
  }
  int subscriptions() {
    const std::lock_guard lock(mutex_);
    return subscriptions_;
  }

  const std::string device_;
  const gateways::mqtt::Topics topics_;
  mosquitto* handle_ = nullptr;
  std::mutex mutex_;
  int subscriptions_ = 0;
  int said_ = 0;
  std::atomic<int> acknowledged_{0};      // by the broker, of what was said
  std::vector<std::pair<std::string, json>> heard_;
};

// The service and the gateway, in their order of life.
class Site {
 public:
  explicit Site(const std::vector<std::string>& devices, actors::Rate rate = gateways::MqttOptions().rate)
      : broker_(users_text(devices)), rate_(rate) {
    open();
  }
  ~Site() { close(); }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  void open() {
    gateways::MqttOptions options;
    options.host = "127.0.0.1";
    options.port = static_cast<std::uint16_t>(broker_.mqtt_port());
    options.user = "service";
    options.password = kServicePassword;
    options.nats_url = fmt::format("nats://service:{}@{}", kServicePassword, broker_.url().substr(7));
    options.rate = rate_;
    options.retry_min = options.retry_max = std::chrono::milliseconds(50);
    mqtt_ = std::make_unique<gateways::MqttDevices>(options);
    actors::ServiceOptions service;
    service.data_directory = folder_.path() / "data";
    service.tails = {&mqtt_->tail()};
    service_ = actors::Service::open(std::move(service));
    mqtt_->start(*service_, {[](const domain::DeviceId&, const domain::Firmware&) { return std::string("https://ota.example/f"); }, {}});
  }
  void close() {
    mqtt_->stop();
    service_.reset();
    mqtt_.reset();
  }
  void until_connected() {
    wait_for([this] { return mqtt_->status().connected; });
  }
  domain::UpdateId ask_for_update(const std::string& device) {
    domain::RegisterFirmware firmware;
    firmware.record.id.bytes[0] = ++firmwares_;
    firmware.record.name = "Frame";
    firmware.record.facts.version = fmt::format("{}.0.0", firmwares_ + 1);
    firmware.record.facts.device_model = "SF-100";
    firmware.record.sha256[0] = firmwares_;
    firmware.sha1.emplace();
    domain::RequestUpdate request;
    request.plan.firmware = firmware.record.id;
    request.plan.to_version = firmware.record.facts.version;
    request.id = domain::UpdateId::direct(actors::new_uuid(service_->now()));
    request.device = {device};
    REQUIRE(service_->firmware(firmware.record.id, firmware, {}).ok());
    REQUIRE(service_->device({device}, request, {}).ok());
    return request.id;
  }
  domain::DeviceUpdate update(const domain::UpdateId& id) { return service_->views().update(id).value(); }
  NatsServer& broker() { return broker_; }
  gateways::MqttStatus status() const { return mqtt_->status(); }

 private:
  NatsServer broker_;
  const actors::Rate rate_;
  TempFolder folder_;
  std::uint8_t firmwares_ = 0;
  std::unique_ptr<gateways::MqttDevices> mqtt_;
  std::unique_ptr<actors::Service> service_;
};

json about(const json& command, const char* word) {
  return {{"type", "status"}, {"update_id", command.at("update_id")}, {"attempt", command.at("attempt")}, {"status", word}};
}

}  // namespace

TEST_CASE("a device says hello, is told, asks whether to go, and is done: through a broker that lets each do its own and no more") {
  const std::string id = "pump 7/\xC3\xBC.1";
  Site site({id});
  site.until_connected();
  Client device(site.broker().mqtt_port(), id);
  CHECK(device.ask({{"type", "hello"}, {"attributes", {{"device_model", "SF-100"}}}}, "m-1").at("ok") == true);
  const auto update = site.ask_for_update(id);
  const auto command = device.command("update");
  CHECK(command.at("artifact").at("url") == "https://ota.example/f");
  CHECK(device.ask(about(command, "accepted"), "m-2").at("go") == true);
  CHECK(device.ask(about(command, "installing"), "m-3").at("ok") == true);
  CHECK(device.ask(about(command, "completed"), "m-4").at("ok") == true);
  CHECK(site.update(update).status == domain::UpdateStatus::kCompleted);
  device.wait(gateways::mqtt::Topics("DEFAULT").down({id}), [&](const json& m) { return m.is_null(); });
  CHECK(device.ask({{"type", "nonsense"}}, "m-5").at("error") == "invalid");
  wait_for([&] { return site.status().malformed == 1; });  // counted behind its answer
}

TEST_CASE("a broker that dies and comes back: what was to be told is told, what was said is heard") {
  Site site({"pump"});
  site.until_connected();
  Client device(site.broker().mqtt_port(), "pump");
  device.ask({{"type", "hello"}}, "m-1");
  site.broker().kill();
  wait_for([&] { return !site.status().connected && !site.status().last_error.empty(); });  // which of them first is nobody's matter
  const auto update = site.ask_for_update("pump");
  wait_for([&] { return site.update(update).in_progress(); });  // granted, and nobody could be told yet
  wait_for([&] { return site.status().waiting > 0; });
  site.broker().start();
  const auto command = device.command("update");
  CHECK(device.ask(about(command, "accepted"), "m-2").at("go") == true);
  site.until_connected();
  wait_for([&] { return site.status().waiting == 0; });
}

TEST_CASE("what devices said while the service was away is carried out when it is back") {
  Site site({"pump"});
  site.until_connected();
  Client device(site.broker().mqtt_port(), "pump");
  device.ask({{"type", "hello"}}, "m-1");
  const auto update = site.ask_for_update("pump");
  const auto command = device.command("update");
  site.close();
  auto accepted = about(command, "accepted");
  accepted["id"] = "m-2";
  device.say(accepted);
  // All at once, and within what a device may say at once by default.
  device.say_until_kept(about(command, "installing"), 150);
  device.say_until_kept(about(command, "completed"), 1);
  site.open();
  wait_for([&] { return site.update(update).status == domain::UpdateStatus::kCompleted; });
  CHECK(device.answer("m-2").at("go") == true);
  CHECK(site.status().refused == 0);
}

TEST_CASE("a quiet device is answered though a loud one has said thousands of things before it, of which few are carried out") {
  constexpr int kSaid = 3'000;
  constexpr std::uint64_t kAtOnce = 100;
  constexpr std::uint64_t kKept = 1'000;  // of one device, by the stream
  Site site({"loud", "quiet"}, {0.001, kAtOnce});
  site.until_connected();
  Client loud(site.broker().mqtt_port(), "loud");
  Client quiet(site.broker().mqtt_port(), "quiet");
  loud.ask({{"type", "hello"}}, "m-1");
  quiet.ask({{"type", "hello"}}, "m-1");
  site.close();
  quiet.say_until_kept({{"type", "attributes"}, {"data", {{"said", "first"}}}, {"id", "m-2"}}, 1);
  loud.say_until_kept({{"type", "attributes"}, {"data", {{"n", "1"}}}, {"id", "m-2"}}, kSaid);
  quiet.say_until_kept({{"type", "health"}, {"health", "ok"}, {"id", "m-3"}}, 1);
  site.open();
  CHECK(quiet.answer("m-3").at("ok") == true);
  CHECK(quiet.answer("m-2").at("ok") == true);  // was not pushed out
  CHECK(site.status().refused == kKept - kAtOnce);
  wait_for([&] { return site.status().received == kAtOnce + 2; });
  const auto refusal = loud.error("rate_limited");
  CHECK(refusal.at("id") == "m-2");
  CHECK(refusal.at("ok") == false);
}
